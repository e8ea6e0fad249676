"""OpenHands: trajectories saved whole, under `~/.openhands/sessions` or in the project."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "OpenHands"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Saved trajectories; the live store has a file an event, of which none is a transcript."""
    home = chosen("OPENHANDS_DIR", Path.home() / ".openhands")
    yield from files(home / "sessions", "*/trajectory*.json")
    root = Path(project) if project else Path.cwd()
    for found in files(root, "trajectories/*.json"):
        if not found.name.endswith(".traj.json"):
            yield found
