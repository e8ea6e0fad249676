"""Remaking: what is derived made anew from the store: files, indexes, vectors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import anyio.to_thread

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import State
from mcp_memory.embedding.embedder import Embedder, Vector, succeeds
from mcp_memory.history import writing
from mcp_memory.hooks import digesting
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.store.vectors import Revised
from mcp_memory.trajectories import evidence

_AT_ONCE = 2_000
"""Rows whose vectors are made anew together: all of 100,000 took 2.5 GB."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Who makes vectors of texts, in their order, and of how many rows at a time."""

    embed: Callable[[Sequence[str]], Awaitable[list[Vector]]]
    rows: int = _AT_ONCE


async def rebuild(rooms: Rooms) -> int:
    """Write every session's files and every index anew; files of no session go."""
    rows = await rooms.store.sessions()
    live = {row.folder for row in rows if row.state == State.LIVE.value}
    for folder in await anyio.to_thread.run_sync(rooms.archive.folders) - live:
        await anyio.to_thread.run_sync(rooms.archive.remove_session, folder)
    await writing.rerender(rooms, [row.id for row in rows])
    await digesting.renew(rooms)
    await rooms.store.maintain(force=True)
    return len(live)


async def derived(rooms: Rooms) -> None:
    """What files and hooks say of memories, made anew: after a restore they may be of another moment."""
    await writing.write_memories(rooms)
    await digesting.renew(rooms)


async def reembed(rooms: Rooms, elsewhere: Elsewhere | None = None) -> int:
    """Make all vectors anew; searches go on by words meanwhile.

    `elsewhere`: who makes those of evidence, instead of this process.

    Raises:
        InvalidInput: no embedding model is configured.
    """
    if rooms.embedder is None:
        raise InvalidInput(
            "No embedding model is configured.", next_step="Set MCP_MEMORY_EMBEDDING_MODEL."
        )
    model = rooms.embedder
    parts = _anew(rooms, model, elsewhere or Elsewhere(model.embed))
    return await rooms.store.replace_vectors(parts, model=model.name, dim=model.dim)


async def _anew(rooms: Rooms, model: Embedder, maker: Elsewhere) -> AsyncIterator[Revised]:
    """All rows with their vectors made anew, so many at a time that they fit into memory."""
    async for rows in _evidence(rooms, maker.rows):
        texts = [evidence.embedded_text(row) for row in rows]
        made = await maker.embed([text or "-" for text in texts])
        yield (
            "evidence",
            [
                replace(row, vector=vector if text else None)
                for row, text, vector in zip(rows, texts, made, strict=True)
            ],
        )
    kept = await rooms.store.find("memories", Where(states=()))
    said = await model.embed([retain.searched(spans.memory_of(row)) for row in kept])
    if kept:
        yield "memories", [replace(row, vector=one) for row, one in zip(kept, said, strict=True)]


async def _evidence(rooms: Rooms, at_once: int) -> AsyncIterator[list[EvidenceRow]]:
    """Every row of evidence, by sessions, about so many at a time."""
    sizes = await rooms.store.survey.owners()
    group: list[str] = []
    for owner in sorted(sizes):
        group.append(owner)
        if sum(sizes[each] for each in group) >= at_once:
            yield await rooms.store.find("evidence", Where(trajectories=tuple(group), states=()))
            group = []
    if group:
        yield await rooms.store.find("evidence", Where(trajectories=tuple(group), states=()))


async def move_over(rooms: Rooms) -> int:
    """Vectors of an older version of the bundled model made anew; how many, 0 where all is well.

    Of any other model they wait for `doctor --reembed`: two programs with two settings would
    make them anew in turns.
    """
    if rooms.embedder is None or rooms.store.vectors_ready:
        return 0
    if not succeeds(rooms.embedder.name, rooms.store.model):
        return 0
    return await reembed(rooms)
