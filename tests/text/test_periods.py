"""Periods of a question: as wide as they were said, none where no time is named."""

from datetime import UTC, datetime, timedelta, timezone

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


BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2w", "2026-11-09T13:00", "2026-11-09T13:00"),
        ("3 days ago", "2026-11-20T13:00", "2026-11-20T13:00"),
        ("30min", "2026-11-23T12:30", "2026-11-23T12:30"),
        ("yesterday", "2026-11-22T00:00", "2026-11-22T23:59"),
        ("last monday", "2026-11-16T00:00", "2026-11-16T23:59"),
        ("last week", "2026-11-16T00:00", "2026-11-22T23:59"),
        ("this week", "2026-11-23T00:00", "2026-11-29T23:59"),
        ("last month", "2026-10-01T00:00", "2026-10-31T23:59"),
        ("last year", "2025-01-01T00:00", "2025-12-31T23:59"),
        ("2026-06", "2026-06-01T00:00", "2026-06-30T23:59"),
        ("2026", "2026-01-01T00:00", "2026-12-31T23:59"),
        ("2026-06-12", "2026-06-12T00:00", "2026-06-12T23:59"),
        ("2026-06-12T10:00", "2026-06-12T10:00", "2026-06-12T10:00"),
        ("2026-06-12 10:00", "2026-06-12T10:00", "2026-06-12T10:00"),
        ("June", "2026-06-01T00:00", "2026-06-30T23:59"),
        ("12 June", "2026-06-12T00:00", "2026-06-12T23:59"),
    ],
)
def test_a_bound_is_meant_as_it_was_written(said: str, start: str, end: str) -> None:
    found = periods.meant(said, now=NOW.astimezone(BERLIN))
    assert found is not None
    shown = [f"{at.astimezone(BERLIN):%Y-%m-%dT%H:%M}" for at in (found.start, found.end)]
    assert shown == [start, end]


@pytest.mark.parametrize("said", ["", "the flood", "soon", "99999999y", "2026-13", "--"])
def test_what_is_no_time_is_none(said: str) -> None:
    assert periods.meant(said, now=NOW) is None


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_time_or_none(said: str) -> None:
    found = periods.meant(said, now=NOW)
    assert found is None or found.start <= found.end
