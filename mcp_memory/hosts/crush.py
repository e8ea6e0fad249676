"""Crush: a database in the `.crush` folder of each project, which its data folder lists."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, settings_of

NAME = "Crush"
RETENTION: timedelta | None = None


def transcripts(project: str | None = None) -> Iterator[Path]:
    """The database of the project, or of each that the host has worked in."""
    data = chosen(
        "CRUSH_GLOBAL_DATA", chosen("XDG_DATA_HOME", Path.home() / ".local" / "share") / "crush"
    )
    listed = settings_of(data / "projects.json").get("projects")
    places = [Path(project) if project else Path.cwd()]
    for told in listed if isinstance(listed, list) and project is None else ():
        path = told.get("path") if isinstance(told, Mapping) else None
        places += [Path(path)] if isinstance(path, str) and Path(path).is_absolute() else []
    for place in dict.fromkeys(places):
        yield from files(place / ".crush", "crush.db")
