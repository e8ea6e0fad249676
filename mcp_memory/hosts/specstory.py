"""SpecStory: sessions of other agents as Markdown in `.specstory/history` of the project."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import files

NAME = "SpecStory"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Sessions of the current folder, or of a project's root."""
    root = Path(project) if project else Path.cwd()
    yield from files(root, ".specstory/history/*.md")
