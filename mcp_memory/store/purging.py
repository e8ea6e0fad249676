"""Purge: rows out of every file of every version, and the detector that proves it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import time

import anyio
import anyio.to_thread

from mcp_memory.domain.models import Check
from mcp_memory.store.changes import CHANGED, Effect, carry_out, told
from mcp_memory.store.detecting import Seen, in_files, in_tables
from mcp_memory.store.home import begin_purge, end_purge
from mcp_memory.store.locking import OPENING, Locks
from mcp_memory.store.rows import Table, Where
from mcp_memory.store.shelf import Shelf
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import SEARCHED, WORD_COLUMNS, build_indexes, optimize
from mcp_memory.text.needles import Needles

_ORPHAN_SECONDS = 600.0
"""No append is under way for longer: what nothing names by then never will be."""
_JOIN_SECONDS = 30.0
"""How long a process that opens the store is waited for."""
_LOOKS = 40
_PORTIONS = (("0", "2"), ("2", "5"), ("5", "9"))
"""How a row's hash begins, from and below: two of sixteen are more than the tenth that makes a
compaction write a file anew; of a small file it may take another round.
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a purge erases, and by what it is known to be gone.

    Rows are named by keys, trajectories and the like, never by `contains`: what is to be erased
    must not be written down once more.
    """

    selected: Mapping[Table, Where]
    needles: Sequence[str] = ()
    also: Sequence[Table] = ()
    """Tables that have lost rows already, which still lie in their files."""
    stays: Callable[[Seen], bool] = lambda _: False
    """Whether a row that holds a needle is to stay: then the needle tells nothing."""
    told: Callable[[str], None] = lambda _: None
    """Is told what is being done."""

    @property
    def effects(self) -> list[Effect]:
        """The rows to drop."""
        if any(where.contains for where in self.selected.values()):
            raise AssertionError
        return [Effect("drop", table, where) for table, where in self.selected.items()]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that hold any of it: no other is read or rewritten."""
        return tuple(table for table in CHANGED if table in {*self.selected, *self.also})


@dataclass(frozen=True, slots=True)
class Erased:
    """What a purge came to."""

    checks: list[Check]
    needles: tuple[str, ...]
    """Those that stood in nothing that stays."""
    left: Counter[str] = field(default_factory=Counter)


async def purge(tables: Tables, erasure: Erasure, locks: Locks) -> Erased:
    """Erase rows and prove it; the caller holds the maintenance lock.

    A note of the work lies beside the tables until it is done, so that an opening after a kill can
    finish it. All rows of a table that held any move to new files, since rows that were replaced
    long ago lie in the old ones too, marked as deleted and no more.
    """
    erasure.told("looking for it in every version")
    held = await in_tables(tables, erasure.tables, Needles(erasure.needles))
    elsewhere = {seen.needle for seen in held if erasure.stays(seen)}
    needles = Needles([each for each in erasure.needles if each not in elsewhere])
    before = await _counted(tables, erasure, needles, held)
    old = await anyio.to_thread.run_sync(_files, tables.shelf, erasure.tables)
    with anyio.CancelScope(shield=True):
        effects = erasure.effects
        await anyio.to_thread.run_sync(begin_purge, tables.home.papers, told(effects))
        await tables.tell()
        await finish_purge(tables, effects, locks, erasure.tables)
        erasure.told("looking again")
        seen = await in_tables(tables, erasure.tables, needles)
        after = await _counted(tables, erasure, needles, seen)
        left = old & await anyio.to_thread.run_sync(_files, tables.shelf, erasure.tables)
        unnamed = await _unnamed(tables)
        await anyio.to_thread.run_sync(end_purge, tables.home.papers)
        await tables.tell()
    checks = [Check(where=place, control=before[place], left=after[place]) for place in before]
    checks += [
        Check(where="files from before the purge", control=len(old), left=len(left)),
        Check(where="files that no version names", control=len(old), left=len(unnamed)),
    ]
    return Erased(checks, needles.all)


async def finish_purge(
    tables: Tables,
    effects: Sequence[Effect],
    locks: Locks,
    touched: Sequence[Table] = CHANGED,
) -> None:
    """Erase the rows, build word indexes without them, move all others, drop what went before."""
    await carry_out(tables, effects)
    for table in touched:
        await locks.still()
        if table == "evidence":
            # The words first: until the new index is there, the old one answers.
            await build_indexes(tables, table, anew=True, among=WORD_COLUMNS)
            await _move_in_portions(tables, table)
        else:
            await _move(tables, table)
    async with _still(tables, locks) as alone:
        for table in dict.fromkeys((*touched, "ledger")):
            # Unverified files are those of unfinished appends: without other writers, leftovers.
            await optimize(tables, table, keep=timedelta(0), unverified=alone)
    await anyio.to_thread.run_sync(sweep, tables.shelf)


def sweep(shelf: Shelf) -> None:
    """Remove data files that no version names and nobody can be about to name: a kill left them.

    They may hold rows that were purged since, and the library keeps them for a week. Blocking.
    In an object store it is left to the library: a machine that stood still may name one yet.
    """
    if shelf.root is None:
        return
    oldest = time() - _ORPHAN_SECONDS
    nameless = _nameless(shelf)
    for each in shelf.listed() if nameless else ():
        if each.name in nameless and each.changed < oldest:
            shelf.remove(each.name)


async def _move(tables: Tables, table: Table, where: str = "") -> None:
    """Rows to new files, in one commit that concurrent appends do not disturb."""
    condition = {"where": where} if where else {}
    await tables.write(partial(tables[table].update, updates_sql={"state": "state"}, **condition))
    if not where and table in SEARCHED:
        await build_indexes(tables, table, anew=True)


async def _move_in_portions(tables: Tables, table: Table) -> None:
    """All rows to new files without a moment in which no index knows most of them.

    A file of which a tenth is gone is rewritten by a compaction, and indexes follow; rows that are
    moved by an update are known to none until they are indexed again.
    """
    old = await anyio.to_thread.run_sync(_files, tables.shelf, (table,))
    for first, below in _PORTIONS:
        await _move(tables, table, f"hash >= '{first}' AND hash < '{below}'")
        await optimize(tables, table, keep=timedelta(0))
        if not old & await anyio.to_thread.run_sync(_files, tables.shelf, (table,)):
            return
    await _move(tables, table)


async def _counted(
    tables: Tables, erasure: Erasure, needles: Needles, seen: Sequence[Seen]
) -> dict[str, int]:
    """How often the needles were seen, by table, and how often they stand in raw files."""
    counts = Counter(each.table for each in seen if each.needle in needles.all)
    raw = [
        await anyio.to_thread.run_sync(in_files, tables.shelf, needles, f"{table}.lance")
        for table in erasure.tables
    ]
    found = {f"table {table}": counts[table] for table in erasure.tables}
    return {**found, "raw files": sum(each.total() for each in raw)}


@asynccontextmanager
async def _still(tables: Tables, locks: Locks) -> AsyncIterator[bool]:
    """Whether this process is the only writer; none begins to write meanwhile if so."""
    async with (
        locks.elected(OPENING, seconds=_JOIN_SECONDS, work="opening the store"),
        tables.still(),
    ):
        yield not await locks.others_alive()


def _files(shelf: Shelf, folders: Sequence[Table] = CHANGED) -> frozenset[str]:
    """What holds rows or words: data files, and the files of indexes."""
    return frozenset(
        each.name
        for table in folders
        for kind in ("data", "_indices")
        for each in shelf.listed(f"{table}.lance/{kind}")
    )


async def _unnamed(tables: Tables) -> frozenset[str]:
    """Data files that no version names; appends that are just under way are waited for."""
    found = await anyio.to_thread.run_sync(_nameless, tables.shelf)
    for _ in range(_LOOKS):
        if not found:
            break
        await anyio.sleep(0.05)
        found &= await anyio.to_thread.run_sync(_nameless, tables.shelf)
    return found


def _nameless(shelf: Shelf) -> frozenset[str]:
    return frozenset(name for table in CHANGED for name in _nameless_of(shelf, f"{table}.lance"))


def _nameless_of(shelf: Shelf, folder: str) -> Iterator[str]:
    files = [each.name for each in shelf.listed(f"{folder}/data") if each.name.endswith(".lance")]
    named = b"".join(read(shelf, f"{folder}/_versions", ".manifest"))
    return (name for name in files if name.rpartition("/")[2].encode() not in named)


def read(shelf: Shelf, folder: str, ending: str) -> Iterator[bytes]:
    """The bytes of files with such a name; what goes meanwhile is passed over."""
    for each in list(shelf.listed(folder)):
        if each.name.endswith(ending):
            with suppress(FileNotFoundError):
                yield b"".join(shelf.pieces(each.name))
