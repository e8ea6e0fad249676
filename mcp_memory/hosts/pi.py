"""pi and what is made of it (oh-my-pi, OpenClaw): a file a session, in a folder a project."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, chosen_all, files, linked_folders

NAME = "pi"
RETENTION: timedelta | None = None
_CLAWS = (".openclaw", ".moltbot", ".clawdbot")
"""What OpenClaw is called, and was."""
_KEPT = ("*.jsonl", "*.jsonl.reset.*", "*.jsonl.deleted.*")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only what lies in a folder that may be its."""
    home = chosen("PI_CODING_AGENT_DIR", Path.home() / ".pi" / "agent")
    sessions = chosen("PI_CODING_AGENT_SESSION_DIR", home / "sessions")
    for root in (sessions, Path.home() / ".omp" / "agent" / "sessions"):
        yield from _by_folder(root, project)
    named = [Path.home() / name for name in _CLAWS]
    for claws in chosen_all("OPENCLAW_STATE_DIR", *named):
        for pattern in _KEPT:
            # Its agents work in a folder of their own: no name tells the project.
            yield from files(claws, f"agents/*/sessions/{pattern}")


def _by_folder(sessions: Path, project: str | None) -> Iterator[Path]:
    yield from files(sessions, "*.jsonl")
    slug = None if project is None else "--" + re.sub(r"[/\\:]", "-", project.lstrip("/\\"))
    for folder in linked_folders(sessions):
        if slug is None or not folder.name.startswith("--") or folder.name.startswith(slug):
            yield from files(folder, "**/*.jsonl")
