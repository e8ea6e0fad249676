"""Hermes Agent: the database of all sessions under `~/.hermes`, one more a profile."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "Hermes Agent"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The databases; each holds sessions of every project."""
    del project
    home = chosen("HERMES_HOME", Path.home() / ".hermes")
    yield from files(home, "state.db")
    yield from files(home, "profiles/*/state.db")
