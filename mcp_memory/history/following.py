"""Following: history of what is allowed, indexed again and again while the server runs."""

import logging
from pathlib import Path

import anyio
import anyio.to_thread

from mcp_memory import hosts
from mcp_memory.domain.errors import Busy, MemoryBankError
from mcp_memory.history.indexer import index
from mcp_memory.hooks import spool
from mcp_memory.rooms import Rooms

logger = logging.getLogger(__name__)

ALLOWED = "everything-allowed"
"""File in the home that says: the user ran `index`, all histories of this machine may be read."""


async def keep_indexed(rooms: Rooms) -> None:
    """Drain the spool and index new history of what is allowed, again and again, until cancelled.

    One process at a time does it; the others look again later.
    """
    while True:
        try:
            scope = None if everything_allowed(rooms) else rooms.project
            notes = await anyio.to_thread.run_sync(spool.waiting, rooms.settings.spool_dir)
            handed = [note.transcript for note in notes]
            found = await anyio.to_thread.run_sync(_history, scope)
            await index(rooms, [*handed, *found], only_project=scope, progress=None)
            for note in notes:
                await anyio.to_thread.run_sync(spool.done, note)
            await rooms.store.maintain()
        except Busy:
            logger.debug("another process is indexing")
        except (MemoryBankError, OSError) as error:
            # A full disk, a folder that went: the server lives on, and looks again.
            logger.warning("background indexing stopped for now: %s", error)
        await anyio.sleep(rooms.settings.index_seconds)


def everything_allowed(rooms: Rooms) -> bool:
    """Whether the user has let the whole history of this machine be read."""
    marked = (rooms.settings.home / ALLOWED).exists()
    return marked or rooms.settings.index_scope == "everything"


def allow_everything(rooms: Rooms) -> None:
    """Remember that the user ran `index` for all histories."""
    (rooms.settings.home / ALLOWED).touch()


def _history(scope: str | None) -> list[Path]:
    """What every host keeps of a project, or of all; a host whose folders cannot be read, nothing."""
    found: list[Path] = []
    for host in hosts.HOSTS:
        try:
            found.extend(host.transcripts(scope))
        except OSError as error:
            logger.warning("the history of %s cannot be listed: %s", host.NAME, error)
    return [*found, *hosts.prompts()]
