"""opencode and Kilo, which is made of it: a database of all sessions, and before it a tree."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "opencode"
RETENTION: timedelta | None = None
PROGRAMS = ("opencode", "kilo")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The databases, one for each release channel in use, and the sessions of the older tree."""
    del project
    data = chosen("XDG_DATA_HOME", Path.home() / ".local" / "share")
    for program in PROGRAMS:
        yield from files(data / program, f"{program}*.db")
        yield from files(data / program, "storage/session/*/ses_*.json")
        yield from files(data / program, "project/*/storage/session/info/ses_*.json")
