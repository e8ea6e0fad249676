"""Claude Code: transcripts under `~/.claude/projects`, deleted by the host after 30 days."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

NAME = "Claude Code"
RETENTION: timedelta | None = timedelta(days=30)
_CUT = 200


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session and sub-agent file, in a stable order; of one project only what may be its."""
    home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    projects = home / "projects"
    if not projects.is_dir():
        return
    slug = None if project is None else _slug(project)
    for folder in sorted(projects.iterdir()):
        if folder.is_dir() and (slug is None or folder.name.startswith(slug)):
            yield from sorted(folder.rglob("*.jsonl"))


def _slug(project: str) -> str:
    # The host's own spelling of a folder: lossy, so the session's cwd decides in the end.
    return re.sub(r"[^A-Za-z0-9]", "-", project)[:_CUT]
