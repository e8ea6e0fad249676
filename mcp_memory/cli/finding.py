"""Finding: a search that no running server answers, with no more rooms loaded than it enters.

What flows in, what goes and what is made is half of the package, and a fourth of such a command's time.
"""

import logging
import sys
from pathlib import Path

from mcp_memory.cli.drawing import waiting
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.forgetting import begun
from mcp_memory.memories import answered
from mcp_memory.rooms import Rooms, open_rooms
from mcp_memory.search.named.project import check_project
from mcp_memory.settings import Settings
from mcp_memory.store.home import FORMER


async def found(settings: Settings, query: Query) -> SearchResult:
    """The answer of the bank of these settings, opened for it.

    Raises:
        InvalidInput: its project names none of the bank's, or it cannot be read.
        UnknownRef: `within` names nothing.
    """
    log(settings)
    async with open_rooms(settings, cwd=str(Path.cwd()), actor="cli") as rooms:
        if _unfinished(rooms):
            from mcp_memory.bank import MemoryBank, repaired  # all rooms: only where there is need

            await repaired(MemoryBank(rooms))
        await check_project(rooms, query.project)
        waiting.end()
        return await answered.search(rooms, query)


def log(settings: Settings) -> None:
    """What goes wrong beside an answer is said where it does not stand in its way."""
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s"
    )


def _unfinished(rooms: Rooms) -> bool:
    """Whether a kill, a full disk or an older version left what an opened bank brings to its end."""
    older = any(rooms.settings.home.glob(FORMER))
    return bool(rooms.store.recovered) or older or begun.any_begun(rooms.settings)
