"""Regrouping: sessions and memories of folders that turned out to be one project, under its name."""

from collections.abc import Mapping
from dataclasses import replace

import anyio.to_thread
from pydantic import JsonValue

from mcp_memory.domain import identities, projects
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.models import Memory
from mcp_memory.domain.spelling import spelled
from mcp_memory.history import writing
from mcp_memory.hooks import digesting
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import MemoryRow, SessionRow, Where
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.naming import project_folder

AT_ONCE = 50
"""Sessions of one change: each is rendered anew."""


async def merge(rooms: Rooms, project: str, into: str) -> int:
    """Count a project of the bank as another one from now on; how many sessions moved.

    Raises:
        InvalidInput: the bank has no such project, or several that the name may mean.
        Busy: another process is indexing.
    """
    target = await known(rooms, into)
    return await _named(rooms, rooms.identities().merged(await known(rooms, project), target))


async def rename(rooms: Rooms, project: str, name: str) -> int:
    """Give a project of the bank another name, such as the folder that it lies in now.

    Raises:
        InvalidInput: the bank has no such project, or several that the name may mean; or it has
            one of the new name, into which it would be merged.
        Busy: another process is indexing.
    """
    fresh = spelled(name)
    if not fresh or fresh in (projects.USER, projects.UNKNOWN, "*"):
        raise InvalidInput(f"{name!r} names no project.", next_step="Give a folder, or a name.")
    if fresh in await rooms.store.projects():
        raise InvalidInput(
            f"There is a project {fresh} already.", next_step="Use `merge` to make them one."
        )
    return await _named(rooms, rooms.identities().renamed(await known(rooms, project), fresh))


async def known(rooms: Rooms, asked: str) -> str:
    """The one project of the bank that a name means.

    Raises:
        InvalidInput: there is none, or there are several; they are named with their sizes.
    """
    sizes = await rooms.store.projects()
    found = projects.resolve(rooms.identities().asked(asked), sizes)
    if found is None:
        several = projects.ambiguity(asked, sizes)
        raise InvalidInput(
            several or f"The bank has no project {asked!r}.",
            next_step="`mcp-memory projects` shows them all.",
        )
    return found


async def _named(rooms: Rooms, told: Identities) -> int:
    # Written first: a kill between leaves names that the next indexing carries out.
    await anyio.to_thread.run_sync(identities.write, rooms.settings.home, told)
    return await settle(rooms, told)


async def settle(rooms: Rooms, known: Identities) -> int:
    """Bring every session and memory under the name that its project has; how many sessions moved."""
    names = [*await rooms.store.projects(), *await _remembered(rooms)]
    moves = {name: known.named(name) for name in names if known.named(name) != name}
    return await move(rooms, moves, op="projects") if moves else 0


async def move(rooms: Rooms, moves: Mapping[str, str], *, op: str) -> int:
    """Move all of some projects to others, as changes that can be undone; how many sessions moved.

    To be called while nobody else indexes.
    """
    rows = await rooms.store.sessions(projects=tuple(moves))
    for start in range(0, len(rows), AT_ONCE):
        part = {row.id: moves[row.project] for row in rows[start : start + AT_ONCE]}
        await place(rooms, part, op=op)
    await _remember(rooms, moves, op)
    touched = {*moves, *moves.values()}
    await writing.write_projects(rooms, touched)
    await writing.write_memories(rooms, touched)
    await digesting.renew(rooms)
    return len(rows)


async def place(rooms: Rooms, wanted: Mapping[str, str], *, op: str) -> None:
    """Put sessions under projects, each with its rows and files; one change."""
    rows = await rooms.store.sessions(ids=tuple(wanted))
    made = []
    for row in rows:
        there = _placed(row, wanted[row.id])
        made.append(await writing.rebuilt(rooms, there, indexing.hidden_of(row)))
    inverse: dict[str, JsonValue] = {
        "kind": "projects",
        "from": {row.id: row.project for row in rows},
    }
    async with rooms.store.change(
        op, refs=tuple(f"t:{row.id}" for row in rows), inverse=inverse
    ) as change:
        await writing.put(rooms, change, made)
    for row, one in zip(rows, made, strict=True):
        if row.folder != one.session.folder:
            await anyio.to_thread.run_sync(rooms.archive.remove_session, row.folder)


async def _remembered(rooms: Rooms) -> set[str]:
    return {row.project for row in await rooms.store.find("memories", Where(states=()))}


async def _remember(rooms: Rooms, moves: Mapping[str, str], op: str) -> None:
    """The memories of moved projects, in all their versions."""
    rows = await rooms.store.find("memories", Where(projects=tuple(moves), states=()))
    if not rows:
        return
    told = [_under(row, moves[row.project]) for row in rows]
    vectors = await rooms.vectors([retain.said(memory) for memory in told])
    fresh = [retain.row_of(memory, v) for memory, v in zip(told, vectors, strict=True)]
    named = tuple(dict.fromkeys(row.key for row in rows))
    async with rooms.store.change(op, refs=named, inverse={"kind": "none"}) as change:
        await change.add(memories=fresh)
        change.drop("memories", Where(keys=named, states=(), not_batches=(change.batch,)))


def _under(row: MemoryRow, project: str) -> Memory:
    return spans.memory_of(row).model_copy(update={"project": project})


def _placed(row: SessionRow, project: str) -> SessionRow:
    """The catalogue's row under another project: the session's own folder keeps its name."""
    name = row.folder.rpartition("/")[2]
    return replace(row, project=project, folder=f"{project_folder(project)}/{name}")
