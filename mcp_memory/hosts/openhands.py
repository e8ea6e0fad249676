"""OpenHands: trajectories saved whole, and live ones of a file an event, in `~/.openhands`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files

NAME = "OpenHands"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Saved trajectories, and of the live store each session's state: its events lie beside it."""
    home = chosen("OPENHANDS_DIR", Path.home() / ".openhands")
    yield from files(home / "sessions", "*/trajectory*.json")
    live = chosen("OPENHANDS_CONVERSATIONS_DIR", home / "conversations")
    yield from files(live, "*/base_state.json")
    root = Path(project) if project else Path.cwd()
    yield from files(root, "workspace/conversations/*/base_state.json")
    for found in files(root, "trajectories/*.json"):
        if not found.name.endswith(".traj.json"):
            yield found
