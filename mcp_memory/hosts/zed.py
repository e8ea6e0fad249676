"""Zed: the database of agent threads in its data folder."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, local_data

NAME = "Zed"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The database, which holds threads of every project."""
    del project
    data = chosen("XDG_DATA_HOME", Path.home() / ".local" / "share")
    programs = local_data(Path.home(), sys.platform, os.environ)
    for place in dict.fromkeys((data / "zed", programs / "Zed")):
        yield from files(place, "threads/threads.db")
