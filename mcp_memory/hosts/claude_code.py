"""Claude Code: transcripts under `~/.claude/projects`, deleted by the host after 30 days."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, folders, settings_of

NAME = "Claude Code"
RETENTION: timedelta | None = timedelta(days=30)
_CUT = 200
_LONGEST = 36_500


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session and sub-agent file, in a stable order; of one project only what may be its."""
    slug = "" if project is None else _slug(project)
    for folder in folders(_home() / "projects"):
        if folder.name.startswith(slug):
            yield from files(folder, "**/*.jsonl")


def prompts() -> Iterator[Path]:
    """The history of what was typed, which the host keeps when a session's transcript is gone."""
    yield from files(_home(), "history.jsonl")


def retention() -> timedelta | None:
    """How long transcripts are kept by the user's own settings."""
    days = settings_of(_home() / "settings.json").get("cleanupPeriodDays")
    if isinstance(days, bool) or not isinstance(days, int | float) or days < 0:
        return RETENTION
    return timedelta(days=days) if days < _LONGEST else None


def _home() -> Path:
    return chosen("CLAUDE_CONFIG_DIR", Path.home() / ".claude")


def _slug(project: str) -> str:
    # The host's own spelling of a folder: lossy, so the session's cwd decides in the end.
    return re.sub(r"[^A-Za-z0-9]", "-", project)[:_CUT]
