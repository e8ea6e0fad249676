"""Fusion sums channels' scores, lifts sessions, and holds back repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.search import fusion
from mcp_memory.search.fusion import FREE_REPEATS, Fused

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1, 50), max_size=8)


def keys(fused: list[Fused]) -> list[str]:
    return [one.key for one in fused]


def session(key: str) -> str:
    return key[0] if key[0] != "-" else ""


def test_a_hits_lead_counts_and_its_ranks_explain_it() -> None:
    fused = fusion.fuse(
        {"words": {"a": 8.0, "b": 2.0}, "vectors": {"b": 0.9}}, weights={"vectors": 0.5}
    )
    assert [(one.key, one.score) for one in fused] == [("a", 1.0), ("b", 0.75)]
    assert fused[1].ranks == {"words": 2, "vectors": 1}


def test_the_worst_of_a_channel_without_a_zero_counts_nothing() -> None:
    fused = fusion.fuse({"v": {"a": 0.9, "b": 0.8, "c": 0.7}}, from_worst=frozenset({"v"}))
    assert [(one.key, pytest.approx(one.score)) for one in fused] == [
        ("a", 1),
        ("b", 0.5),
        ("c", 0),
    ]


def test_ties_are_broken_by_key() -> None:
    assert keys(fusion.fuse({"x": {"b": 3.0}, "y": {"a": 7.0}})) == ["a", "b"]


@given(st.dictionaries(st.sampled_from(["words", "context", "vectors"]), SCORES))
def test_fusing_keeps_every_key_once_and_finite(channels: dict[str, dict[str, float]]) -> None:
    fused = fusion.fuse(channels, from_worst=frozenset({"vectors"}))
    assert sorted(keys(fused)) == sorted({key for scores in channels.values() for key in scores})
    lifted = fusion.lift_sessions(fused, session_of=session)
    assert sorted(keys(lifted)) == sorted(keys(fused))
    assert all(abs(one.score) < 1e6 for one in lifted)


def test_a_session_that_answers_often_lifts_its_records() -> None:
    fused = [
        Fused("a1", 1.0, {}),
        Fused("b1", 0.98, {}),
        Fused("b2", 0.9, {}),
        Fused("b3", 0.9, {}),
    ]
    lifted = fusion.lift_sessions(fused, session_of=session)
    assert keys(lifted)[0] == "b1"
    assert lifted[0].ranks == {"session": 1.0}


def test_a_record_of_no_session_is_not_put_behind_those_of_one() -> None:
    lifted = fusion.lift_sessions([Fused("-", 1.0, {}), Fused("a1", 0.9, {})], session_of=session)
    assert keys(lifted) == ["-", "a1"]


def held_back(items: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return fusion.held_back(
        items,
        session_of=lambda item: item[0][:1],
        score_of=lambda item: item[1],
        scored=lambda item, score: (item[0], score),
    )


def test_one_session_does_not_fill_the_answer_but_stays_where_it_is_far_ahead() -> None:
    near = [(f"a{n}", 1.0) for n in range(6)] + [("b1", 0.97)]
    assert [key for key, _ in held_back(near)].index("b1") == FREE_REPEATS
    far = [(f"a{n}", 1.0) for n in range(6)] + [("b1", 0.5)]
    assert held_back(far)[-1] == ("b1", 0.5)


def test_records_of_no_session_are_never_held_back() -> None:
    items = [("", 1.0 - n / 100) for n in range(9)]
    assert held_back(items) == items


def test_what_is_held_back_has_the_score_that_it_stands_by() -> None:
    scores = [score for _, score in held_back([(f"a{n}", 1.0) for n in range(6)])]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 1
