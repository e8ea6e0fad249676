"""Archive: a folder a live session and no other, whole, with the indexes beside it."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory.archive.files import INDEXES, PROJECTS
from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.domain.models import State
from mcp_memory.domain.replacing import FRESH
from mcp_memory.history import writing
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import SessionRow
from mcp_memory.store.shelf import Shelf
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.naming import project_folder

_LOOKED_AT = ("prose.md", "SUMMARY.md", "steps.jsonl")
_LISTED = re.compile(r"^- [\d-]+ \| e:([0-9a-z]{12})\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is wrong in the archive."""

    damaged: list[str]
    """Sessions, by id, whose files are missing or not theirs."""
    strangers: list[str]
    """Folders of no live session."""
    unindexed: list[str]
    """Projects without all of their indexes."""
    links: list[Path]
    outdated: bool
    """Whether README or PROJECTS.md are not as this version writes them."""

    @property
    def nothing(self) -> bool:
        """Whether all is well."""
        return not (self.damaged or self.strangers or self.unindexed or self.links or self.outdated)


async def look(rooms: Rooms) -> list[Finding]:
    """Files of sessions, folders of none, indexes, and links, which nobody of us makes."""
    seen = await _seen(rooms)
    if seen.nothing:
        return [well("archive", "every live session has its files, every project its indexes")]
    sessions = [f"t:{id_}" for id_ in seen.damaged]
    found = {
        f"{counted(len(sessions), 'session')} without whole files: {named(sessions)}": sessions,
        f"{counted(len(seen.strangers), 'folder')} of no session: {named(seen.strangers)}": (
            seen.strangers
        ),
        f"{counted(len(seen.unindexed), 'project')} without indexes": seen.unindexed,
        f"{counted(len(seen.links), 'link')} in it": seen.links,
        "its README or list of projects is not this version's": seen.outdated,
    }
    return [ill("archive", what) for what, there in found.items() if there]


async def mend(rooms: Rooms) -> list[str]:
    """Remove what is no session's, and write what is missing from the store's own rows."""
    seen = await _seen(rooms)
    if seen.nothing:
        return []
    await anyio.to_thread.run_sync(_unlink, seen.links)
    for folder in seen.strangers:
        await anyio.to_thread.run_sync(rooms.archive.remove_session, folder)
    await writing.rerender(rooms, seen.damaged)
    await writing.write_projects(rooms, seen.unindexed)
    await anyio.to_thread.run_sync(rooms.archive.write_projects)
    await writing.write_memories(rooms)
    return ["what was missing or strange in the archive was made anew"]


async def _seen(rooms: Rooms) -> _Seen:
    rows = [r for r in await rooms.store.catalogue() if r.state == State.LIVE.value]
    return await anyio.to_thread.run_sync(_compared, rooms, rows)


def _compared(rooms: Rooms, rows: list[SessionRow]) -> _Seen:
    shelf = rooms.archive.shelf
    there = rooms.archive.folders()
    known = {row.folder for row in rows}
    projects = sorted({row.project for row in rows})
    live = {row.id for row in rows}
    listed = not rows or shelf.has(PROJECTS)
    root = rooms.archive.root
    return _Seen(
        damaged=[row.id for row in rows if not _whole(shelf, row.folder, row.steps)],
        strangers=sorted(there - known),
        unindexed=[p for p in projects if not _indexed(shelf, project_folder(p), live)],
        links=[place for place in root.rglob("*") if place.is_symlink()] if root else [],
        outdated=bool(rows) and not (listed and rooms.archive.is_current()),
    )


def _indexed(shelf: Shelf, folder: str, live: Collection[str]) -> bool:
    """Whether all indexes are there, and the first of them lists live sessions only."""
    if not all(shelf.has(f"{folder}/{name}") for name in INDEXES):
        return False
    told = _content(shelf, f"{folder}/{INDEXES[0]}").decode("utf-8", "replace")
    return set(_LISTED.findall(told)) <= set(live)


def _whole(shelf: Shelf, folder: str, steps: int) -> bool:
    """Whether a session's files are there, and line N is step N of as many as there are."""
    try:
        prose, *sized = (_content(shelf, f"{folder}/{name}") for name in _LOOKED_AT)
        numbers = _numbers(sized[-1].splitlines()) if all(sized) else []
    except (OSError, ValueError):
        return False
    del prose  # only that it is there
    return numbers == list(range(1, steps + 1))


def _content(shelf: Shelf, name: str) -> bytes:
    return b"".join(shelf.pieces(name))


def _numbers(lines: Iterable[bytes]) -> list[object]:
    told = (orjson.loads(line) for line in lines)
    return [each.get("step") if isinstance(each, dict) else None for each in told]


def _unlink(places: Iterable[Path]) -> None:
    for place in places:
        if not place.name.startswith(FRESH):
            place.unlink(missing_ok=True)
