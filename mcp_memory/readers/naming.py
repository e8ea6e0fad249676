"""Naming: the session that a file is of, by the name that its host gave it, else by its content."""

import re
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.readers.jsonl import Record, read_whole

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def named_id(*names: str) -> str:
    """The last UUID in the first of the names that holds one; empty where none does."""
    found = (_UUID.findall(name) for name in names)
    return next((ids[-1].lower() for ids in found if ids), "")


def content_id(*told: str, path: Path) -> str:
    """A hash of what a session began with, the same wherever its file lies; an empty one's name."""
    return refs.short_hash(*told) if any(told) else refs.short_hash(stem_of(path))


def stem_of(path: Path) -> str:
    """A file's name up to its first dot, which no compression changes."""
    return path.name.partition(".")[0]


def facts_in(path: Path) -> Record:
    """The object in a file that may lie beside a transcript; empty where there is none to read."""
    try:
        return (read_whole(path, []) or {}) if path.is_file() else {}
    except OSError:
        return {}
