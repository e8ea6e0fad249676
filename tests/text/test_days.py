"""Days: how long ago something was, as one says it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import days

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(hours=13), "yesterday"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=20), "2 weeks ago"),
        (timedelta(days=100), "3 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-2), "on 2026-11-25"),
    ],
)
def test_it_is_said_as_one_says_it(back: timedelta, said: str) -> None:
    assert days.ago(NOW - back, NOW) == said


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=20_000)))
def test_nothing_was_one_of_several_ago(back: timedelta) -> None:
    assert not days.ago(NOW - back, NOW).startswith(("1 weeks", "1 months", "1 years", "1 days"))
