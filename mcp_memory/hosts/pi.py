"""pi: one file a session under `~/.pi/agent/sessions`, in a folder named after its folder."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, folders

NAME = "pi"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only what lies in a folder that may be its."""
    home = chosen("PI_CODING_AGENT_DIR", Path.home() / ".pi" / "agent")
    sessions = chosen("PI_CODING_AGENT_SESSION_DIR", home / "sessions")
    yield from files(sessions, "*.jsonl")
    slug = None if project is None else "--" + re.sub(r"[/\\:]", "-", project.lstrip("/\\"))
    for folder in folders(sessions):
        if slug is None or not folder.name.startswith("--") or folder.name.startswith(slug):
            yield from files(folder, "**/*.jsonl")
