"""Ranking reads queries, weighs, shares and cuts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.models import Outcome, SourceClass, Standing
from mcp_memory.search import ranking
from mcp_memory.search.fusion import Fused
from mcp_memory.search.ranking import Features
from mcp_memory.text import tokens

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _order(**features: Features) -> list[str]:
    fused = [Fused(key, 1.0, {"words": 1}) for key in features]
    return [one.key for one in ranking.rank(fused, features, now=NOW)]


def test_priors_prefer_proven_trusted_helpful_and_recent() -> None:
    good = Outcome.SUCCESS
    assert _order(a=Features(), b=Features(outcome=good)) == ["b", "a"]
    assert _order(a=Features(standing=Standing.CANDIDATE), b=Features()) == ["b", "a"]
    assert _order(a=Features(source=SourceClass.EXTERNAL), b=Features()) == ["b", "a"]
    assert _order(a=Features(used=(1, 8)), b=Features(used=(9, 0))) == ["b", "a"]
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


def test_tokens_are_a_quarter_of_latin_characters_and_one_each_of_chinese() -> None:
    assert tokens.estimate("four") == 1
    assert tokens.estimate("登录") == 2
    assert tokens.estimate("") == 0
