"""The bank that commands work on, opened; a project that is named must be one that it knows.

Importing it takes half a second: commands do so when they run, not for a help page or a wrong option.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli.drawing import waiting
from mcp_memory.cli.finding import log
from mcp_memory.search.named.project import check_project
from mcp_memory.settings import Settings


@asynccontextmanager
async def opened(*, vectors: bool = True, project: str | None = None) -> AsyncIterator[MemoryBank]:
    """The bank of the current settings and folder.

    Raises:
        InvalidInput: `project` names none of its projects.
    """
    settings = Settings() if vectors else Settings(embedding_model="none")
    log(settings)
    opening: Callable[..., AbstractAsyncContextManager[MemoryBank]] = open_bank
    if settings.team_url:
        from mcp_memory.remote.overlay import open_overlaid  # a client of HTTP: where one is set

        opening = open_overlaid
    async with opening(settings, cwd=str(Path.cwd()), actor="cli") as bank:
        await check_project(bank.rooms, project)
        waiting.end()
        yield bank
