"""Goose: a database of all sessions in its data folder, and before it a file a session."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import application_data, chosen, files

NAME = "Goose"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The database, and sessions of versions before it."""
    del project
    data = chosen("XDG_DATA_HOME", Path.home() / ".local" / "share") / "goose"
    program = application_data(Path.home(), sys.platform, os.environ) / "Block" / "goose"
    for root in dict.fromkeys((chosen("GOOSE_PATH_ROOT", data), data, program)):
        for folder in (root / "sessions", root / "data" / "sessions"):
            yield from files(folder, "sessions.db")
            yield from files(folder, "*.jsonl")
