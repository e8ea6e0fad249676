"""Store: appends, look-ups, changes and upkeep over the open tables."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Literal, overload

import anyio
import anyio.to_thread
from pydantic import JsonValue

from mcp_memory.domain.errors import Busy, CameTooLate, MemoryBankError
from mcp_memory.store.catalogue import Catalogue, outlined, stamped
from mcp_memory.store.changes import (
    Change,
    Recovered,
    commit,
    complete,
    reverse,
    reverse_once,
    stands,
)
from mcp_memory.store.filters import holding, parts, to_sql
from mcp_memory.store.home import Meta, add_tombstones, read_tombstones, write_meta
from mcp_memory.store.kept import Kept
from mcp_memory.store.locking import MAINTENANCE, Writer
from mcp_memory.store.places import Places
from mcp_memory.store.purging import Erased, Erasure, purge, sweep
from mcp_memory.store.quieting import quieten
from mcp_memory.store.rows import (
    BRIEF,
    EvidenceRow,
    Found,
    LedgerRow,
    Look,
    MemoryRow,
    SessionRow,
    Table,
    Where,
)
from mcp_memory.store.schema import R
from mcp_memory.store.search import by_each, by_words, rows_of
from mcp_memory.store.surveying import Survey
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import Maintenance, maintain
from mcp_memory.store.vectors import Revised, put_vectors, resize_vectors

logger = logging.getLogger(__name__)


class Store:
    """One open store; any number of processes may hold one on the same folder."""

    def __init__(
        self,
        tables: Tables,
        writer: Writer,
        meta: Meta,
        *,
        vectors_ready: bool,
        recovered: list[Recovered],
    ) -> None:
        self._tables = tables
        self._catalogue = Catalogue(tables)
        self._reads = Kept(tables)
        self._places = Places(tables)
        self._writer = writer
        self._meta = meta
        self.vectors_ready = vectors_ready
        """Whether stored vectors are of the configured model."""
        self.recovered = recovered
        """What was taken back or carried out after a kill, and is still to be told to the archive."""

    @property
    def schema_version(self) -> int:
        """The schema that the store has."""
        return self._meta.schema

    @property
    def model(self) -> str:
        """The model that made the stored vectors."""
        return self._meta.model

    async def by_words(
        self, table: Table, query: str, *, column: str, where: Where, limit: int
    ) -> list[Found]:
        """BM25 over `text`, `context` or `identifiers`; rows newer than an index are found too."""
        return await by_words(self._tables, table, query, column=column, where=where, limit=limit)

    async def by_vector(
        self, table: Table, vector: tuple[float, ...], *, where: Where, limit: int
    ) -> list[Found]:
        """Cosines of unit vectors, best first, by an index to .01; rows without one are not found."""
        return (await self.by_each(table, {"": Look(vector=vector)}, where=where, limit=limit))[""]

    async def by_each(
        self, table: Table, looks: Mapping[str, Look], *, where: Where, limit: int
    ) -> dict[str, list[Found]]:
        """What several looks find at once, by their names; cheaper than one after another."""
        near = await self._reads.near(table, looks, where, limit)
        rest = {name: look for name, look in looks.items() if name not in near}
        return near | await by_each(self._places, table, rest, where=where, limit=limit)

    @overload
    async def by_keys(
        self, table: Literal["evidence"], keys: Sequence[str]
    ) -> list[EvidenceRow]: ...
    @overload
    async def by_keys(self, table: Literal["memories"], keys: Sequence[str]) -> list[MemoryRow]: ...
    async def by_keys(
        self, table: Literal["evidence", "memories"], keys: Sequence[str]
    ) -> list[EvidenceRow] | list[MemoryRow]:
        """Rows of these keys in whatever state; of memories all versions."""
        if table == "evidence":
            return await self.find("evidence", Where(keys=tuple(keys), states=()))
        return await self._reads.memories(keys)

    async def lacks(self, memory: str) -> bool:
        """Whether no memory has this ref, where that is known without a look; else False."""
        return await self._reads.lacks(memory)

    async def briefs(
        self, keys: Sequence[str], columns: Sequence[str] = BRIEF
    ) -> list[EvidenceRow]:
        """Evidence rows in whatever state with what is ranked and shown, or these columns, only."""
        rows = await self._places.rows(keys, columns)
        if rows is None:
            some = parts(Where(keys=tuple(keys), states=()))
            rows = [r for p in some for r in await self._read("evidence", p, EvidenceRow, columns)]
        return list({row.key: row for row in rows}.values())

    async def brief(
        self, where: Where, *, limit: int, columns: Sequence[str] = BRIEF, words: str | None = None
    ) -> list[EvidenceRow]:
        """As many evidence rows of a filter, or of those with such words, in no order."""
        look = None if words is None else Look(words=words, column="text")
        return await rows_of(self._places, look, where, columns=columns, limit=limit)

    @overload
    async def find(self, table: Literal["evidence"], where: Where) -> list[EvidenceRow]: ...
    @overload
    async def find(self, table: Literal["memories"], where: Where) -> list[MemoryRow]: ...
    async def find(
        self, table: Literal["evidence", "memories"], where: Where
    ) -> list[EvidenceRow] | list[MemoryRow]:
        """Rows that a filter holds for, without vectors; the newest of each key or version."""
        if table == "evidence":
            rows = [
                row for part in parts(where) for row in await self._read(table, part, EvidenceRow)
            ]
            return list({row.key: row for row in rows}.values())
        found = [row for part in parts(where) for row in await self._read(table, part, MemoryRow)]
        return list({(row.key, row.version): row for row in found}.values())

    async def sessions(
        self, *, ids: Sequence[str] = (), projects: Sequence[str] = (), states: Sequence[str] = ()
    ) -> list[SessionRow]:
        """Catalogue rows, whole."""
        where = Where(keys=tuple(ids), projects=tuple(projects), states=tuple(states))
        found = [r for part in parts(where) for r in await self._read("sessions", part, SessionRow)]
        return list({row.id: row for row in found}.values())

    async def catalogue(self) -> list[SessionRow]:
        """Every session's identity, stamp and state, without texts: to see what is unchanged."""
        return await stamped(self._tables)

    async def outlines(self, projects: Sequence[str]) -> list[SessionRow]:
        """What the catalogue says of live sessions, without their entries; of all, where none are named."""
        return await outlined(self._tables, Where(projects=tuple(projects)))

    def entered(self, projects: Iterable[str]) -> AsyncIterator[dict[str, list[SessionRow]]]:
        """Live sessions by project with what indexes and digests are made from, some at a time."""
        return self._catalogue.entered(projects)

    async def projects(self) -> dict[str, int]:
        """Projects with their numbers of sessions."""
        return await self._catalogue.projects()

    async def links(self) -> dict[str, str]:
        """Each session to the one that it comes from, as a sub-agent, fork or copy; else empty."""
        return await self._catalogue.links()

    async def folders(self, sessions: Iterable[str]) -> dict[str, str]:
        """The archive folders of those sessions that are known."""
        return await self._catalogue.folders(sessions)

    async def count(self, table: Table, where: Where) -> int:
        """How many rows a filter holds for."""
        return await self._reads.count(table, to_sql(table, where), holding(table, where))

    async def holds(self, table: Table) -> bool:
        """Whether a table has any row: known from its manifest, without reading."""
        known = table == "evidence" and self._places.newest is not None
        return known or bool(await self._tables.attempt(self._tables[table].count_rows))

    async def ledger(self, *, batch: str = "", op: str = "") -> list[LedgerRow]:
        """Ledger rows in the order of their writing."""
        rows = await self._reads.ledger({"batch": batch, "op": op})
        return sorted(rows, key=lambda row: row.at)

    @asynccontextmanager
    async def change(
        self,
        op: str,
        *,
        refs: Sequence[str] = (),
        hashes: Sequence[str] = (),
        inverse: Mapping[str, JsonValue] | None = None,
    ) -> AsyncIterator[Change]:
        """One batch over several tables; left by an error, what it added is taken back.

        Searches may see its rows a moment before the commit.
        """
        change = Change(self._tables, self._writer.entry("intent", op, refs, hashes, inverse))
        async with self._in_time(change.intent):
            await self._tables.append("ledger", [change.intent])
            try:
                yield change
            except BaseException:
                await self._or_later(partial(reverse, self._tables, change.intent))
                raise
            with anyio.CancelScope(shield=True):
                await self._commit(change)

    async def once(
        self,
        op: str,
        build: Callable[[str], Sequence[MemoryRow]],
        *,
        inverse: Mapping[str, JsonValue] | None = None,
    ) -> str:
        """Memories in two appends: the ledger's row, then theirs; `build` is given the batch."""
        entry = self._writer.entry("once", op, (), (), inverse)
        rows = build(entry.batch)
        keys = tuple(dict.fromkeys(row.key for row in rows))
        entry = self._writer.entry(
            "once", op, keys, tuple(row.hash for row in rows), inverse, batch=entry.batch
        )
        with anyio.CancelScope(shield=True):
            async with self._in_time(entry):
                await self._kept(entry, rows)
        return entry.batch

    async def note(self, op: str, *, refs: Sequence[str], inverse: Mapping[str, JsonValue]) -> str:
        """A ledger row that is the whole change, such as feedback."""
        entry = self._writer.entry("done", op, refs, (), inverse)
        await self._writer.arrears.paid()
        await self._tables.append("ledger", [entry])
        await self._tables.told()
        return entry.batch

    @property
    def survey(self) -> Survey:
        """What a doctor looks at: below the rows, and beside them."""
        return Survey(self._tables, self._writer)

    async def maintain(self, *, force: bool = False) -> Maintenance | None:
        """Compact, index and prune; None while another process is at it."""
        try:
            async with self._elected(seconds=0):
                done = await maintain(self._tables, self._writer.locks, force=force)
                if done.compacted:
                    self._tables.lightening.round()
                    await anyio.to_thread.run_sync(sweep, self._tables.shelf)
                return done
        except Busy:
            return None

    async def purge(self, erasure: Erasure) -> Erased:
        """Erase rows for good, and look again with the detector that found the needles before.

        Raises:
            Busy: maintenance of another process does not end.
        """
        async with self._elected(seconds=self._writer.busy_seconds):
            return await purge(self._tables, erasure, self._writer.locks)

    async def replace_vectors(self, parts: AsyncIterator[Revised], *, model: str, dim: int) -> int:
        """Give rows vectors of another model, a part after the other; how many rows that were.

        Searches go on by words until all have theirs.

        Raises:
            Busy: maintenance of another process does not end.
        """
        async with self._elected(seconds=self._writer.busy_seconds):
            still = self._writer.locks.still
            await self._renamed("", dim)
            if dim != self._tables.dim:
                await resize_vectors(self._tables, dim)
            done = 0
            async for table, rows in parts:
                await still()
                await put_vectors(self._tables, table, rows)
                done += len(rows)
            await still()
            await self._renamed(model, dim)
        return done

    async def tombstones(self) -> tuple[bytes, frozenset[str]]:
        """The key and the keyed hashes of what must not come back."""
        marks = await anyio.to_thread.run_sync(read_tombstones, self._tables.home.papers)
        return bytes.fromhex(self._meta.key), marks

    async def put_tombstones(self, marks: Iterable[str]) -> None:
        """Remember keyed hashes of what must not come back."""
        await anyio.to_thread.run_sync(add_tombstones, self._tables.home.papers, set(marks))
        await self._tables.tell()

    async def fresh(self) -> None:
        """See what other machines wrote before this call; in a folder every look does."""
        await self._tables.fresh()

    async def tell(self) -> None:
        """Let other machines see what changed in the home's papers."""
        await self._tables.tell()

    @asynccontextmanager
    async def elected(self, name: str, *, seconds: float, work: str) -> AsyncIterator[None]:
        """One process at a time, which sees what those before it wrote.

        Raises:
            Busy: another one is at it.
        """
        await self._writer.arrears.paid()
        async with self._writer.locks.elected(name, seconds=seconds, work=work):
            await self._tables.seen()
            yield
            await self._tables.told()

    def _elected(self, *, seconds: float) -> AbstractAsyncContextManager[None]:
        return self.elected(MAINTENANCE, seconds=seconds, work="maintenance")

    async def _renamed(self, model: str, dim: int) -> None:
        self._meta = replace(self._meta, model=model, dim=dim)
        await anyio.to_thread.run_sync(write_meta, self._tables.home.papers, self._meta)
        await self._tables.tell()
        self.vectors_ready = bool(model)

    async def _kept(self, entry: LedgerRow, rows: Sequence[MemoryRow]) -> None:
        await self._tables.append("ledger", [entry])
        try:
            version = await self._tables.append("memories", list(rows))
        except MemoryBankError:
            await self._or_later(partial(reverse_once, self._tables, entry))
            raise
        self._reads.follow(version, rows)
        if revised := [row.key for row in rows if row.version > 1]:
            await quieten(self._tables, revised)
        await self._tables.settle(("ledger", "memories"), since=entry.at)
        await self._tables.told()

    @asynccontextmanager
    async def _in_time(self, entry: LedgerRow) -> AsyncIterator[None]:
        """Around a change: one that came too late stands or goes as those decided who went on.

        Raises:
            CameTooLate: it was taken back.
        """
        written = False
        try:
            await self._writer.arrears.paid()
            async with self._writer.alive.writing():
                yield
                written = True
        except CameTooLate:
            if not (written and await stands(self._tables, entry)):
                raise

    async def _commit(self, change: Change) -> None:
        try:
            await commit(self._tables, change)
        except MemoryBankError:
            await self._or_later(partial(reverse, self._tables, change.intent))
            raise
        try:
            await complete(self._tables, change.intent, change.effects)
        except MemoryBankError:
            self._writer.alive.unfinished = True
            raise
        await self._tables.told()

    async def _or_later(self, work: Callable[[], Awaitable[object]]) -> None:
        """Take something back now, or at the next opening: the disk may take nothing more."""
        try:
            with anyio.CancelScope(shield=True):
                await work()
        except MemoryBankError:
            self._writer.alive.unfinished = True
            logger.warning("a change that failed is taken back at the next opening")

    async def _read(
        self, table: Table, where: Where, kind: type[R], columns: Sequence[str] = ()
    ) -> list[R]:
        named = columns or [name for name in kind.__dataclass_fields__ if name != "vector"]
        holds = holding(table, where)
        return await self._reads.read(table, to_sql(table, where), named, kind, holds)
