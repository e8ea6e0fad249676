"""GitHub Copilot CLI: one folder of events a session under `~/.copilot/session-state`."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, within

NAME = "Copilot CLI"
RETENTION: timedelta | None = None
_FOLDER = re.compile(r"^cwd:[ \t]*[\"']?([^\"'\r\n]+)", re.MULTILINE)


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session's events; of one project only those that do not name another beside them."""
    sessions = chosen("COPILOT_HOME", Path.home() / ".copilot") / "session-state"
    for events in files(sessions, "*/events.jsonl"):
        if project is None or _may_be(events.with_name("workspace.yaml"), project):
            yield events


def _may_be(workspace: Path, project: str) -> bool:
    try:
        told = _FOLDER.search(workspace.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return True
    return told is None or within(told[1], project)
