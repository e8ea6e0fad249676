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
from mcp_memory.store.locking import MAINTENANCE, Writer, elected
from mcp_memory.store.purging import finish_purge
from mcp_memory.store.rows import LedgerRow, Table
from mcp_memory.store.schema import IDENTITY, ROW_TYPES
from mcp_memory.store.snapshots import snapshot
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import SEARCHED, WORD_COLUMNS, build_indexes, maintain

CHANGED: tuple[Table, ...] = ("evidence", "sessions", "memories")
SETTLED_SECONDS = 600.0
"""No append is under way for longer: what nothing names by then never will be."""
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
        """Rows that have no vector and should: of an output its step has one."""
        count = partial(self._tables[table].count_rows, "vector IS NULL AND kind <> 'output'")
        return int(await self._tables.attempt(count))

    async def lacking_indexes(self) -> list[str]:
        """Word indexes that are not there: without them words are cut otherwise, and not found."""
        lacking = []
        for table in SEARCHED:
            found = await self._tables.attempt(self._tables[table].list_indices)
            present = {column for index in found for column in index.columns}
            lacking += [f"{table}.{column}" for column in WORD_COLUMNS if column not in present]
        return lacking

    async def unnamed(self) -> list[Path]:
        """Settled files of data and indexes that no version of their table names."""
        known = {str(index) for table in SEARCHED for index in await self._index_ids(table)}
        return await anyio.to_thread.run_sync(_unnamed, self._tables.path, known)

    async def remove(self, files: Sequence[Path]) -> None:
        """Remove such files."""
        await anyio.to_thread.run_sync(_remove, files)

    async def weights(self) -> dict[Table, Weight]:
        """What each table takes and what of it is live, its indexes included."""
        found = {}
        for table in ROW_TYPES:
            stats = await self._tables.attempt(self._tables[table].stats)
            folder = self._tables.path / f"{table}.lance"
            on_disk = await anyio.to_thread.run_sync(_size, folder)
            found[table] = Weight(on_disk, int(stats["total_bytes"]))
        return found

    async def unfinished(self) -> list[LedgerRow]:
        """Changes that came to no end, and that no living writer is at."""
        living = self._living()
        return [row for row in await self._open_ended() if row.owner not in living]

    async def under_way(self) -> set[str]:
        """Batches that a living writer is at."""
        living = self._living()
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

    def _living(self) -> set[str]:
        """Writers that hold their locks; who left a lock and died is one at the next opening only."""
        return {file.stem for file in self._writer.locks.glob("writer-*.lock")}

    async def finish(self, owners: Collection[str]) -> list[Recovered]:
        """Bring to their end what writers began that are no more."""
        return [each for owner in sorted(owners) for each in await recover(self._tables, owner)]

    async def purge_pending(self) -> bool:
        """Whether an erasure was begun and not brought to its end."""
        folder = self._tables.path.parent
        return await anyio.to_thread.run_sync(pending_purge, folder) is not None

    async def erase_again(self) -> None:
        """Move all rows to new files once more, and drop every file from before.

        Raises:
            Busy: maintenance of another process does not end.
        """
        writer = self._writer
        lock = writer.locks / MAINTENANCE
        async with elected(lock, seconds=writer.busy_seconds, work="maintenance"):
            await finish_purge(self._tables, (), locks=writer.locks, owner=writer.alive.owner)
            await anyio.to_thread.run_sync(end_purge, self._tables.path.parent)

    def snapshot(self) -> AbstractAsyncContextManager[list[Path]]:
        """The files of one moment of all tables, while others go on writing."""
        return snapshot(self._tables, self._writer)

    async def tidy(self) -> None:
        """Missing indexes built, files compacted, old versions dropped.

        Raises:
            Busy: maintenance of another process does not end.
        """
        writer = self._writer
        lock = writer.locks / MAINTENANCE
        async with elected(lock, seconds=writer.busy_seconds, work="maintenance"):
            for table in SEARCHED:
                await build_indexes(self._tables, table)
            await maintain(self._tables, force=True, locks=writer.locks, owner=writer.alive.owner)

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


def _unnamed(root: Path, indexes: Collection[str]) -> list[Path]:
    oldest = time.time() - SETTLED_SECONDS
    found = []
    for folder in sorted(root.glob("*.lance")):
        manifests = [file.read_bytes() for file in (folder / "_versions").glob("*.manifest")]
        named = b"".join(manifests)
        data = (file for file in (folder / "data").glob("*") if file.is_file())
        found += [file for file in data if file.name.encode() not in named]
        for index in (folder / "_indices").glob("*"):
            there = index.name in indexes or _bytes_of(index.name) in named
            found += [] if there else [file for file in index.rglob("*") if file.is_file()]
    return [file for file in found if file.stat().st_mtime < oldest]


def _bytes_of(name: str) -> bytes:
    try:
        return UUID(name).bytes
    except ValueError:
        return name.encode()


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
        if not any(file.parent.iterdir()) and file.parent.name != "data":
            file.parent.rmdir()


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
