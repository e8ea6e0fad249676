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
_BACK = re.compile(
    r"(?P<number>\d{1,5}) ?(?P<unit>min|minutes?|h|hours?|d|days?|w|weeks?|m|mo|months?|y|years?)"
    r"(?: ago)?\Z"
)
_HOURS = {"mi": 1 / 60, "h": 1, "d": 24, "w": 168, "m": 730.5, "y": 8766}
_LETTER = re.compile(r"[a-z]")
_ISO_MONTH = re.compile(r"(?P<year>(?:19|20)\d\d)(?:-(?P<month>0[1-9]|1[0-2]))?\Z")


@dataclass(frozen=True, slots=True)
class Period:
    """An interval of time, both ends included, aware."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a time lies in it, or a day beside it."""
        return at is not None and self.start - _NEAR <= at <= self.end + _NEAR


def names_any(question: str) -> bool:
    """Whether a question names a time at all: to read which one takes long."""
    return _CUE.search(question) is not None


def asked_about(question: str, *, now: datetime) -> tuple[Period, ...]:
    """The periods that a question names, relative ones counted from `now`; mostly none.

    "May" and "on" alone are no dates: without a capital month, a year, a weekday or a word like
    "yesterday" nothing is parsed at all.
    """
    if not names_any(question):
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


def meant(text: str, *, now: datetime) -> Period | None:
    """The time that a person gave for a bound: `2w`, `yesterday`, `last monday`, `2026-06`, an ISO time.

    As wide as it was said, in the zone of `now`; None where it says no time.
    """
    told = " ".join(text.split()).casefold()
    back = _BACK.match(told)
    if back:
        unit = back["unit"]
        hours = _HOURS["mi" if unit.startswith("mi") else unit[0]]
        try:
            at = now - timedelta(hours=int(back["number"]) * hours)
        except OverflowError:
            return None
        return Period(at, at)
    whole = _ISO_MONTH.match(told)
    if whole:
        first = now.replace(
            year=int(whole["year"]), month=int(whole["month"] or 1), day=1,
            hour=0, minute=0, second=0, microsecond=0,
        )  # fmt: skip
        month = int(whole["month"] or 12)
        last = first.replace(month=month, day=monthrange(first.year, month)[1])
        return Period(first, _end(last))
    return _iso(text.strip(), now) or _calendar(told, now) or _said(told, now)


def _calendar(told: str, now: datetime) -> Period | None:
    """A week, month or year, `this` or `last`, as the calendar has it."""
    which, _, unit = told.partition(" ")
    back = {"this": 0, "last": 1, "past": 1}.get(which)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if back is None:
        return None
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return Period(monday, _end(monday + timedelta(days=6)))
    if unit == "month":
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        first = today.replace(year=year, month=month + 1, day=1)
        return Period(first, _end(first.replace(day=monthrange(year, month + 1)[1])))
    if unit == "year":
        first = today.replace(year=today.year - back, month=1, day=1)
        return Period(first, _end(first.replace(month=12, day=31)))
    return None


def _iso(text: str, now: datetime) -> Period | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    return Period(at, at) if ":" in text or "T" in text else Period(at, _end(at))


def _said(told: str, now: datetime) -> Period | None:
    """In words: a day as a whole, `now` and `an hour ago` as that moment."""
    if not _LETTER.search(told):
        return None
    from dateparser import parse  # 0.2 s: only where no number says it

    settings = {
        "RELATIVE_BASE": now.replace(tzinfo=None),
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "first",
    }
    # It reads "monday" as the last one, and "last monday" not at all.
    words = re.sub(r"\b(?:last|past|this) (?=\w+day\b)", "", told)
    at = parse(words, languages=["en"], settings=settings)
    if at is None:
        return None
    at = at.replace(tzinfo=now.tzinfo)
    if re.search(r"\bnow\b|\bhour|\bminute|\d:\d\d|\d ?[ap]m\b", words):
        return Period(at, at)
    if re.search(rf"\A(?:{_MONTHS})(?: \d{{4}})?\Z", words, re.IGNORECASE):
        first = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return Period(first, _end(first.replace(day=monthrange(at.year, at.month)[1])))
    return _period_of_day(at)


def _period_of_day(at: datetime) -> Period:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(day, _end(day))


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
    return _period_of_day(at)


def _end(day: datetime) -> datetime:
    return day + timedelta(days=1, microseconds=-1)
