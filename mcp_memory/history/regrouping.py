"""Regrouping: sessions and memories of folders that turned out to be one project, under its name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple
from uuid import uuid4

import anyio.to_thread
import orjson
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
from mcp_memory.store.rows import LedgerRow, MemoryRow, SessionRow, Where
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.naming import project_folder

AT_ONCE = 50
"""Sessions of one change: each is rendered anew."""


class Moved(NamedTuple):
    """What came under another name."""

    sessions: int = 0
    projects: frozenset[str] = frozenset()
    """From which or to which anything was moved."""


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
    former = rooms.identities()
    await anyio.to_thread.run_sync(identities.write, rooms.settings.home, told)
    moved = await settle(rooms, told, former=former)
    await tell(rooms, moved)
    return moved.sessions


async def settle(rooms: Rooms, known: Identities, *, former: Identities | None = None) -> Moved:
    """Bring every session and memory under the name that its project has, by changes to be undone.

    The files of the projects are left to `tell`. `former`: what was known of names before, where
    undoing this is to bring that back, too. To be called while nobody else indexes.
    """
    names = [*await rooms.store.projects(), *await _remembered(rooms)]
    moves = {name: known.named(name) for name in names if known.named(name) != name}
    if not moves:
        return Moved()
    rows = await rooms.store.sessions(projects=tuple(moves))
    kept = await rooms.store.find("memories", Where(projects=tuple(moves), states=()))
    sessions = {row.id: moves[row.project] for row in rows}
    memories = {row.key: moves[row.project] for row in kept}
    named = known.unlike(former) if former else {}
    return await _carry(rooms, sessions, memories, op="projects", told=named)


async def tell(rooms: Rooms, moved: Moved) -> None:
    """Bring the files of projects that something was moved from or to in line with the store."""
    if moved.projects:
        await writing.write_projects(rooms, moved.projects)
        await writing.write_memories(rooms, moved.projects)
        await digesting.renew(rooms, moved.projects)


async def _carry(
    rooms: Rooms,
    sessions: Mapping[str, str],
    memories: Mapping[str, str],
    *,
    op: str,
    told: Mapping[str, JsonValue],
) -> Moved:
    """Put sessions and memories under projects: several changes, of which each names the group.

    `told` goes into the inverse of each.
    """
    group: dict[str, JsonValue] = {"kind": "projects", "group": uuid4().hex, **told}
    ids = sorted(sessions)
    touched = {*sessions.values(), *memories.values()}
    touched |= {row.project for row in await rooms.store.sessions(ids=ids)} if ids else set()
    for start in range(0, len(ids), AT_ONCE):
        part = {id_: sessions[id_] for id_ in ids[start : start + AT_ONCE]}
        await _place(rooms, part, op=op, inverse=group)
    touched |= await _remember(rooms, memories, op=op, inverse=group)
    return Moved(len(ids), frozenset(touched))


async def taken_back(rooms: Rooms, entry: LedgerRow) -> None:
    """Put back what a regrouping moved, and the names that it gave, all of it in whatever change.

    What came into the bank since stays where it came. A kill leaves the rest to the next call.
    """
    told = orjson.loads(entry.inverse)
    rows = [entry]
    if group := told.get("group"):
        every = await rooms.store.ledger(op=entry.op)
        rows = [row for row in every if orjson.loads(row.inverse).get("group") == group]
    inverses = [orjson.loads(row.inverse) for row in rows]
    sessions = {id_: was for one in inverses for id_, was in one.get("from", {}).items()}
    memories = {key: was for one in inverses for key, was in one.get("memories", {}).items()}
    former = rooms.identities()
    names, remotes = told.get("names", {}), told.get("remotes", {})
    known = former.again(names, remotes)
    await anyio.to_thread.run_sync(identities.write, rooms.settings.home, known)
    undoes: dict[str, JsonValue] = {"undoes": entry.batch, **known.unlike(former)}
    await tell(rooms, await _carry(rooms, sessions, memories, op="undo", told=undoes))


async def _place(
    rooms: Rooms, wanted: Mapping[str, str], *, op: str, inverse: Mapping[str, JsonValue]
) -> None:
    """Put sessions under projects, each with its rows and files; one change."""
    rows = await rooms.store.sessions(ids=tuple(wanted))
    made = []
    for row in rows:
        there = _placed(row, wanted[row.id])
        made.append(await writing.rebuilt(rooms, there, indexing.hidden_of(row)))
    back: dict[str, JsonValue] = {"from": {row.id: row.project for row in rows}}
    named = tuple(f"t:{row.id}" for row in rows)
    async with rooms.store.change(op, refs=named, inverse={**inverse, **back}) as change:
        await writing.put(rooms, change, made)
    for row, one in zip(rows, made, strict=True):
        if row.folder != one.session.folder:
            await anyio.to_thread.run_sync(rooms.archive.remove_session, row.folder)


async def _remembered(rooms: Rooms) -> set[str]:
    return {row.project for row in await rooms.store.find("memories", Where(states=()))}


async def _remember(
    rooms: Rooms, wanted: Mapping[str, str], *, op: str, inverse: Mapping[str, JsonValue]
) -> set[str]:
    """Put memories under projects, in all their versions; one change. The projects they were in."""
    rows = await spans.memory_rows(rooms, tuple(wanted)) if wanted else {}
    versions = [row for every in rows.values() for row in every]
    if not versions:
        return set()
    told = [_under(row, wanted[row.key]) for row in versions]
    vectors = await rooms.vectors([retain.said(memory) for memory in told])
    fresh = [retain.row_of(memory, v) for memory, v in zip(told, vectors, strict=True)]
    named = tuple(rows)
    back: dict[str, JsonValue] = {"memories": {key: rows[key][-1].project for key in named}}
    async with rooms.store.change(op, refs=named, inverse={**inverse, **back}) as change:
        await change.add(memories=fresh)
        change.drop("memories", Where(keys=named, states=(), not_batches=(change.batch,)))
    return {row.project for row in versions}


def _under(row: MemoryRow, project: str) -> Memory:
    return spans.memory_of(row).model_copy(update={"project": project})


def _placed(row: SessionRow, project: str) -> SessionRow:
    """The catalogue's row under another project: the session's own folder keeps its name."""
    name = row.folder.rpartition("/")[2]
    return replace(row, project=project, folder=f"{project_folder(project)}/{name}")
