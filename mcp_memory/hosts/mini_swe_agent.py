"""mini-SWE-agent: the trajectory of the last run in its settings folder; the next run replaces it."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, local_data

NAME = "mini-SWE-agent"
RETENTION: timedelta | None = None
_FOLDER = "mini-swe-agent"


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Trajectories in the settings folder; the layout does not tell of which project."""
    del project
    data = local_data(Path.home(), sys.platform, os.environ)
    usual = data / _FOLDER / _FOLDER if sys.platform == "win32" else data / _FOLDER
    yield from files(chosen("MSWEA_GLOBAL_CONFIG_DIR", usual), "*.traj.json")
