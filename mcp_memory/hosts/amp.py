"""Amp: a file a thread in its data folder, and before that in an editor's storage."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, editor_folders, files

NAME = "Amp"
RETENTION: timedelta | None = None
EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every thread; nothing of its place tells the project."""
    del project
    data = chosen(
        "AMP_DATA_HOME", chosen("XDG_DATA_HOME", Path.home() / ".local" / "share") / "amp"
    )
    yield from files(data / "threads", "T-*.json")
    for user in editor_folders(*EDITORS):
        yield from files(user, "globalStorage/sourcegraph.amp/threads3/*.json")
