"""Databases of hosts: opened to be read only, and their keys and values, within limits."""

import sqlite3
from pathlib import Path

from mcp_memory.readers.jsonl import FILE_BYTES, open_transcript

MAGIC = b"SQLite format 3\0"
DAMAGED = (sqlite3.Error, OSError, UnicodeDecodeError)
"""What reading a damaged database raises: its complaint may quote bytes that are no text."""
_GZIP = b"\x1f\x8b"


def opened(path: Path) -> sqlite3.Connection:
    """The database, only to be read; a compressed one in memory.

    Raises:
        OSError, sqlite3.Error: it cannot be opened, or is too large to be held.
    """
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if packed:
        with open_transcript(path) as stream:
            raw = stream.read(FILE_BYTES + 1)
        if len(raw) > FILE_BYTES:
            raise OSError(f"larger than {FILE_BYTES >> 20} MB")
        base = sqlite3.connect(":memory:")
        # A database with a journal beside it cannot lie in memory until its header says otherwise.
        base.deserialize(raw[:18] + b"\x01\x01" + raw[20:] if raw[18:20] == b"\x02\x02" else raw)
    else:
        # Where no journal lies beside it, nobody writes: then no file need be made to read it.
        live = path.with_name(f"{path.name}-wal").exists()
        access = "mode=ro" if live else "immutable=1"
        base = sqlite3.connect(f"{path.absolute().as_uri()}?{access}", uri=True)
    base.execute("PRAGMA trusted_schema = OFF")
    base.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return base


def tables(base: sqlite3.Connection) -> set[str]:
    """The names of its tables; a view, which may compute without end, is none."""
    return {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
