"""Factory Droid: a file a session under `~/.factory/sessions`, in a folder a project."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, linked_folders

NAME = "Factory Droid"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only what lies in a folder that may be its."""
    home = chosen("FACTORY_HOME", Path.home() / ".factory")
    slug = "" if project is None else re.sub(r"[^A-Za-z0-9]", "-", project)
    yield from files(home / "sessions", "*.jsonl")
    for folder in linked_folders(home / "sessions"):
        if re.sub(r"[^A-Za-z0-9]", "-", folder.name).startswith(slug):
            yield from files(folder, "*.jsonl")
