"""Forgetting says what a deletion reaches, what to look for afterwards, and keeps a keyed hash."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain import refs
from mcp_memory.domain.models import Evidence
from mcp_memory.trajectories import reaching
from mcp_memory.trajectories.reaching import MemoryView, Target

A, B = (refs.trajectory_id("test", name) for name in "ab")
M, N = (f"m:{refs.short_hash(name)}" for name in "mn")
SAID = "the deploy key for the staging cluster lives in the blue vault"


def _memory(*evidence: str, text: str = "keys live in vaults", **known: object) -> MemoryView:
    cited = tuple(Evidence(ref=ref) for ref in evidence)
    return MemoryView.model_validate({"ref": M, "text": text, "evidence": cited} | known)


def _reach(target: str, memory: MemoryView, text: str = SAID) -> reaching.Reach:
    return reaching.reach(
        [Target(ref=target, text=text, first=4, last=9)],
        [memory],
        spans={refs.episode(A, 1): (4, 9)},
    )


def test_a_memory_without_live_evidence_goes_too() -> None:
    assert _reach(f"t:{A}", _memory(refs.span(A, 3, 5))).cascade == (M,)
    gone = _memory(refs.span(A, 3, 5), refs.span(B, 1), gone=(refs.span(B, 1),))
    assert _reach(f"t:{A}", gone).cascade == (M,)


def test_a_memory_with_other_evidence_is_weakened_and_told_what_it_lost() -> None:
    found = _reach(f"t:{A}", _memory(refs.span(A, 3, 5), refs.span(B, 1)))
    assert found.cascade == ()
    assert found.weakened == (M,)
    assert found.lost == {M: (refs.span(A, 3, 5),)}


def test_a_memory_that_rests_on_nothing_deleted_is_left_alone_whatever_it_says() -> None:
    found = _reach(f"t:{A}", _memory(refs.span(B, 1), text=SAID))
    assert found == reaching.Reach(direct=(f"t:{A}",))


def test_eight_consecutive_words_of_the_deleted_text_make_a_quotation() -> None:
    both = (refs.span(A, 3, 5), refs.span(B, 1))
    eight, seven = " ".join(SAID.split()[2:10]), " ".join(SAID.split()[2:9])
    assert _reach(f"t:{A}", _memory(*both, text=f"Note: {eight.upper()}!")).cascade == (M,)
    assert _reach(f"t:{A}", _memory(*both, text=f"Note: {seven}!")).weakened == (M,)


def test_a_quote_field_from_the_deleted_text_takes_the_memory_along() -> None:
    quote = Evidence(ref=refs.span(A, 3), quote="blue  vault")
    memory = _memory().model_copy(update={"evidence": (quote, Evidence(ref=refs.span(B, 1)))})
    assert _reach(f"t:{A}", memory).cascade == (M,)


@pytest.mark.parametrize(
    ("target", "evidence", "lost"),
    [
        (refs.span(A, 4, 9), refs.span(A, 5, 6), True),
        (refs.span(A, 5, 6), refs.span(A, 4, 9), False),
        (refs.span(A, 4, 9), refs.episode(A, 1), True),
        (refs.episode(A, 1), refs.span(A, 4, 9), True),
        (refs.episode(A, 1), refs.span(A, 9, 10), False),
        (refs.span(A, 9), refs.episode(A, 1), False),
        (refs.span(A, 1, 2), f"t:{A}", False),
    ],
)
def test_evidence_is_lost_when_nothing_of_it_is_left(
    target: str, evidence: str, *, lost: bool
) -> None:
    found = _reach(target, _memory(evidence))
    assert (found.cascade, found.weakened) == (((M,), ()) if lost else ((), (M,)))


@pytest.mark.parametrize("target", [refs.span(A, 1, 3), refs.span(A, 10), refs.span(B, 4, 9)])
def test_spans_that_do_not_meet_reach_nothing(target: str) -> None:
    assert _reach(target, _memory(refs.episode(A, 1))) == reaching.Reach(direct=(target,))


def test_several_targets_together_can_cover_a_span() -> None:
    targets = [Target(ref=refs.span(A, n)) for n in (6, 4, 5)]
    memory = _memory(refs.span(A, 4, 6))
    assert reaching.reach(targets, [memory]).cascade == (M,)
    assert reaching.reach(targets[:2], [memory]).weakened == (M,)


def test_a_successor_that_repeats_a_deleted_memory_goes_with_it() -> None:
    successor = _memory(ref=N, text=f"{SAID}, since May", supersedes=M)
    reworded = _memory(ref=N, text="ask the owner", supersedes=M)
    assert _reach(M, successor).cascade == (N,)
    assert _reach(M, reworded) == reaching.Reach(direct=(M,))


def _never(_: str) -> bool:
    return False


def test_needles_are_spread_windows_of_the_purged_text() -> None:
    text = " ".join(f"word{i}" for i in range(400))
    found = reaching.needles([text], survives=_never)
    assert len(found) == 4
    assert all(24 <= len(needle) <= 80 and needle in text for needle in found)
    assert text.index(found[-1]) > len(text) // 2


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_a_needle_is_found_in_the_json_of_its_text(text: str) -> None:
    stored = orjson.dumps(text).decode()
    for needle in reaching.needles([text], survives=_never):
        assert needle in stored
        assert needle.strip()


def test_what_survives_elsewhere_is_no_needle() -> None:
    text = "public licence text that every file repeats\nthe staging key is in the blue vault"
    found = reaching.needles([text], survives=lambda piece: "licence" in piece)
    assert found == ["the staging key is in the blue vault"]


def test_short_texts_give_their_longest_piece_and_rules_give_none() -> None:
    assert reaching.needles(["blue vault"], survives=_never) == ["blue vault"]
    assert reaching.needles(["-" * 90, " " * 90, "ok", ""], survives=_never) == []


def test_needles_are_bounded_and_unique() -> None:
    texts = [f"the same beginning of a text number {i % 50}" for i in range(500)]
    found = reaching.needles(texts, survives=_never, limit=20)
    assert len(found) == len(set(found)) == 20


def test_a_tombstone_knows_the_text_again_only_with_its_key() -> None:
    mark = reaching.tombstone(b"key", SAID)
    assert len(mark) == 64
    assert reaching.tombstone(b"key", SAID) == mark
    assert mark not in {reaching.tombstone(b"other", SAID), reaching.tombstone(b"key", SAID + ".")}
