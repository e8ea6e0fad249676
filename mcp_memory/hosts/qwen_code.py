"""Qwen Code: chats under `~/.qwen`, a folder a project; early ones as Gemini CLI has them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, linked_folders

NAME = "Qwen Code"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every chat; of one project only what lies in a folder that may be its."""
    home = chosen("QWEN_RUNTIME_DIR", chosen("QWEN_HOME", Path.home() / ".qwen"))
    slug = "" if project is None else _slug(project)
    for folder in linked_folders(home / "projects"):
        if _slug(folder.name).startswith(slug):
            yield from files(folder, "chats/**/*.jsonl")
    for pattern in ("*/chats/*.json", "*/chats/*.jsonl"):
        yield from files(home / "tmp", pattern)


def _slug(project: str) -> str:
    # The host's own spelling of a folder: lossy, so the session's cwd decides in the end.
    return re.sub(r"[^A-Za-z0-9]", "-", project).lower()
