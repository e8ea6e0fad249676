"""Periods: the times that a question asks about, as intervals; English expressions, read by dateparser."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
_CUE = re.compile(
    rf"\b(?:(?:{_MONTHS})\b|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|(?:19|20)\d\d\b"
    r"|(?i:yesterday|today|tonight|ago|(?:last|past|this) (?:night|week|month|year|morning|spring"
    r"|summer|autumn|fall|winter|\w+day)))"
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_MONTH = re.compile(rf"\b(?:{_MONTHS})\b", re.IGNORECASE)
_DAY = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)?\b")
_EDGES = re.compile(r" \((start|end)\)\Z")
_NEAR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """An interval of time, both ends included, aware."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a time lies in it, or a day beside it."""
        return at is not None and self.start - _NEAR <= at <= self.end + _NEAR


def asked_about(question: str, *, now: datetime) -> tuple[Period, ...]:
    """The periods that a question names, relative ones counted from `now`; mostly none.

    "May" and "on" alone are no dates: without a capital month, a year, a weekday or a word like
    "yesterday" nothing is parsed at all.
    """
    if not _CUE.search(question):
        return ()
    from dateparser.search import search_dates  # 0.2 s: only where a question names a time

    settings = {
        "RELATIVE_BASE": now.astimezone(UTC).replace(tzinfo=None),
        "PREFER_DATES_FROM": "past",
        "RETURN_TIME_SPAN": True,
    }
    found = search_dates(question, languages=["en"], settings=settings) or []
    told = [(text, at.replace(tzinfo=UTC)) for text, at in found if _CUE.search(text)]
    return (*_spans(told), *(_period(text, at) for text, at in told if not _EDGES.search(text)))


def _spans(told: list[tuple[str, datetime]]) -> list[Period]:
    """What the parser gave as a start and an end."""
    starts = [at for text, at in told if text.endswith("(start)")]
    ends = [at for text, at in told if text.endswith("(end)")]
    return [Period(start, end) for start, end in zip(starts, ends, strict=False)]


def _period(text: str, at: datetime) -> Period:
    """As wide as it was said: a day, a month or a year."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    year, month = _YEAR.search(text), _MONTH.search(text)
    numbered = _DAY.search(_YEAR.sub("", text))
    if month and not numbered:
        last = monthrange(day.year, day.month)[1]
        return Period(day.replace(day=1), _end(day.replace(day=last)))
    if year and not month:
        return Period(day.replace(month=1, day=1), _end(day.replace(month=12, day=31)))
    return Period(day, _end(day))


def _end(day: datetime) -> datetime:
    return day + timedelta(days=1, microseconds=-1)
