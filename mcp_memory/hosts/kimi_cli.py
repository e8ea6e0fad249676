"""Kimi CLI: a folder a session under `~/.kimi/sessions`, in one named by a hash of its place."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, linked_folders

NAME = "Kimi CLI"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session with what was rotated away of it; of one project only what may be its."""
    home = chosen("KIMI_SHARE_DIR", Path.home() / ".kimi")
    digest = hashlib.md5((project or "").encode(), usedforsecurity=False).hexdigest()
    for folder in linked_folders(home / "sessions"):
        if project is None or folder.name.endswith(digest):
            yield from files(folder, "*/context*.jsonl")
