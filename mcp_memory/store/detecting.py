"""Detecting: where needles occur, decoded in every version of the tables and raw in every file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from mcp_memory.store.rows import Table
from mcp_memory.store.shelf import CHUNK, Shelf
from mcp_memory.store.tables import Tables
from mcp_memory.text.needles import Needles

_ADDRESS = "_rowaddr"
_MOST_VERSIONS = 200
"""Read before a purge, as its control; after it there are but a few, and all are read."""
_NAMES: dict[Table, tuple[str, ...]] = {
    "evidence": ("key", "trajectory", "first", "kind"),
    "memories": ("key",),
    "sessions": ("id",),
    "ledger": ("batch",),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One needle in one column of one row."""

    needle: str
    table: Table
    key: str
    column: str
    trajectory: str = ""
    first: int = 0
    kind: str = ""


async def in_tables(tables: Tables, chosen: Iterable[Table], needles: Needles) -> list[Seen]:
    """Every occurrence in any version of these tables; each fragment is read once."""
    return [seen for table in chosen for seen in await _in_versions(tables, table, needles)]


def in_files(shelf: Shelf, needles: Needles, folder: str = "") -> Counter[str]:
    """How often each needle stands in the raw bytes of the files below a folder; blocking."""
    found: Counter[str] = Counter()
    for each in shelf.listed(folder):
        with suppress(FileNotFoundError):
            found.update(_in_pieces(shelf.pieces(each.name), needles))
    return found


def in_file(path: Path, needles: Needles) -> Counter[str]:
    """How often each needle stands in the raw bytes of a file; blocking."""
    with path.open("rb") as file:
        return _in_pieces(iter(partial(file.read, CHUNK), b""), needles)


def _in_pieces(pieces: Iterable[bytes], needles: Needles) -> Counter[str]:
    found: Counter[str] = Counter()
    tail = b""
    for piece in pieces:
        raw = tail + piece
        found.update(n for n, _, end in needles.places(raw) if end > len(tail))
        tail = raw[-needles.overlap :] if needles.overlap else b""
    return found


async def _in_versions(tables: Tables, table: Table, needles: Needles) -> list[Seen]:
    """Each fragment is read in the oldest version that has it, where most of its rows are alive."""
    # A handle of its own: checking a version out must not move the one that others read.
    handle = await tables.connection.open_table(table)
    unread, seen = 0, list[Seen]()
    for version in _chosen([each["version"] for each in await handle.list_versions()], table):
        await handle.checkout(version)
        columns = [*await _texts(handle), *_NAMES[table], _ADDRESS]
        # An address is a fragment's number and a row's place in it; numbers only grow.
        query = handle.query().where(f"_rowaddr >= {unread << 32}").with_row_address()
        async for batch in await query.select(list(dict.fromkeys(columns))).to_batches():
            newest, found = await anyio.to_thread.run_sync(_in_batch, table, batch, needles)
            unread = max(unread, newest + 1)
            seen += found
    handle.close()
    return seen


def _chosen(versions: Sequence[int], table: Table) -> Sequence[int]:
    """All versions, evenly thinned out where a busy store has very many; the ledger loses no row."""
    if table == "ledger":
        return versions[-1:]
    step = -(-len(versions) // _MOST_VERSIONS)
    return [*versions[:-1:step], versions[-1]]


async def _texts(handle: Any) -> list[str]:
    return [each.name for each in await handle.schema() if str(each.type) == "string"]


def _in_batch(table: Table, batch: Any, needles: Needles) -> tuple[int, list[Seen]]:
    """The newest fragment in it, and where needles occur."""
    import pyarrow.compute as pc  # heavy: only once a store is opened

    newest = pc.max(batch.column(_ADDRESS)).as_py()
    seen = [
        Seen(needle, table, str(names[0]), column, *names[1:])
        for column in batch.schema.names
        if str(batch.schema.field(column).type) == "string"
        for needle, row in _in_column(batch.column(column), needles)
        for names in [[batch.column(name)[row].as_py() for name in _NAMES[table]]]
    ]
    return (-1 if newest is None else newest >> 32), seen


def _in_column(column: Any, needles: Needles) -> Iterator[tuple[str, int]]:
    """Each needle with the row that holds it: all strings of a column lie in one buffer."""
    import numpy as np  # heavy: only where a column is searched

    _, offsets, held = column.buffers()
    if held is None or not len(column):
        return
    ends = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    first = int(ends[0])
    for needle, start, end in needles.places(memoryview(held).cast("B")[first : int(ends[-1])]):
        row = int(np.searchsorted(ends, start + first, side="right")) - 1
        if end + first <= int(ends[row + 1]):
            yield needle, row
