"""Freshness: whether what memories and hits name still is as it was; asked of the disk when they are read."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial

import anyio.to_thread
import orjson

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import Frozen, Memory, State
from mcp_memory.memories import grounds, looking, tree
from mcp_memory.memories.grounds import Ground
from mcp_memory.memories.looking import Looked
from mcp_memory.memories.repository import Deadline
from mcp_memory.memories.tree import Tree
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import Where
from mcp_memory.trajectories.naming import one_line

MOST_OF_HIT, MOST_STAMPED = 4, 20
BYTES_PER_TOKEN = 4


class Stale(Frozen):
    """A live memory of which something that it names is gone or changed."""

    ref: str
    title: str
    project: str
    told: tuple[str, ...]


async def of_memories(
    rooms: Rooms, memories: Sequence[Memory], *, seconds: float = looking.THOROUGH
) -> Mapping[str, tuple[Looked, ...]]:
    """To each memory, by its ref, how the things are that it names; nothing where no folder is here."""
    if not memories or not rooms.settings.local_paths:
        return {}
    roots = {memory.project: places(rooms, memory.project) for memory in memories}
    return await anyio.to_thread.run_sync(partial(_of_memories, memories, roots, seconds))


async def marked(rooms: Rooms, query: Query, result: SearchResult) -> SearchResult:
    """The answer of a search, its hits marked with the files that are gone or, of memories, changed.

    Only as far as the answer's budget has room; what cannot be told in a moment is not.
    """
    if not result.hits or not rooms.settings.local_paths:
        return result
    asked = query.project or rooms.project
    folders = places(rooms, rooms.identities().asked(asked))
    if not any(map(os.path.isabs, folders)):
        return result  # a name alone, or all projects: no folder to look into
    keys = [hit.ref for hit in result.hits if hit.ref.startswith("m:")]
    rows = await spans.memory_rows(rooms, keys) if keys else {}
    memories = {key: spans.memory_of(versions[-1]) for key, versions in rows.items()}
    told = await anyio.to_thread.run_sync(partial(_of_hits, result.hits, memories, folders))
    room = (query.budget_tokens or rooms.settings.search_tokens) * BYTES_PER_TOKEN
    left = room - len(orjson.dumps(result.model_dump(mode="json", exclude_defaults=True)))
    hits = []
    for hit in result.hits:
        later = tuple(map(str, told.get(hit.ref, ())))[:MOST_OF_HIT]
        cost = sum(len(one) + 16 for one in later)
        fits = bool(later) and cost <= left
        left -= cost if fits else 0
        hits.append(hit.model_copy(update={"later": (*hit.later, *later)}) if fits else hit)
    return result.model_copy(update={"hits": tuple(hits)})


async def stamps(rooms: Rooms, files: Iterable[str], project: str) -> dict[str, str]:
    """To each of a memory's files the hash that it has now, by which a change will be known."""
    if not rooms.settings.local_paths or not (folders := places(rooms, project)):
        return {}
    named = grounds.of("", files, roots=folders, most=MOST_STAMPED)
    return await anyio.to_thread.run_sync(partial(_stamps, named, folders)) if named else {}


async def stale(rooms: Rooms, *, projects: Sequence[str] = ()) -> list[Stale]:
    """The live memories that something speaks against which they name, the gone before the changed."""
    rows = await rooms.store.find("memories", Where(projects=tuple(projects), states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    live = [spans.memory_of(row) for row in newest.values() if row.state == State.LIVE.value]
    looked = await of_memories(rooms, live, seconds=looking.THOROUGH * 10)
    told = {memory.ref: memory for memory in live}
    found = [
        (ref, [one for one in each if one.state in ("gone", "changed")])
        for ref, each in looked.items()
    ]
    found.sort(key=lambda item: (not any(one.state == "gone" for one in item[1]), item[0]))
    return [
        Stale(
            ref=ref,
            title=told[ref].title or one_line(told[ref].text, 80),
            project=told[ref].project,
            told=tuple(map(str, bad)),
        )
        for ref, bad in found
        if bad
    ]


def places(rooms: Rooms, project: str) -> tuple[str, ...]:
    """The folders that are one project, the one it is named after first."""
    known = rooms.identities().names
    return tuple(dict.fromkeys((project, *(key for key, name in known.items() if name == project))))


def tree_of(folders: Iterable[str]) -> Tree | None:
    """The first of a project's folders that is on this machine; blocking."""
    return next((found for folder in folders if (found := tree.of(folder)) is not None), None)


def _of_memories(
    memories: Sequence[Memory], roots: Mapping[str, tuple[str, ...]], seconds: float
) -> dict[str, tuple[Looked, ...]]:
    trees = {project: tree_of(folders) for project, folders in roots.items()}
    deadline = Deadline(seconds)
    told = {}
    for memory in memories:
        found = trees[memory.project]
        if found is not None:
            told[memory.ref] = _of_memory(found, memory, roots[memory.project], deadline)
    return told


def _of_memory(
    found: Tree, memory: Memory, roots: Sequence[str], deadline: Deadline
) -> tuple[Looked, ...]:
    text = f"{memory.title}\n{memory.text}\n{memory.when_to_use}"
    named = [
        one._replace(sure=one.name in memory.seen)
        for one in grounds.of(text, memory.files, roots=roots)
    ]
    return looking.look(found, named, memory.created_at, deadline, seen=memory.seen)


def _of_hits(
    hits: Sequence[Hit], memories: Mapping[str, Memory], folders: Sequence[str]
) -> dict[str, list[Looked]]:
    found = tree_of(folders)
    if found is None:
        return {}
    deadline = Deadline(looking.QUICK)
    told: dict[str, list[Looked]] = {}
    for hit in hits:
        memory = memories.get(hit.ref)
        if memory is not None:
            looked = _of_memory(found, memory, folders, deadline)
            told[hit.ref] = [one for one in looked if one.state in ("gone", "changed")]
        elif not hit.project:
            # Most files change after they are spoken of: of what happened only what is gone is told.
            looked = looking.look(found, _named(hit, folders), _day(hit), deadline)
            told[hit.ref] = [one for one in looked if one.state == "gone"]
    return told


def _named(hit: Hit, folders: Sequence[str]) -> list[Ground]:
    named = grounds.of(hit.text, roots=folders, most=MOST_OF_HIT)
    return [one for one in named if one.kind == "file"]


def _day(hit: Hit) -> datetime | None:
    return datetime.combine(hit.at, time.max, UTC) if hit.at else None


def _stamps(named: Sequence[Ground], folders: Sequence[str]) -> dict[str, str]:
    found = tree_of(folders)
    if found is None:
        return {}
    lying = ((one.name, found.at(one.name)) for one in named)
    hashes = ((name, found.hash_of(there)) for name, there in lying if there is not None)
    return {name: hashed for name, hashed in hashes if hashed}
