"""Kiro CLI: a file of messages a session under `~/.kiro`, its facts beside it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, settings_of, within

NAME = "Kiro CLI"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only those that do not name another beside them."""
    home = chosen("KIRO_HOME", Path.home() / ".kiro")
    for found in files(home, "sessions/cli/*.jsonl"):
        cwd = settings_of(found.with_suffix(".json")).get("cwd")
        if project is None or not isinstance(cwd, str) or within(cwd, project):
            yield found
