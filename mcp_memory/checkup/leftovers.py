"""Leftovers: files that a kill, a full disk or an older version left, and papers that cannot be read."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.domain import identities
from mcp_memory.domain.replacing import FRESH
from mcp_memory.history.stamps import STAMPS
from mcp_memory.hooks import digesting, spool
from mcp_memory.rooms import Rooms
from mcp_memory.store.locking import locks_of_the_dead
from mcp_memory.text.counting import counted

SETTLED_SECONDS = 600.0
"""A half-written file so old was left by a kill; a younger one may be another process at work."""


async def look(rooms: Rooms) -> list[Finding]:
    """Files that nothing names, half-written ones, locks of the dead, and damaged papers."""
    unnamed = await rooms.store.survey.unnamed()
    left = await anyio.to_thread.run_sync(_left, rooms)
    damaged = await anyio.to_thread.run_sync(_damaged, rooms)
    return [
        _told("data file", "that no version names", unnamed),
        _told("file", "that a kill left", left),
        _told("paper", "that cannot be read", damaged),
    ]


async def mend(rooms: Rooms) -> list[str]:
    """Remove them: each is derived, or half of what was never acknowledged."""
    unnamed = await rooms.store.survey.unnamed()
    left = await anyio.to_thread.run_sync(_left, rooms)
    damaged = await anyio.to_thread.run_sync(_damaged, rooms)
    await rooms.store.survey.remove(unnamed)
    await anyio.to_thread.run_sync(_remove, [*left, *damaged])
    if damaged:
        await digesting.renew(rooms)
    every = len(unnamed) + len(left) + len(damaged)
    return [f"{counted(every, 'leftover file')} removed"] if every else []


def _told(noun: str, which: str, files: Sequence[str | Path]) -> Finding:
    what = f"{counted(len(files), noun)} {which}"
    if not files:
        return well("files", f"no {noun} {which}")
    return ill("files", f"{what}: {named([Path(file).name for file in files])}")


def _left(rooms: Rooms) -> list[Path]:
    settings = rooms.settings
    oldest = time.time() - SETTLED_SECONDS
    names = (f"{FRESH}*", "*.new")
    half = [place for name in names for place in settings.home.rglob(name) if _old(place, oldest)]
    return sorted({*half, *locks_of_the_dead(settings.locks_dir)})


def _old(place: Path, oldest: float) -> bool:
    with suppress(FileNotFoundError):
        return place.lstat().st_mtime < oldest
    return False


def _damaged(rooms: Rooms) -> list[Path]:
    settings = rooms.settings
    papers: list[tuple[Path, Callable[[bytes], object]]] = [
        (settings.store_dir / STAMPS, _table),
        (settings.home / identities.FILE, _table),
        *((note, _table) for note in sorted(settings.spool_dir.glob("*.json"))),
        *((file, _table) for file in sorted((settings.home / "hooks").rglob("*.json"))),
        *((file, _table) for file in sorted((settings.home / "pushed").glob("*.json"))),
    ]
    notes = {note.file for note in spool.waiting(settings.spool_dir)}
    strange = [p for p, _ in papers if p.parent == settings.spool_dir and p not in notes]
    return sorted({*strange, *(path for path, read in papers if not _reads(path, read))})


def _reads(path: Path, read: Callable[[bytes], object]) -> bool:
    try:
        return bool(read(path.read_bytes()))
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def _table(raw: bytes) -> bool:
    return isinstance(orjson.loads(raw), dict)


def _remove(files: list[Path]) -> None:
    for file in files:
        if file.is_dir() and not file.is_symlink():
            continue
        file.unlink(missing_ok=True)
