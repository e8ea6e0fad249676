"""Validity: from when to when a memory holds, and what it was at a moment; pure."""

from datetime import datetime
from typing import Protocol

from mcp_memory.domain.models import Memory, State

ENDED, NOT_YET, UNTIL, LEARNED = "ended ", "not before ", "held until ", "learned "
"""How the flags begin that tell of a memory's times."""


def begins(memory: Memory) -> datetime:
    """From when it holds: as its writer said, else as its evidence shows it first, else as it was kept."""
    return memory.valid_from or memory.first_seen or memory.created_at


def ends(memory: Memory) -> datetime | None:
    """Until when: as its writer said, or as its successor began; None while nobody knows an end."""
    known = [at for at in (memory.valid_to, memory.rested_at) if at is not None]
    return min(known, default=None)


def is_newer(one: Memory, other: Memory) -> bool:
    """Whether one memory tells of a later time than another, where both are dated by what they tell.

    Else the one that was kept later: a belief of March that is kept in May is older than one of April.
    """
    mine, its = _tells_of(one), _tells_of(other)
    if mine is None or its is None or mine == its:
        mine, its = one.created_at, other.created_at
    return (mine, one.ref) > (its, other.ref)


def rests(older: Memory, newer: Memory) -> datetime:
    """From when an older memory holds no more that a newer one supersedes."""
    return max(begins(newer), older.last_seen or begins(older))


def tells_of(memory: Memory) -> datetime:
    """The time that it tells of, else when it was kept."""
    return _tells_of(memory) or memory.created_at


def _tells_of(memory: Memory) -> datetime | None:
    return memory.valid_from or memory.last_seen


def held(memory: Memory, at: datetime) -> bool:
    """Whether it held at a moment; what was forgotten never did."""
    if memory.state is State.FORGOTTEN or begins(memory) > at:
        return False
    end = ends(memory)
    # What an older version put to rest does not say when.
    known = end is not None or memory.state is State.LIVE
    return known and (end is None or at < end)


def as_of(memory: Memory, at: datetime) -> Memory | None:
    """The memory as it stood at a moment; None where it did not hold."""
    if not held(memory, at):
        return None
    return memory.model_copy(
        update={"state": State.LIVE, "superseded_by": None, "challenged_by": ()}
    )


def told_as_of(memory: Memory, at: datetime) -> tuple[str, ...]:
    """What is to be known of a memory as it stood at a moment: when that ended, and when it was kept."""
    end = ends(memory)
    ended = (f"{UNTIL}{day(end)}",) if end else ()
    return (*ended, f"{LEARNED}{day(memory.created_at)}") if memory.created_at > at else ended


def out_of_time(memory: Memory, now: datetime) -> str:
    """That a live memory's own time is over or has not come; empty where it holds."""
    if memory.valid_to is not None and memory.valid_to <= now:
        return f"{ENDED}{day(memory.valid_to)}"
    if memory.valid_from is not None and memory.valid_from > now:
        return f"{NOT_YET}{day(memory.valid_from)}"
    return ""


def timeless(memory: Memory) -> bool:
    """Whether it may be said at any later time without a look at the clock."""
    future = memory.valid_from is not None and memory.valid_from > memory.created_at
    return memory.valid_to is None and not future


class Spell(Protocol):
    """What says from when to when it holds, as far as it says so."""

    @property
    def valid_from(self) -> datetime | None:
        """From when."""
        ...

    @property
    def valid_to(self) -> datetime | None:
        """Until when."""
        ...


def apart(one: Spell, other: Spell) -> bool:
    """Whether two memories were never true together by what their writers said."""
    return any(
        a.valid_to is not None and b.valid_from is not None and a.valid_to <= b.valid_from
        for a, b in ((one, other), (other, one))
    )


def spell(memory: Memory) -> str:
    """From when to when a memory holds."""
    end = ends(memory)
    begin = day(begins(memory))
    return f"{begin} to {day(end)}" if end else f"since {begin}"


def day(at: datetime) -> str:
    """A moment as it is told."""
    return at.date().isoformat()
