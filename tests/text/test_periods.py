"""Periods of a question: as wide as they were said, none where no time is named."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import periods

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def days(question: str) -> list[tuple[str, str]]:
    found = periods.asked_about(question, now=NOW)
    return [(period.start.date().isoformat(), period.end.date().isoformat()) for period in found]


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("What broke on October 13, 2023?", "2023-10-13", "2023-10-13"),
        ("What did we release in June 2022?", "2022-06-01", "2022-06-30"),
        ("Which parser did we use in 2023?", "2023-01-01", "2023-12-31"),
        ("what did the tests say two days ago", "2026-11-21", "2026-11-21"),
    ],
)
def test_a_period_is_as_wide_as_it_was_said(question: str, start: str, end: str) -> None:
    assert days(question) == [(start, end)]


def test_last_week_is_a_week() -> None:
    assert ("2026-11-16", "2026-11-22") in days("What did the linter find last week?")


@pytest.mark.parametrize("question", ["may I use it on the main branch?", "error 404 in step 12"])
def test_a_question_without_a_time_has_no_period(question: str) -> None:
    assert days(question) == []


def test_a_period_holds_the_day_beside_it_and_nothing_undated() -> None:
    (period,) = periods.asked_about("What broke on October 13, 2023?", now=NOW)
    assert period.holds(datetime(2023, 10, 14, 9, tzinfo=UTC))
    assert not period.holds(datetime(2023, 10, 20, tzinfo=UTC))
    assert not period.holds(None)


@given(st.text(max_size=60), st.sampled_from(["last week ", "2023 ", "May ", "Monday "]))
def test_any_text_is_read(text: str, cue: str) -> None:
    for period in periods.asked_about(cue + text, now=NOW):
        assert period.start <= period.end
