"""Mistral Vibe: a folder a session under `~/.vibe/logs/session`."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, settings_of, within

NAME = "Mistral Vibe"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session; of one project only those that do not name another beside them."""
    home = chosen("VIBE_HOME", Path.home() / ".vibe")
    for found in files(home, "logs/session/**/messages.jsonl"):
        place = settings_of(found.with_name("meta.json")).get("environment")
        cwd = place.get("working_directory") if isinstance(place, Mapping) else None
        if project is None or not isinstance(cwd, str) or within(cwd, project):
            yield found
    # Of version 1: the facts stand in the session's own file.
    yield from files(home, "logs/session/session_*.json")
