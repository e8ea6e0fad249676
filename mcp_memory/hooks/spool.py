"""Spool: notes of transcripts that hooks hand over; `python -m mcp_memory.hooks.spool` leaves one fast."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

from mcp_memory.domain import privacy
from mcp_memory.domain.replacing import replace

LONGEST_NOTE = 1 << 20


class Note(NamedTuple):
    """One transcript that was handed over, and the note's own file as it was read."""

    file: Path
    stamp: tuple[int, int]
    transcript: Path


def leave(folder: Path, transcript: str, session: str = "") -> Path:
    """Leave a note of a transcript: its path, size and session, never content.

    A transcript handed over again replaces its own note.

    Raises:
        OSError: the note cannot be written; nothing is half there.
    """
    privacy.make(folder)
    path = Path(transcript).expanduser().absolute()
    size = path.stat().st_size if path.is_file() else 0
    told = json.dumps({"path": str(path), "size": size, "session": session[:200]})
    note = folder / f"{hashlib.sha256(str(path).encode('utf-8', 'replace')).hexdigest()[:24]}.json"
    replace(note, told.encode("utf-8", "replace"))
    return note


def waiting(folder: Path) -> list[Note]:
    """The notes that are there, in order; one that cannot be read is passed over and stays."""
    found = []
    for file in sorted(folder.glob("*.json")):
        note = _read(file)
        if note is not None:
            found.append(note)
    return found


def done(note: Note) -> None:
    """Take a note away once its transcript is indexed, unless it was left anew meanwhile."""
    try:
        if _stamp(note.file) == note.stamp:
            note.file.unlink()
    except FileNotFoundError:
        return


def _read(file: Path) -> Note | None:
    try:
        stamp = _stamp(file)
        told = json.loads(file.read_bytes()) if stamp[0] <= LONGEST_NOTE else None
    except (OSError, ValueError, RecursionError):
        return None
    path = told.get("path") if isinstance(told, dict) else None
    return Note(file, stamp, Path(path)) if isinstance(path, str) and "\x00" not in path else None


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def home() -> Path:
    """The bank's folder, as `Settings` finds it, without its libraries."""
    named = os.environ.get("MCP_MEMORY_HOME")
    if not named:
        from platformdirs import user_data_path  # 20 ms, only where no home is named

        return user_data_path("mcp-memory", appauthor=False)
    if "://" in named:
        from platformdirs import user_data_path  # an address: what is this machine's own lies here

        name = hashlib.sha256(named.rstrip("/").encode()).hexdigest()[:16]
        return user_data_path("mcp-memory", appauthor=False) / "addresses" / name
    return Path(named).expanduser().absolute()


def main() -> None:
    """Leave a note of the transcript that a hook's JSON on stdin names; a hook must never fail."""
    try:
        told = json.loads(sys.stdin.buffer.read(LONGEST_NOTE))
        transcript = told["transcript_path"]
        leave(home() / "spool", transcript, str(told.get("session_id", "")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # What is not handed over now is found when the host's folders are looked through.
        return


if __name__ == "__main__":
    main()
