"""Cursor: chats in the editor's state databases, and plain transcripts under `~/.cursor`."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, editor_folders, files, linked_folders, workspaces

NAME = "Cursor"
RETENTION: timedelta | None = None
_STATE = "state.vscdb"
_TRANSCRIPTS = ("agent-transcripts/**/*.jsonl", "agent-transcripts/**/*.txt")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """State databases, the one of all workspaces first, then the agent's transcripts."""
    for user in editor_folders("Cursor"):
        yield from files(user / "globalStorage", _STATE)
        for workspace in workspaces(user / "workspaceStorage", project):
            yield from files(workspace, _STATE)
    home = chosen("CURSOR_CONFIG_DIR", Path.home() / ".cursor")
    for folder in linked_folders(home / "projects"):
        if project is None or _may_be(folder.name, project):
            for pattern in _TRANSCRIPTS:
                yield from files(folder, pattern)


def _may_be(name: str, project: str) -> bool:
    """Whether a folder is named after the project; a number is a window without a folder."""
    return name.isdigit() or _slug(name).startswith(_slug(project))


def _slug(text: str) -> str:
    # The host's spelling differs between versions in how it shortens runs of other characters.
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()
