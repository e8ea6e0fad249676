"""Companions: what hosts keep beside their transcripts, read with them or no transcript at all."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from mcp_memory.readers.database import journal
from mcp_memory.readers.opencode_tree import message_folder
from mcp_memory.readers.openhands_live import EVENTS

_ASIDE = (
    "*/subagents/workflows/*/journal.jsonl",
    "*/local-agent-mode-sessions/*/audit.jsonl",
    "*/events/event-*.json",
    "*/storage/message/*/*.json",
    "*/storage/part/*/*.json",
    "*/storage/session/message/*/*.json",
    "*/storage/session/part/*/*/*.json",
    "*.meta.json",
    "*.settings.json",
    "*/jb/*/partition-[1-9]*.jsonl",
)
_JOURNAL = "-wal"
_DATABASES = (".db", ".vscdb", ".sqlite", ".sqlite3")


def companions(path: Path) -> Iterator[Path]:
    """Files and folders that are read with a transcript: it has changed when one of them has."""
    if path.suffix in _DATABASES:
        yield journal(path)
    elif path.name == "base_state.json":
        yield path.parent / EVENTS
    elif path.name.startswith("ses_") and (folder := message_folder(path)):
        yield folder
    elif path.name.startswith("partition-"):
        yield path.parent


def owner_of(path: Path) -> Path:
    """The transcript that has changed when this file has: a database where it is its journal."""
    return path.with_name(path.name.removesuffix(_JOURNAL))


def is_aside(path: Path) -> bool:
    """Whether a file is known, by its name and place, to be no transcript of its own."""
    place = path.as_posix()
    return any(fnmatchcase(place, pattern) for pattern in _ASIDE)
