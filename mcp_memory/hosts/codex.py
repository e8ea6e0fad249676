"""Codex: rollouts under `~/.codex/sessions`, by day, and archived ones beside them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, first_record, within

NAME = "Codex"
RETENTION: timedelta | None = None
_ROLLOUTS = ("**/rollout-*.jsonl", "**/rollout-*.jsonl.zst", "**/rollout-*.jsonl.gz")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every rollout, by day; of one project only those whose first line does not name another."""
    for folder in ("sessions", "archived_sessions"):
        for pattern in _ROLLOUTS:
            for rollout in files(_home() / folder, pattern):
                if project is None or _may_be(rollout, project):
                    yield rollout


def prompts() -> Iterator[Path]:
    """The history of what was typed, which is kept when a rollout is gone."""
    yield from files(_home(), "history.jsonl")


def _may_be(rollout: Path, project: str) -> bool:
    payload = first_record(rollout).get("payload")
    cwd = payload.get("cwd") if isinstance(payload, Mapping) else None
    return not isinstance(cwd, str) or within(cwd, project)


def _home() -> Path:
    return chosen("CODEX_HOME", Path.home() / ".codex")
