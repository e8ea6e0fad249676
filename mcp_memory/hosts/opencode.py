"""opencode: all sessions in one database in its data folder, the same on every platform."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "opencode"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The database, and one beside it for each release channel in use."""
    del project
    data = chosen("XDG_DATA_HOME", Path.home() / ".local" / "share")
    yield from files(data / "opencode", "opencode*.db")
