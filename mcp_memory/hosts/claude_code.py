"""Claude Code: transcripts under `~/.claude/projects`, deleted by the host after 30 days."""

import os
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import (
    application_data,
    chosen_all,
    files,
    folders,
    linked_folders,
    settings_of,
)
from mcp_memory.readers.companions import is_aside

NAME = "Claude Code"
RETENTION: timedelta | None = timedelta(days=30)
_CUT = 200
_LONGEST = 36_500


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session and sub-agent file, in a stable order; of one project only what may be its."""
    slug = "" if project is None else _slug(project)
    for folder in linked_folders(*(home / "projects" for home in _homes())):
        if folder.name.startswith(slug):
            yield from _sessions(folder)
    for home in _cowork():
        for folder in folders(home / "projects"):
            yield from _sessions(folder)


def prompts() -> Iterator[Path]:
    """The history of what was typed, which the host keeps when a session's transcript is gone."""
    for home in _homes():
        yield from files(home, "history.jsonl")


def retention() -> timedelta | None:
    """How long transcripts are kept by the user's own settings."""
    days = settings_of(_homes()[0] / "settings.json").get("cleanupPeriodDays")
    if isinstance(days, bool) or not isinstance(days, int | float) or days < 0:
        return RETENTION
    return timedelta(days=days) if days < _LONGEST else None


def _homes() -> list[Path]:
    """Where the host keeps its files: the usual place, and the one that XDG has for it."""
    config = application_data(Path.home(), "linux", os.environ)
    return chosen_all("CLAUDE_CONFIG_DIR", Path.home() / ".claude", config / "claude")


def _cowork() -> Iterator[Path]:
    """The homes that the desktop program gives its own sessions, each in a folder of theirs.

    Their projects' folders are named after a machine of their own: nothing tells the project.
    """
    program = application_data(Path.home(), sys.platform, os.environ) / "Claude"
    for organisation in folders(program / "local-agent-mode-sessions"):
        for account in folders(organisation):
            for session in folders(account, "local_*"):
                yield session / ".claude"


def _sessions(folder: Path) -> Iterator[Path]:
    """Transcripts of a project; what a workflow's steps came to stands in its agents' own."""
    for found in files(folder, "**/*.jsonl"):
        if not is_aside(found):
            yield found


def _slug(project: str) -> str:
    # The host's own spelling of a folder: lossy, so the session's cwd decides in the end.
    return re.sub(r"[^A-Za-z0-9]", "-", project)[:_CUT]
