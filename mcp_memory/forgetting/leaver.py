"""Leaver: what a bank holds of somebody whose tokens are revoked, to be kept, weakened or forgotten."""

from collections.abc import Collection
from dataclasses import dataclass

from mcp_memory.domain.models import Memory, Standing, State
from mcp_memory.forgetting import standing
from mcp_memory.history import wire
from mcp_memory.memories import promotion
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.text.counting import counted

_WRITES = frozenset({"retain", "consolidate", promotion.PROPOSE})
_DECIDES = frozenset({promotion.APPROVE, promotion.DECLINE})


@dataclass(frozen=True, slots=True)
class Left:
    """What is there of one person's, by refs; what was forgotten or purged since is not told."""

    sessions: tuple[str, ...] = ()
    """Sessions that they pushed."""
    memories: tuple[str, ...] = ()
    """Memories that they kept or proposed."""
    standing: int = 0
    """How many of these memories stand."""
    waiting: int = 0
    """How many wait for a decision."""
    decided: tuple[str, ...] = ()
    """Others' proposals that they approved or declined: these stay as they are."""

    @property
    def refs(self) -> tuple[str, ...]:
        """All that is theirs."""
        return (*self.sessions, *self.memories)

    @property
    def told(self) -> str:
        """One line of it."""
        memories = counted(len(self.memories), "memory", "memories")
        return (
            f"{counted(len(self.sessions), 'session')}, {memories} ({self.standing} established, "
            f"{self.waiting} waiting), {len(self.decided)} decided of others'"
        )


async def left(rooms: Rooms, callers: Collection[str]) -> Left:
    """What these callers brought, wrote and decided, as it is now."""
    sessions = []
    for row in await rooms.store.catalogue():
        source = wire.source_of(row.source_path)
        if source and source[0] in callers and row.state == State.LIVE.value:
            sessions.append(f"t:{row.id}")
    known = await standing.ledger(rooms)
    written: dict[str, None] = {}
    decided: dict[str, None] = {}
    for name, entry in known.batches.items():
        if entry.actor in callers and known.holds(name):
            into = written if entry.op in _WRITES else decided if entry.op in _DECIDES else {}
            into.update(dict.fromkeys(ref for ref in entry.refs if ref.startswith("m:")))
    memories = await _live(rooms, tuple(written))
    return Left(
        sessions=tuple(sorted(sessions)),
        memories=tuple(one.ref for one in memories),
        standing=sum(one.standing is Standing.ESTABLISHED for one in memories),
        waiting=sum(promotion.waits(one) for one in memories),
        decided=tuple(decided),
    )


async def _live(rooms: Rooms, refs: tuple[str, ...]) -> list[Memory]:
    found = await spans.memory_rows(rooms, refs) if refs else {}
    newest = (spans.memory_of(rows[-1]) for rows in found.values())
    return [one for one in newest if one.state is State.LIVE]
