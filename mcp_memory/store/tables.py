"""The four LanceDB tables as one value: appends and reads that survive a concurrent prune."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from mcp_memory.domain.errors import (
    ExpressionRefused,
    StoreAway,
    StoreFull,
    StoreGone,
    StoreUnreadable,
)
from mcp_memory.store.address import Home
from mcp_memory.store.away import is_away, reason
from mcp_memory.store.forcing import Forcing
from mcp_memory.store.importing import imported_lancedb
from mcp_memory.store.lightening import Lightening, indexes_size
from mcp_memory.store.notice import Notice
from mcp_memory.store.pacing import Pacing
from mcp_memory.store.papers import Papers
from mcp_memory.store.rows import Table
from mcp_memory.store.schema import ROW_TYPES, R, Row, arrow_schema, from_arrow, to_arrow
from mcp_memory.store.shelf import Shelf
from mcp_memory.store.streams import added, gathered, plain

T = TypeVar("T")

ATTEMPTS = 6
_FULL = ("no space left", "os error 28", "disk quota", "file too large", "os error 27")
_INDEX_CACHE, _METADATA_CACHE = 512 << 20, 16 << 20
"""Filled by what searches touch: at a million rows 64 MB of indexes were read anew by each search
(305 ms instead of 122) and held no less memory in all (887 MB against 945); at 100,000 it is 370.
At three million 512 MB were too little (730 ms and 1,061 of processor instead of 122 and 176), so
that in a folder it is as much as the indexes there where that is more.
Of metadata, 64 MB held manifests of versions long gone, and made no search faster at any size.
"""
_FEW, _SMALL = 8, 64 << 10
"""Rows, and bytes of an answer, that are turned over where they are: a thread costs more than they do."""
_NOT_READ = ("regex parse error", "expression did not compile")
_STALE = ("not found", "no such file", "notfound")
_CONFLICT = ("conflict", "commit", "retry")


class Fresh:
    """Looks that many ask for at a time: one serves all that came before it began."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._begun = 0
        self._done = 0

    async def after(self, look: Callable[[], Awaitable[None]]) -> None:
        """Return once a look that began after this call has ended well."""
        seen = self._begun
        async with self._turn:
            if self._done > seen:
                return
            self._begun += 1
            mine = self._begun
            await look()
            self._done = mine


@dataclass(slots=True)
class Tables:
    """Open tables by name, the length of their vectors, and where their files lie."""

    connection: Any
    by_name: dict[Table, Any]
    dim: int
    home: Home
    shelf: Shelf
    papers: Papers | None = None
    """Those that machines share; in a folder they are files, and nothing else."""
    _gate: anyio.Condition = field(default_factory=anyio.Condition)
    _writing: int = 0
    _looking: Fresh = field(default_factory=Fresh)
    notice: Notice | None = None
    """By which machines tell each other that something was written."""
    _written: int = 0
    _told: int = 0
    _telling: anyio.Lock = field(default_factory=anyio.Lock)
    _forcing: Forcing | None = None
    lightening: Lightening = field(default_factory=Lightening)
    pacing: Pacing = field(default_factory=Pacing)

    def __getitem__(self, table: Table) -> Any:
        """The LanceDB table."""
        return self.by_name[table]

    async def append(self, table: Table, rows: Sequence[Row]) -> int:
        """One append, whatever the number of rows; the version that it made, 0 of none.

        Raises:
            StoreFull: the disk took no more; nothing of this append is kept.
        """
        if not rows:
            return 0
        if len(rows) <= _FEW:
            return await self.put(table, to_arrow(table, rows, self.dim))
        return await self.put(
            table, await anyio.to_thread.run_sync(to_arrow, table, rows, self.dim)
        )

    async def put(self, table: Table, data: Any) -> int:
        """The same of rows that are an Arrow table already."""
        told = await self.write(lambda: added(self[table], data))
        return int(told.version)

    async def delete(self, table: Table, condition: str) -> None:
        """Rows that the condition holds for; a concurrent compaction is waited out."""
        await self.write(lambda: self[table].delete(condition))

    async def write(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what writes, whole or not at all: a cancelled caller waits for its end.

        Raises:
            StoreFull: the disk took no more; nothing of it is kept.
        """
        with anyio.CancelScope(shield=True):
            async with self._gate:
                self._writing += 1
            try:
                done = await self.attempt(work)
                self._written += 1
                return done
            finally:
                async with self._gate:
                    self._writing -= 1
                    self._gate.notify_all()
        raise AssertionError

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """No write of this process is under way; new ones wait."""
        async with self._gate:
            while self._writing:
                await self._gate.wait()
            yield

    async def read(self, table: Table, ask: Callable[[Any], Any], kind: type[R]) -> list[R]:
        """The rows of a query on a table, as values."""
        found = await self.attempt(lambda: gathered(ask(self.query(table))))
        return await self.turned(found, kind)

    def query(self, table: Table) -> Any:
        """A query of a table that asks for no more than its rows."""
        return plain(self[table].query())

    def taking(self, table: Table, places: Sequence[int]) -> Any:
        """The same for rows by where they stand in this version of it."""
        return plain(self[table].take_row_ids(list(places)))

    async def turned(self, found: Any, kind: type[R]) -> list[R]:
        """Rows of Arrow as values."""
        if found.nbytes <= _SMALL:
            return from_arrow(kind, found)
        return await anyio.to_thread.run_sync(from_arrow, kind, found)

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it; a conflict or a pruned version is no fault of the caller: look anew and try again.

        Raises:
            StoreFull: the disk took no more.
            ExpressionRefused: a regular expression takes too much memory.
            StoreUnreadable: it still fails.
        """
        for attempt in range(ATTEMPTS):
            try:
                return await work()
            except (RuntimeError, OSError, ValueError) as error:
                said = str(error).lower()
                if any(mark in said for mark in _FULL):
                    raise StoreFull(_short(error)) from error
                if any(mark in said for mark in _NOT_READ):
                    raise ExpressionRefused("it is too large, or of another kind") from error
                passing = passes(error)
                if not passing or attempt == ATTEMPTS - 1:
                    raise await self._fault(error) from error
                await anyio.sleep(0.02 * 2**attempt)
                # What fails here fails in the next attempt, too, and is told there.
                with suppress(RuntimeError, OSError, ValueError):
                    await self.refresh()
        raise AssertionError

    async def settle(self, tables: Sequence[Table], *, since: datetime) -> None:
        """Force what was written to these tables since a time to the disk.

        Raises:
            StoreFull: the disk took no more.
            HomeRefused: it does not take it for another reason.
        """
        if self.shelf.root is None:
            return  # an object that was taken is on disks already
        self._forcing = self._forcing or Forcing(self.shelf.root)
        await self._forcing.settle(tables, since=since)

    async def refresh(self) -> None:
        """Look at the newest version of every table."""
        for table in self.by_name.values():
            await table.checkout_latest()

    async def fresh(self) -> None:
        """See what other machines have written before this is called; a folder always does.

        Raises:
            StoreUnreadable: the store does not answer.
        """
        if self.papers is not None:
            await self._looking.after(self._look_if_told)
        elif self.lightening.due(self.shelf):
            await self.renew()

    async def seen(self) -> None:
        """See all that other machines have written, also those that were killed before they told.

        Raises:
            StoreUnreadable: the store does not answer.
        """
        if self.papers is not None:
            await self._looking.after(self._look)

    def close(self) -> None:
        """Let go of the database; by then it may be another than was opened first."""
        self.connection.close()

    async def renew(self) -> None:
        """Open the tables anew: the library holds each index that was ever searched, gone or not.

        A search that is under way goes on with the tables that it has.
        """
        connection = await connect(self.home)
        fresh = await open_tables(connection, self.home, self.dim, unborn=False)
        former, self.connection = self.connection, connection
        self.by_name.update(fresh.by_name)
        former.close()

    async def tell(self) -> None:
        """Let other machines see what changed in the papers; in a folder they lie open."""
        if self.papers is not None:
            self._written += await self.papers.push()
            await self.told()

    async def told(self) -> None:
        """Let other machines know what this process wrote; from then on it may be acknowledged.

        Raises:
            StoreAway: the store does not take it.
        """
        if self.notice is None:
            return
        wanted = self._written
        async with self._telling:
            if self._told >= wanted:
                return  # told by a notice that began after it was written
            written = self._written
            await self.notice.renew()
            self._told = written

    async def _look_if_told(self) -> None:
        if self.notice is None:
            await self._look()
        else:
            await self.notice.after(self._look)

    async def _look(self) -> None:
        assert self.papers is not None
        looks = [table.checkout_latest for table in self.by_name.values()]
        # All at a time, and the first fault as it is: each is a request of some 30 ms.
        await asyncio.gather(self.papers.pull(), *(self.attempt(look) for look in looks))

    async def _fault(self, error: Exception) -> StoreUnreadable:
        if self.home.address is not None:
            return StoreAway(self.home.address, reason(error))
        place = self.home.papers / "lance"
        if not await anyio.to_thread.run_sync(self.shelf.there):
            return StoreGone(place)
        return StoreUnreadable(place, _short(error))


async def connect(home: Home) -> Any:
    """A connection to the database of a home.

    At an address nothing looks for newer versions by itself: the door does, once a call.

    Raises:
        AddressRefused: what the address needs is not set in the environment.
        StoreUnreadable: it cannot be reached.
    """
    lancedb = await load_lancedb()
    room = max(
        _INDEX_CACHE, await anyio.to_thread.run_sync(indexes_size, home.shelf("store/lance"))
    )
    session = lancedb.Session(
        index_cache_size_bytes=room, metadata_cache_size_bytes=_METADATA_CACHE
    )
    options = home.address.options() if home.address else {}
    interval = None if home.address else timedelta(0)
    try:
        return await lancedb.connect_async(
            home.tables(), read_consistency_interval=interval, session=session, **options
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise _unopened(home, error) from error


async def open_tables(connection: Any, home: Home, dim: int, *, unborn: bool) -> Tables:
    """The tables of a database; missing ones are made.

    `unborn`: its making never came to an end, so that nothing was ever kept in it. A table that a
    full disk or a kill left half made is then made anew.

    Raises:
        StoreUnreadable: its files are damaged.
        StoreFull: the disk took no more.
    """
    shelf = home.shelf("store/lance")
    try:
        names = set((await connection.list_tables()).tables)
        by_name = {}
        for table in ROW_TYPES:
            there = table in names
            if there and unborn and not await anyio.to_thread.run_sync(_has_version, shelf, table):
                await anyio.to_thread.run_sync(shelf.drop, f"{table}.lance")
                there = False
            if there:
                by_name[table] = await connection.open_table(table)
            else:
                by_name[table] = await connection.create_table(
                    table, schema=arrow_schema(table, dim), exist_ok=True
                )
    except (RuntimeError, OSError, ValueError) as error:
        raise _unopened(home, error) from error
    kept = (await by_name["evidence"].schema()).field("vector").type.list_size
    return Tables(connection, by_name, kept, home, shelf)


async def open_beside(connection: Any, home: Home, name: str, first: Any) -> Any:
    """A table beside those of the bank, made with these rows where it is not there.

    Raises:
        StoreUnreadable: it cannot be reached.
    """
    try:
        try:
            return await connection.open_table(name)
        except ValueError as error:
            if "not found" not in str(error).lower():
                raise
        return await connection.create_table(name, data=first, exist_ok=True)
    except (RuntimeError, OSError, ValueError) as error:
        raise _unopened(home, error) from error


def _unopened(home: Home, error: Exception) -> StoreFull | StoreUnreadable:
    if any(mark in str(error).lower() for mark in _FULL):
        return StoreFull(_short(error))
    if home.address is not None:
        return StoreAway(home.address, reason(error))
    return StoreUnreadable(home.papers / "lance", _short(error))


def _has_version(shelf: Shelf, table: Table) -> bool:
    """Whether a table was made to its end: without a manifest nothing can be read of it."""
    found = shelf.listed(f"{table}.lance/_versions")
    return any(each.size for each in found if each.name.endswith(".manifest"))


async def load_lancedb() -> Any:
    """LanceDB, imported in a worker thread the first time."""
    return await anyio.to_thread.run_sync(_lancedb)


def _lancedb() -> Any:
    import os

    # Lance warns on stderr, which hosts take for a failing server; it reads this at import.
    os.environ.setdefault("LANCEDB_LOG", "error")
    os.environ.setdefault("LANCE_LOG", "error")
    # Each shard of a word index that is built holds memory of its own: 600 MB became 460.
    os.environ.setdefault("LANCE_FTS_NUM_SHARDS", "1")
    return imported_lancedb()


def passes(error: Exception) -> bool:
    """Whether another attempt may do better: somebody else wrote, or removed an older version."""
    said = str(error).lower()
    return not is_away(said) and any(mark in said for mark in (*_STALE, *_CONFLICT))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
