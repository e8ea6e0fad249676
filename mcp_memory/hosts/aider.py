"""Aider: one Markdown history in the project's root, appended to by every run."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import files

NAME = "Aider"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The history of the current folder, or of a project's root."""
    root = Path(project) if project else Path.cwd()
    history = root / (os.environ.get("AIDER_CHAT_HISTORY_FILE") or ".aider.chat.history.md")
    yield from files(history.parent, history.name)
