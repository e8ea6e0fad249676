"""Antigravity: a log a session in its brain folder under `~/.gemini`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "Antigravity"
RETENTION: timedelta | None = None
PROGRAMS = ("antigravity", "antigravity-cli", "antigravity-ide")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every session's log; nothing of its place tells the project."""
    del project
    for program in PROGRAMS:
        brain = chosen("GEMINI_CLI_HOME", Path.home()) / ".gemini" / program / "brain"
        yield from files(brain, "*/.system_generated/logs/transcript.jsonl")
