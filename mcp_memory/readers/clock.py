"""Clock: what transcripts call a time, as an aware UTC datetime."""

from dataclasses import dataclass
from datetime import UTC, datetime

_LONGEST = 40
_MILLISECONDS, _MICROSECONDS = 1e11, 1e14


@dataclass(slots=True)
class Lifetime:
    """The earliest and the latest of the times that a session tells."""

    begun: datetime | None = None
    ended: datetime | None = None

    def note(self, at: datetime | None) -> None:
        """A time that it tells."""
        if at is not None:
            self.begun = min(self.begun or at, at)
            self.ended = max(self.ended or at, at)


def moment(value: object) -> datetime | None:
    """A time from ISO 8601 text (no zone: UTC) or a Unix number in s, ms or µs; else None."""
    try:
        if isinstance(value, str) and len(value) <= _LONGEST:
            found = datetime.fromisoformat(value.strip())
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(_seconds(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _seconds(value: float) -> float:
    if abs(value) > _MICROSECONDS:
        return value / 1e6
    return value / 1e3 if abs(value) > _MILLISECONDS else value
