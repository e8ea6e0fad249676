"""Archive: a folder a live session and no other, whole, with the indexes beside it."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory.archive.files import INDEXES, PROJECTS, SESSION_FILES
from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.domain.models import State
from mcp_memory.domain.replacing import FRESH
from mcp_memory.history import writing
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import SessionRow
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.naming import project_folder

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
    root = rooms.archive.root
    there = rooms.archive.folders()
    known = {row.folder for row in rows}
    projects = sorted({row.project for row in rows})
    live = {row.id for row in rows}
    listed = not rows or (root / PROJECTS).is_file()
    return _Seen(
        damaged=[row.id for row in rows if not _whole(root / row.folder, row.steps)],
        strangers=sorted(there - known),
        unindexed=[p for p in projects if not _indexed(root / project_folder(p), live)],
        links=[place for place in root.rglob("*") if place.is_symlink()],
        outdated=bool(rows) and not (listed and rooms.archive.is_current()),
    )


def _indexed(place: Path, live: Collection[str]) -> bool:
    """Whether all indexes are there, and the first of them lists live sessions only."""
    if not all((place / name).is_file() for name in INDEXES):
        return False
    return set(_LISTED.findall((place / INDEXES[0]).read_text("utf-8", "replace"))) <= set(live)


def _whole(place: Path, steps: int) -> bool:
    """Whether a session's files are there, and line N is step N of as many as there are."""
    try:
        sized = all((place / name).stat().st_size for name in SESSION_FILES if name != "prose.md")
        with (place / "steps.jsonl").open("rb") as lines:
            numbers = _numbers(lines) if sized else []
    except (OSError, ValueError):
        return False
    return (place / "prose.md").is_file() and numbers == list(range(1, steps + 1))


def _numbers(lines: Iterable[bytes]) -> list[object]:
    told = (orjson.loads(line) for line in lines)
    return [each.get("step") if isinstance(each, dict) else None for each in told]


def _unlink(places: Iterable[Path]) -> None:
    for place in places:
        if not place.name.startswith(FRESH):
            place.unlink(missing_ok=True)
