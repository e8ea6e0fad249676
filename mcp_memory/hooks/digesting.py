"""digesting: the ready files that hooks read, made from the store after every change."""

import logging
from collections.abc import Iterable, Sequence

import anyio.to_thread

from mcp_memory.domain import projects, refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import Memory, State
from mcp_memory.hooks import briefing, digests, ready, session
from mcp_memory.hooks.digests import Sessions
from mcp_memory.memories import recent
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.store.locking import elected
from mcp_memory.store.rows import SessionRow, Where
from mcp_memory.trajectories.entries import Entry

logger = logging.getLogger(__name__)

LOCK = "ready.lock"
LEFT_TOKENS = 3_000
"""Room in which each of the newest sessions is told at a length that can be cut."""


async def renew(rooms: Rooms, wanted: Iterable[str] | None = None) -> None:
    """`refresh` after a change that is done: what stands in its way is logged and mended later."""
    try:
        await refresh(rooms, wanted)
    except (MemoryBankError, OSError) as error:
        logger.warning("what hooks say is not up to date: %s", error)


async def refresh(rooms: Rooms, wanted: Iterable[str] | None = None) -> None:
    """Make the ready files of these projects anew, or of all; one that would say nothing goes.

    Processes take turns from reading to writing: none puts back what another has taken away.

    Raises:
        Busy: another process does not come to its end.
        OSError: a file cannot be written.
    """
    lock = rooms.settings.locks_dir / LOCK
    async with elected(lock, seconds=rooms.settings.busy_seconds, work="making digests"):
        memories = await _newest(rooms)
        every = {
            *await rooms.store.projects(),
            *(memory.project for memory in memories),
            projects.USER,
        }
        chosen = every if wanted is None else set(wanted)
        if projects.USER in chosen:
            chosen = every
        async for told in rooms.store.entered(chosen):
            for project, rows in told.items():
                await _make(rooms, project, rows, memories)
        names = frozenset(ready.file_of(rooms.settings.home, one).name for one in every)
        await anyio.to_thread.run_sync(ready.prune, rooms.settings.home, names)
        await anyio.to_thread.run_sync(ready.made, rooms.settings.home)
        await anyio.to_thread.run_sync(session.prune, rooms.settings.home)


async def repair(rooms: Rooms) -> None:
    """Make the ready files where there are none, or older ones: of an older bank, or after a kill."""
    if await anyio.to_thread.run_sync(ready.current, rooms.settings.home):
        return
    if await rooms.store.holds("sessions") or await rooms.store.holds("memories"):
        await renew(rooms)


async def hold(rooms: Rooms, cited: Iterable[str]) -> bool:
    """Whether all of these may still be told: memories that stand, sessions that are live."""
    try:
        named = [refs.parse(text) for text in cited]
    except InvalidInput:
        return False
    keys = {str(ref) for ref in named if ref.kind == "memory"}
    found = await spans.memory_rows(rooms, tuple(keys)) if keys else {}
    trusting = rooms.trusting()
    newest = (spans.memory_of(rows[-1]) for rows in found.values())
    standing = {
        one.ref
        for one in newest
        if digests.stands(one) and not withholding.of_memory(one, trusting)
    }
    sessions = {ref.id for ref in named if ref.kind != "memory"}
    rows = await rooms.store.sessions(ids=tuple(sessions)) if sessions else []
    live = {
        row.id
        for row in rows
        if row.state == State.LIVE.value and not trusting.distrusts((f"t:{row.id}",))
    }
    return standing == keys and live == sessions


async def _make(
    rooms: Rooms, project: str, rows: Sequence[SessionRow], memories: Iterable[Memory]
) -> None:
    its = [one for one in memories if one.project in {project, projects.USER}]
    sessions = Sessions(
        entries=[Entry.model_validate_json(row.entry) for row in rows if row.entry],
        left=await _left(rooms, project, rows),
        own={f"t:{row.id}": ready.short(row.native_id) for row in rows},
        last=max((int(at.timestamp()) for row in rows if (at := row.ended_at)), default=0),
    )
    made = digests.assemble(project, its, sessions, rooms.trusting())
    await anyio.to_thread.run_sync(ready.write, rooms.settings.home, made)


async def _left(rooms: Rooms, project: str, rows: Sequence[SessionRow]) -> Sequence[LeftOff]:
    """The newest sessions of a project as they were left; one or two of them may tell nothing."""
    if not rows or project in {projects.USER, projects.UNKNOWN}:
        return ()
    query = Query(project=project, limit=briefing.SESSIONS + 2, budget_tokens=LEFT_TOKENS)
    return (await recent.left_off(rooms, rows, query)).sessions


async def _newest(rooms: Rooms) -> list[Memory]:
    rows = await rooms.store.find("memories", Where(states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    return [spans.memory_of(row) for row in newest.values()]
