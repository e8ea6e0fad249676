"""Days: how long ago something was, as one says it."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_WEEK, _MONTH, _YEAR = 14, 61, 730
"""From so many days on they are told as weeks, months and years."""


def ago(at: datetime, now: datetime) -> str:
    """`just now`, `5 hours ago`, `yesterday`, `3 weeks ago`; days are those of `now`'s own zone."""
    seconds = (now - at).total_seconds()
    days = (now.date() - at.astimezone(now.tzinfo).date()).days
    if days < 0:
        return f"on {at.astimezone(now.tzinfo).date().isoformat()}"
    if days == 0:
        return _today(max(0.0, seconds))
    if days == 1:
        return "yesterday"
    for least, size, noun in ((_YEAR, 365, "year"), (_MONTH, 30, "month"), (_WEEK, 7, "week")):
        if days >= least:
            return f"{days // size} {noun}s ago"
    return f"{days} days ago"


def _today(seconds: float) -> str:
    if seconds < _MINUTE:
        return "just now"
    number, noun = (
        (int(seconds // _MINUTE), "minute") if seconds < _HOUR else (int(seconds // _HOUR), "hour")
    )
    return f"{number} {noun}{'s' * (number != 1)} ago"
