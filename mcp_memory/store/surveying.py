"""Surveying: what lies below the rows and beside them, for a doctor; nothing is read of any text."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio.to_thread

from mcp_memory.store.changes import Recovered, recover
from mcp_memory.store.filters import one_of
from mcp_memory.store.home import end_purge, pending_purge
from mcp_memory.store.locking import MAINTENANCE, Writer
from mcp_memory.store.purging import finish_purge, read
from mcp_memory.store.rows import LedgerRow, Table
from mcp_memory.store.schema import IDENTITY, ROW_TYPES
from mcp_memory.store.shelf import Item, Shelf
from mcp_memory.store.snapshots import snapshot
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import SEARCHED, WORD_COLUMNS, build_indexes, maintain

CHANGED: tuple[Table, ...] = ("evidence", "sessions", "memories")
SETTLED_SECONDS = 600.0
"""No append is under way for longer: what nothing names by then never will be."""
SETTLED_AWAY_SECONDS = 7 * 86_400.0
"""The same on an object store, by the library's own reckoning: a machine may stand still for long."""
_IDENTITY: Mapping[Table, tuple[str, ...]] = {**IDENTITY, "sessions": ("id", "batch")}


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of a table: on disk, and of what its newest version holds."""

    on_disk: int
    live: int


class Survey:
    """The tables of an open store as a doctor sees them."""

    def __init__(self, tables: Tables, writer: Writer) -> None:
        self._tables = tables
        self._writer = writer

    async def batches(self, table: Table) -> Counter[str]:
        """The batches that rows of a table name, with the number of their rows."""
        found = await self._columns(table, ("batch",))
        return Counter(batch for (batch,) in found)

    async def owners(self) -> Counter[str]:
        """The sessions that evidence is of, with the number of its rows."""
        return Counter(session for (session,) in await self._columns("evidence", ("trajectory",)))

    async def ledger(self) -> list[LedgerRow]:
        """All phases of all changes."""
        return await self._tables.read("ledger", lambda q: q, LedgerRow)

    async def doubles(self, table: Table) -> list[tuple[str, ...]]:
        """Rows that stand more than once with the same key: key, version and batch of each."""
        columns = _IDENTITY[table]
        found = await self._columns(table, columns)
        seen = Counter(row[:-1] for row in found)
        return sorted(row for row in set(found) if seen[row[:-1]] > 1)

    async def drop(self, table: Table, rows: Collection[tuple[str, ...]]) -> None:
        """Take rows away by what tells them apart; callers keep what must not be lost."""
        columns = _IDENTITY[table]
        for row in rows:
            told = zip(columns, row, strict=True)
            condition = " AND ".join(
                f"{name} = {value}" if name == "version" else one_of(name, (value,))
                for name, value in told
            )
            await self._tables.delete(table, condition)

    async def without_vectors(self, table: Table) -> int:
        """Rows that have no vector and should: of an output its step has one, of no words nothing."""
        bare = "vector IS NULL AND kind <> 'output' AND text <> ''"
        count = partial(self._tables[table].count_rows, bare)
        return int(await self._tables.attempt(count))

    async def lacking_indexes(self) -> list[str]:
        """Word indexes that are not there: without them words are cut otherwise, and not found."""
        lacking = []
        for table in SEARCHED:
            found = await self._tables.attempt(self._tables[table].list_indices)
            present = {column for index in found for column in index.columns}
            lacking += [f"{table}.{column}" for column in WORD_COLUMNS if column not in present]
        return lacking

    async def unnamed(self) -> list[str]:
        """Settled files of data and indexes that no version of their table names."""
        known = {str(index) for table in SEARCHED for index in await self._index_ids(table)}
        return await anyio.to_thread.run_sync(_unnamed, self._tables.shelf, known)

    async def remove(self, files: Sequence[str]) -> None:
        """Remove such files."""
        await anyio.to_thread.run_sync(_remove, self._tables.shelf, files)

    async def weights(self) -> dict[Table, Weight]:
        """What each table takes and what of it is live, its indexes included."""
        found = {}
        for table in ROW_TYPES:
            stats = await self._tables.attempt(self._tables[table].stats)
            on_disk = await anyio.to_thread.run_sync(_size, self._tables.shelf, f"{table}.lance")
            found[table] = Weight(on_disk, int(stats["total_bytes"]))
        return found

    async def unfinished(self) -> list[LedgerRow]:
        """Changes that came to no end, and that no living writer is at."""
        living = await self._writer.locks.living()
        return [row for row in await self._open_ended() if row.owner not in living]

    async def under_way(self) -> set[str]:
        """Batches that a living writer is at."""
        living = await self._writer.locks.living()
        return {row.batch for row in await self._open_ended() if row.owner in living}

    async def _open_ended(self) -> list[LedgerRow]:
        phases: dict[str, dict[str, LedgerRow]] = {}
        for row in await self.ledger():
            phases.setdefault(row.batch, {})[row.phase] = row
        return [
            seen.get("commit") or seen["intent"]
            for seen in phases.values()
            if "intent" in seen and not {"done", "reversed"} & set(seen)
            if "commit" not in seen or seen["commit"].effects not in ("", "[]")
        ]

    async def finish(self, owners: Collection[str]) -> list[Recovered]:
        """Bring to their end what writers began that are no more."""
        return [each for owner in sorted(owners) for each in await recover(self._tables, owner)]

    async def purge_pending(self) -> bool:
        """Whether an erasure was begun and not brought to its end."""
        folder = self._tables.home.papers
        return await anyio.to_thread.run_sync(pending_purge, folder) is not None

    async def erase_again(self) -> None:
        """Move all rows to new files once more, and drop every file from before.

        Raises:
            Busy: maintenance of another process does not end.
        """
        writer = self._writer
        seconds = writer.busy_seconds
        async with writer.locks.elected(MAINTENANCE, seconds=seconds, work="maintenance"):
            await finish_purge(self._tables, (), writer.locks)
            await anyio.to_thread.run_sync(end_purge, self._tables.home.papers)
            await self._tables.tell()

    def snapshot(self) -> AbstractAsyncContextManager[list[Path]]:
        """The files of one moment of all tables, while others go on writing."""
        return snapshot(self._tables, self._writer)

    async def tidy(self) -> None:
        """Missing indexes built, files compacted, old versions dropped.

        Raises:
            Busy: maintenance of another process does not end.
        """
        writer = self._writer
        seconds = writer.busy_seconds
        async with writer.locks.elected(MAINTENANCE, seconds=seconds, work="maintenance"):
            for table in SEARCHED:
                await build_indexes(self._tables, table)
            await maintain(self._tables, writer.locks, force=True)

    async def _columns(self, table: Table, names: Sequence[str]) -> list[tuple[str, ...]]:
        query = partial(self._ask, table, list(names))
        found = await self._tables.attempt(query)
        columns = [[str(value) for value in found.column(name).to_pylist()] for name in names]
        return list(zip(*columns, strict=True))

    async def _ask(self, table: Table, names: list[str]) -> Any:
        return await self._tables[table].query().select(names).to_arrow()

    async def _index_ids(self, table: Table) -> list[str]:
        found = await self._tables.attempt(self._tables[table].list_indices)
        return [str(index.index_uuid) for index in found]


def _unnamed(shelf: Shelf, indexes: Collection[str]) -> list[str]:
    settled = SETTLED_SECONDS if shelf.root is not None else SETTLED_AWAY_SECONDS
    oldest, found = time.time() - settled, list[Item]()
    for folder in shelf.folders():
        named = b"".join(read(shelf, f"{folder}/_versions", ".manifest"))
        data = shelf.listed(f"{folder}/data")
        found += [each for each in data if each.name.rpartition("/")[2].encode() not in named]
        for index in shelf.folders(f"{folder}/_indices"):
            there = index in indexes or _bytes_of(index) in named
            found += [] if there else shelf.listed(f"{folder}/_indices/{index}")
    return [each.name for each in found if each.changed < oldest]


def _bytes_of(name: str) -> bytes:
    try:
        return UUID(name).bytes
    except ValueError:
        return name.encode()


def _remove(shelf: Shelf, files: Sequence[str]) -> None:
    for file in files:
        shelf.remove(file)
        folder = file.rpartition("/")[0]
        if not folder.endswith("/data"):
            shelf.drop_empty(folder)


def _size(shelf: Shelf, folder: str) -> int:
    return sum(each.size for each in shelf.listed(folder))
