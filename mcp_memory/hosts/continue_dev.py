"""Continue: a file a session under `~/.continue/sessions`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, folder_of, settings_of, within

NAME = "Continue"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only those that do not name another."""
    home = chosen("CONTINUE_GLOBAL_DIR", Path.home() / ".continue")
    for found in files(home / "sessions", "*.json"):
        if found.name != "sessions.json":
            yield from [found] if project is None or _may_be(found, project) else []


def _may_be(session: Path, project: str) -> bool:
    told = settings_of(session).get("workspaceDirectory")
    folder = folder_of(told) if isinstance(told, str) else None
    return folder is None or within(str(folder), project)
