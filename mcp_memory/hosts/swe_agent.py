"""SWE-agent: `.traj` files in the `trajectories` folder of the place it is run from."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import files

NAME = "SWE-agent"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Trajectories of runs started from the current folder, or from a project's root."""
    runs = Path(project) if project else Path.cwd()
    yield from files(runs, "trajectories/**/*.traj")
