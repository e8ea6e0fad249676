"""project: the one that is named must be known; else what was meant by it is told."""

import difflib
from collections.abc import Iterable

from mcp_memory.domain import projects
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.rooms import Rooms

MOST_NEAR = 3


async def check_project(rooms: Rooms, project: str | None) -> None:
    """Pass a project that the bank knows, and none.

    Raises:
        InvalidInput: it names none; the message names those that are spelled nearly so.
    """
    if not project or project in (projects.EVERY, projects.USER):
        return
    known = await rooms.store.projects()
    if not projects.candidates(rooms.identities().asked(project), known):
        raise unknown(project, known)


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
