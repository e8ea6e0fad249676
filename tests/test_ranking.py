"""Ranking reads queries, weighs, shares and cuts."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory import identifiers, ranking, tokens
from mcp_memory.fusion import Fused
from mcp_memory.models import Outcome, SourceClass, Standing
from mcp_memory.ranking import Features

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "unit", ["a", "a/", "a.", "A", "_a", "`", "?", "\n", " ", "a:b", "0-", "()", "Aa: "]
)
def test_reading_takes_linear_time_on_hostile_text(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    begun = time.perf_counter()
    identifiers.indexed(text)
    ranking.clean_query(text)
    ranking.terms(text)
    assert time.perf_counter() - begun < 3


def test_a_short_query_is_kept_as_it_is() -> None:
    assert ranking.clean_query("  why does\nlogin fail? ") == "why does login fail?"


def test_a_pasted_prompt_is_cut_to_its_question() -> None:
    prompt = "You are a careful assistant. Follow all rules.\n" * 80
    cut = ranking.clean_query(f"{prompt}Why does cart_total() round down?\n")
    assert len(cut) <= 400
    assert cut.startswith("Why does cart_total() round down?")


def test_a_stack_trace_is_cut_to_its_error_and_nearest_names() -> None:
    frames = "\n".join(f'  File "/srv/app/mod_{i}.py", line {i}, in run' for i in range(250))
    cut = ranking.clean_query(f"Traceback (most recent call last):\n{frames}\nKeyError: 'cart'\n")
    assert cut.startswith("KeyError: 'cart'")
    assert "/srv/app/mod_249.py" in cut
    assert "mod_0.py" not in cut


@given(st.text(max_size=3000))
def test_a_clean_query_is_bounded_and_terms_are_unique(text: str) -> None:
    cut = ranking.clean_query(text)
    assert len(cut) <= 400
    assert len(cut.split()) <= 64
    folded = [term.casefold() for term in ranking.terms(text)]
    assert len(folded) == len(set(folded)) <= 64


def test_words_that_only_ask_are_left_out_unless_nothing_else_was_said() -> None:
    assert ranking.content_words("When did Ada fix the parser?") == "Ada fix parser?"
    assert ranking.content_words("what is it") == "what is it"
    assert ranking.content_words("解析器 是 谁 修好 的") == "解析器 是 谁 修好 的"


def test_terms_keep_names_whole_and_cut_chinese_into_pairs() -> None:
    assert ranking.terms("The getUser call") == ("getUser", "the", "call")
    assert ranking.terms("登录错误") == ("登录", "录错", "错误")


def _order(**features: Features) -> list[str]:
    fused = [Fused(key, 1.0, {"words": 1}) for key in features]
    return [one.key for one in ranking.rank(fused, features, now=NOW)]


def test_priors_prefer_proven_trusted_helpful_and_recent() -> None:
    good = Outcome.SUCCESS
    assert _order(a=Features(), b=Features(outcome=good)) == ["b", "a"]
    assert _order(a=Features(standing=Standing.CANDIDATE), b=Features()) == ["b", "a"]
    assert _order(a=Features(source=SourceClass.EXTERNAL), b=Features()) == ["b", "a"]
    assert _order(a=Features(used=(9, 1)), b=Features(used=(9, 9))) == ["b", "a"]
    assert _order(a=Features(at=NOW - timedelta(days=400)), b=Features(at=NOW)) == ["b", "a"]


def test_a_superseded_record_is_pushed_down_and_marked_but_not_hidden() -> None:
    fused = [Fused("old", 2.0, {"words": 1}), Fused("new", 1.0, {"words": 2})]
    ranked = ranking.rank(fused, {"old": Features(superseded=True)}, now=NOW)
    assert [one.key for one in ranked] == ["new", "old"]
    assert ranked[1].why["superseded"] == 0.4


@given(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda p: (max(p), min(p))),
    st.integers(-5000, 50_000),
)
def test_every_prior_is_bounded(used: tuple[int, int], days: int) -> None:
    known = Features(used=used, at=NOW - timedelta(days=days), source=SourceClass.USER)
    assert all(0.85 <= weight <= 1.15 for weight in ranking.priors(known, now=NOW).values())


def test_each_question_gets_its_share_before_any_gets_more() -> None:
    assert ranking.fair_shares([["a", "b", "c"], ["b", "d"], []], 4) == ["a", "b", "c", "d"]
    assert ranking.fair_shares([["a", "b"], ["x"]], 2) == ["a", "x"]


def test_a_budget_is_never_passed() -> None:
    assert ranking.within_budget([("a", 5), ("b", 9), ("c", 4)], 10) == ["a", "c"]


ASKED = ranking.terms("How does cart_total round the discount in checkout?")


def test_confidence_is_high_where_the_entity_is_present() -> None:
    known = Features(text="cart_total rounds each discount down at checkout")
    assert ranking.confidence(ASKED, known) > 0.8


def test_confidence_stays_below_the_floor_where_the_named_entity_is_absent() -> None:
    known = Features(text="how the checkout rounds the discount", similarity=0.9)
    assert ranking.confidence(ASKED, known) < 0.35


def test_confidence_in_function_words_alone_is_low() -> None:
    asked = ranking.terms("How does the scheduler handle backpressure?")
    assert ranking.confidence(asked, Features(text="how does the parser work")) < 0.2


def test_confidence_weighs_terms_by_frequency_when_told() -> None:
    asked = ("login", "kerberos")
    known = Features(text="login works")
    told = {"login": 90, "kerberos": 0}
    assert ranking.confidence(asked, known, frequencies=told, total=100) < 0.1


def test_confidence_rises_with_similarity_when_nothing_is_named() -> None:
    asked = ranking.terms("sign-in is slow")
    far, near = Features(text="x", similarity=0.3), Features(text="x", similarity=0.9)
    assert ranking.confidence(asked, far) == 0
    assert ranking.confidence(asked, near) >= 0.35


@given(st.text(max_size=200), st.text(max_size=200), st.floats(-1, 1))
def test_confidence_is_a_share(query: str, text: str, similarity: float) -> None:
    asked = ranking.terms(query)
    assert 0 <= ranking.confidence(asked, Features(text=text, similarity=similarity)) <= 1


def test_a_snippet_shows_the_densest_match_and_marks_its_cuts() -> None:
    text = "filler words here " * 50 + "the cart_total discount is rounded " + "more filler " * 50
    cut = ranking.snippet(text, ASKED, 120)
    assert "cart_total discount" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")


@given(st.text(max_size=500), st.text(max_size=50), st.integers(10, 200))
def test_a_snippet_fits_and_short_texts_are_whole(text: str, query: str, chars: int) -> None:
    cut = ranking.snippet(text, ranking.terms(query), chars)
    assert len(cut) <= chars
    assert len(text) > chars or cut == text


def test_tokens_are_a_quarter_of_latin_characters_and_one_each_of_chinese() -> None:
    assert tokens.estimate("four") == 1
    assert tokens.estimate("登录") == 2
    assert tokens.estimate("") == 0
