"""Watching: transcripts are followed while they grow, and those that hooks hand over are taken."""

import logging
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path

import anyio
import anyio.to_thread

from mcp_memory import readers
from mcp_memory.domain import privacy
from mcp_memory.domain.errors import Busy
from mcp_memory.domain.reports import FileReport
from mcp_memory.history import indexer
from mcp_memory.hooks import spool
from mcp_memory.rooms import Rooms

logger = logging.getLogger(__name__)

QUIET_MS = 1_500
"""A growing file is read when it has rested so long, and at the latest after ten times that."""
LOOK_MS = 60_000
"""How often everything is looked through besides: new folders, files that were moved."""

FOLLOWED = (*indexer.SUFFIXES, *indexer.PERHAPS)

Sources = Callable[[], Iterable[Path]]


async def watch(rooms: Rooms, sources: Sources) -> AsyncGenerator[list[FileReport]]:
    """Index what `sources` names and what is handed over, then whatever changes, until closed.

    Yields the reports of each pass that opened a file.
    """
    while True:
        paths = list(await anyio.to_thread.run_sync(lambda: list(sources())))
        yield await _pass(rooms, paths)
        folders = await anyio.to_thread.run_sync(_folders, rooms.settings.spool_dir, paths)
        async with aclosing(_changes(folders)) as changes:
            async for changed in changes:
                if changed is None:
                    break
                reports = await _pass(rooms, changed)
                if reports:
                    yield reports


async def _pass(rooms: Rooms, paths: Iterable[Path]) -> list[FileReport]:
    notes = await anyio.to_thread.run_sync(spool.waiting, rooms.settings.spool_dir)
    handed = [note.transcript for note in notes if note.transcript.is_file()]
    try:
        reports = await indexer.index(rooms, dict.fromkeys([*handed, *paths]))
    except Busy:
        logger.info("another process is indexing; looking again later")
        return []
    for note in notes:
        await anyio.to_thread.run_sync(spool.done, note)
    return [report for report in reports if report.status != "unchanged"]


async def _changes(folders: Iterable[Path]) -> AsyncGenerator[list[Path] | None]:
    """Transcripts that changed; None when folders did, or when it is time to look at everything."""
    from watchfiles import Change, awatch  # a compiled library that only watching needs

    seen = awatch(
        *folders,
        watch_filter=None,
        recursive=False,
        debounce=QUIET_MS * 10,
        step=QUIET_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    )
    async with aclosing(seen) as passes:
        async for changes in passes:
            there = [Path(name) for kind, name in sorted(changes) if kind is not Change.deleted]
            files = [path for path in map(readers.owner_of, there) if _followed(path)]
            if files:
                yield files
            if not changes or any(path.is_dir() for path in there):
                yield None


def _followed(path: Path) -> bool:
    return path.suffix in FOLLOWED and path.is_file() and not readers.is_aside(path)


def _folders(spool_dir: Path, paths: Iterable[Path]) -> list[Path]:
    """Folders of transcripts, and those above them, where a new project's folder appears."""
    privacy.make(spool_dir)
    below = {path.parent for path in paths}
    wanted = {spool_dir, *below, *(folder.parent for folder in below)}
    return sorted(folder for folder in wanted if os.access(folder, os.R_OK))
