"""The bank that commands work on, opened; a project that is named must be one that it knows.

Importing it takes half a second: commands do so when they run, not for a help page or a wrong option.
"""

import difflib
import logging
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli.drawing import waiting
from mcp_memory.domain import projects
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.settings import Settings

MOST_NEAR = 3


@asynccontextmanager
async def opened(*, vectors: bool = True, project: str | None = None) -> AsyncIterator[MemoryBank]:
    """The bank of the current settings and folder.

    Raises:
        InvalidInput: `project` names none of its projects.
    """
    settings = Settings() if vectors else Settings(embedding_model="none")
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    async with open_bank(settings, cwd=str(Path.cwd()), actor="cli") as bank:
        if project and project not in (projects.EVERY, projects.USER):
            known = await bank.rooms.store.projects()
            meant = bank.rooms.identities().asked(project)
            if not projects.candidates(meant, known):
                raise unknown(project, known)
        waiting.end()
        yield bank


def unknown(asked: str, known: Iterable[str]) -> InvalidInput:
    """What is said of a project that is none."""
    near = nearest(asked, known)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return InvalidInput(
        f"No history of a project called {asked!r}.",
        next_step=f"{hint}`mcp-memory projects` shows all there are; --project '*' asks them all.",
    )


def nearest(asked: str, known: Iterable[str]) -> list[str]:
    """Known projects that are spelled nearly so, by their last folder or as a whole."""
    last = {name: projects.pure_path(name).name.casefold() for name in known}
    wanted = projects.pure_path(asked).name.casefold()
    names = difflib.get_close_matches(wanted, list(last.values()), n=MOST_NEAR, cutoff=0.6)
    return [name for name, short in last.items() if short in names][:MOST_NEAR]
