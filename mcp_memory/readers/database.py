"""Databases of hosts: read as their hosts leave them, also in use, within limits of size and time."""

import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcp_memory.readers.jsonl import FILE_BYTES, HELD_BYTES
from mcp_memory.readers.opening import open_regular, open_transcript

MAGIC = b"SQLite format 3\0"
DAMAGED = (sqlite3.Error, OSError, UnicodeDecodeError)
"""What reading a damaged database raises: its complaint may quote bytes that are no text."""
WAIT_SECONDS = 5.0
"""How long a database that its host has locked is tried again."""
READ_SECONDS = 120.0
"""How long one database may take; one that is made to compute without end is left."""

_STEPS = 10_000
_JOURNALS = ("-wal", "-journal")
_GZIP = b"\x1f\x8b"
_PACKED = (_GZIP, b"\x28\xb5\x2f\xfd")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'"


class InUse(OSError):
    """A database that its host holds locked: nothing is known of it, and it is to be read later."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database as it is now, only to be read, with what stands in its journal.

    Raises:
        InUse: its host holds it locked.
        OSError, sqlite3.Error: it cannot be opened or read, is too large, or takes too long.
    """
    with open_regular(path) as stream:
        packed = stream.read(4)
    try:
        if packed.startswith(_PACKED):
            with closing(_in_memory(path)) as base:
                yield _limited(base)
        elif _left_behind(path):
            with _copied(path) as copy, closing(_connected(copy, "mode=rw")) as base:
                yield _limited(base)
        else:
            # Where no journal lies beside it, nobody writes: then no file need be made to read it.
            live = any(path.with_name(path.name + kind).exists() for kind in _JOURNALS)
            access = "mode=ro" if live else "immutable=1"
            with closing(_connected(path, access)) as base:
                yield _limited(base)
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise InUse(f"{path.name} is in use and locked by its host: {error}") from error
        if "interrupted" in str(error):
            raise OSError(f"reading took more than {READ_SECONDS:.0f} s and was left") from error
        raise


def journal(path: Path) -> Path:
    """Where a database in use keeps what it was told last."""
    return path.with_name(f"{path.name}-wal")


def tables(base: sqlite3.Connection) -> set[str]:
    """The names of its tables; a view or a virtual table, which may compute without end, is none."""
    return {name for (name,) in base.execute(_TABLES)}


def has_columns(path: Path, wanted: Mapping[str, set[str]]) -> bool:
    """Whether a file is a database with these columns in real tables.

    Raises:
        InUse: its host holds it locked.
        OSError: it cannot be opened.
    """
    try:
        with opened(path) as base:
            return wanted.keys() <= tables(base) and all(
                columns <= set(columns_of(base, table)) for table, columns in wanted.items()
            )
    except InUse:
        raise
    except DAMAGED:
        return False


def columns_of(base: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns."""
    asked = base.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in asked if isinstance(name, str)]


def rows(
    base: sqlite3.Connection,
    table: str,
    where: Mapping[str, object] | None = None,
    order: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """The rows of a real table, one by one; a value too large to be held comes as None.

    Nothing where the table is not there; columns to order by that are not there do not count.
    """
    if table not in tables(base):
        return
    names = columns_of(base, table)
    columns = ", ".join(
        f"CASE WHEN length({_quoted(name)}) <= {HELD_BYTES} THEN {_quoted(name)} END"
        for name in names
    )
    told = f"SELECT {columns} FROM {_quoted(table)}"  # noqa: S608 names are quoted
    if where:
        told += " WHERE " + " AND ".join(f"{_quoted(name)} = ?" for name in where)
    if ordered := [_quoted(name) for name in order if name in names]:
        told += " ORDER BY " + ", ".join(ordered)
    for row in base.execute(told, tuple((where or {}).values())):
        yield dict(zip(names, row, strict=True))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _connected(path: Path, access: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?{access}"
    return sqlite3.connect(
        address,
        uri=True,
        timeout=WAIT_SECONDS,
        isolation_level=None,
        # One that reads sessions may be dropped half way, and is then closed by any thread.
        check_same_thread=False,
    )


def _limited(base: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with one view of the data, and an end to what reading it may take."""
    ends = time.monotonic() + READ_SECONDS
    base.set_progress_handler(lambda: int(time.monotonic() > ends), _STEPS)
    base.execute("PRAGMA trusted_schema = OFF")
    base.text_factory = lambda raw: raw.decode("utf-8", "replace")
    base.execute("BEGIN")
    return base


def _in_memory(path: Path) -> sqlite3.Connection:
    with open_transcript(path) as stream:
        raw = stream.read(FILE_BYTES + 1)
    if len(raw) > FILE_BYTES:
        raise OSError(f"larger than {FILE_BYTES >> 20} MB")
    if not raw.startswith(MAGIC):
        raise OSError("not a database")
    base = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    # A database with a journal beside it cannot lie in memory until its header says otherwise.
    base.deserialize(raw[:18] + b"\x01\x01" + raw[20:] if raw[18:20] == b"\x02\x02" else raw)
    return base


def _left_behind(path: Path) -> bool:
    """Whether a journal lies beside a database that nobody has open, as after a kill or a copy.

    To read it, files would have to be made in the host's folder.
    """
    left, shared = journal(path), path.with_name(f"{path.name}-shm")
    if not left.is_file() or shared.exists():
        return False
    return left.stat().st_size > 0 and path.stat().st_size + left.stat().st_size <= FILE_BYTES


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="mcp-memory-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(journal(path), journal(copy))
        yield copy
