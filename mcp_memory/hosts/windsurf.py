"""Windsurf: the transcripts that it writes where a hook asks for them; its own are encrypted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import files

NAME = "Windsurf"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every transcript that a hook was given; nothing of its place tells the project."""
    del project
    yield from files(Path.home() / ".windsurf", "transcripts/*.jsonl")
