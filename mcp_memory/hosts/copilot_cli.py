"""GitHub Copilot CLI and in JetBrains editors: a session's events under `~/.copilot`."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, within

NAME = "Copilot CLI"
RETENTION: timedelta | None = None
_FOLDER = re.compile(r"^cwd:[ \t]*[\"']?([^\"'\r\n]+)", re.MULTILINE)


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session's events; of one project only those that do not name another beside them.

    A file beside the folders is a session of an early version; of a JetBrains editor's session
    the other parts are read with the first.
    """
    home = chosen("COPILOT_HOME", Path.home() / ".copilot")
    for events in files(home / "session-state", "*/events.jsonl"):
        if project is None or _may_be(events.with_name("workspace.yaml"), project):
            yield events
    yield from files(home / "session-state", "*.jsonl")
    yield from files(home, "jb/*/partition-0.jsonl")


def _may_be(workspace: Path, project: str) -> bool:
    try:
        told = _FOLDER.search(workspace.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return True
    return told is None or within(told[1], project)
