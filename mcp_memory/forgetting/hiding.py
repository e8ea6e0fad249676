"""Hiding: sessions and steps out of the answers and back again, with the memories that go along."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.models import Frozen, State
from mcp_memory.history import writing
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.store.changes import Change
from mcp_memory.store.rows import MemoryRow, Where
from mcp_memory.trajectories import evidence, indexing


class Hidden(Frozen):
    """Whole sessions, and steps of sessions that stay, by trajectory id."""

    sessions: tuple[str, ...] = ()
    steps: Mapping[str, tuple[int, ...]] = {}

    @property
    def refs(self) -> tuple[str, ...]:
        """Their refs in a stable order."""
        steps = (refs.span(t, number) for t in sorted(self.steps) for number in self.steps[t])
        return (*(f"t:{one}" for one in sorted(self.sessions)), *steps)


async def mark(
    rooms: Rooms,
    op: str,
    hidden: Hidden,
    *,
    to: State,
    memories: Sequence[MemoryRow] = (),
    undoes: str = "",
) -> str:
    """Give sessions and steps a state, and memories their next versions, as one batch.

    `undoes`: the batch that this one takes back.
    """
    back = State.FORGOTTEN if to is State.LIVE else State.LIVE
    inverse: dict[str, JsonValue] = {
        "kind": "states",
        "hidden": hidden.model_dump(mode="json"),
        "to": back.value,
        **({"undoes": undoes} if undoes else {}),
    }
    keys = tuple(dict.fromkeys(row.key for row in memories))
    async with rooms.store.change(op, refs=(*hidden.refs, *keys), inverse=inverse) as change:
        await _steps(rooms, change, hidden, to)
        await change.add(memories=[retain.in_batch(row, change.batch) for row in memories])
        for session in hidden.sessions:
            change.set_state("sessions", Where(keys=(session,), states=()), to.value)
            change.set_state("evidence", Where(trajectories=(session,), states=()), to.value)
    if hidden.sessions or hidden.steps:
        await writing.rerender(rooms, (*hidden.sessions, *hidden.steps))
    return change.batch


async def _steps(rooms: Rooms, change: Change, hidden: Hidden, to: State) -> None:
    """Sessions of which single steps change are written anew, their other rows untouched."""
    if not hidden.steps:
        return
    prepared = []
    for row in await rooms.store.sessions(ids=tuple(hidden.steps)):
        known = indexing.hidden_of(row)
        for number in hidden.steps[row.id]:
            if to is State.LIVE and known.get(number) != evidence.PURGED:
                known.pop(number, None)
            elif to is not State.LIVE:
                known.setdefault(number, to.value)
        prepared.append(await writing.rebuilt(rooms, row, known))
    await writing.put(rooms, change, prepared)
