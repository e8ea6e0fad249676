"""Purge: rows out of every file of every version, and the detector that proves it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import time
from typing import Any

import anyio
import anyio.to_thread
import orjson

from mcp_memory.domain.models import Check
from mcp_memory.store.changes import CHANGED, Effect, carry_out, told
from mcp_memory.store.home import begin_purge, end_purge
from mcp_memory.store.locking import OPENING, elected, others_alive
from mcp_memory.store.rows import Table
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import SEARCHED, build_indexes, optimize

_CHUNK = 1 << 22
_ADDRESS = "_rowaddr"
_ORPHAN_SECONDS = 600.0
"""No append is under way for longer: what nothing names by then never will be."""
_LOOKS = 40
_MOST_VERSIONS = 200
"""Read before a purge, as its control; after it there are but a few, and all are read."""


async def purge(
    tables: Tables, effects: Sequence[Effect], needles: Sequence[str], *, locks: Path, owner: str
) -> list[Check]:
    """Erase rows and prove it; the caller holds the maintenance lock.

    A note of the work lies beside the tables until it is done, so that an opening after a kill can
    finish it. All rows move to new files, since rows that were replaced long ago lie in the old
    ones too, marked as deleted and no more.
    """
    before = await _detect(tables, needles)
    old = await anyio.to_thread.run_sync(_files, tables.path)
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(begin_purge, tables.path.parent, told(effects))
        await finish_purge(tables, effects, locks=locks, owner=owner)
        after = await _detect(tables, needles)
        left = old & await anyio.to_thread.run_sync(_files, tables.path)
        unnamed = await _unnamed(tables)
        await anyio.to_thread.run_sync(end_purge, tables.path.parent)
    checks = [Check(where=place, control=before[place], left=after[place]) for place in before]
    return [
        *checks,
        Check(where="files from before the purge", control=len(old), left=len(left)),
        Check(where="files that no version names", control=len(old), left=len(unnamed)),
    ]


async def finish_purge(
    tables: Tables, effects: Sequence[Effect], *, locks: Path, owner: str
) -> None:
    """Erase the rows, move all others to new files, build indexes anew, drop what went before."""
    await carry_out(tables, effects)
    for table in CHANGED:
        # Setting a column to itself rewrites every row in one commit, which concurrent appends
        # do not disturb.
        await tables.write(partial(tables[table].update, updates_sql={"state": "state"}))
        if table in SEARCHED:
            await build_indexes(tables, table, anew=True)
    async with _still(tables, locks, owner) as alone:
        for table in tables.by_name:
            # Unverified files are those of unfinished appends: without other writers, leftovers.
            await optimize(tables, table, keep=timedelta(0), unverified=alone)
    oldest = time() - _ORPHAN_SECONDS
    for path in await _unnamed(tables):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


@asynccontextmanager
async def _still(tables: Tables, locks: Path, owner: str) -> AsyncIterator[bool]:
    """Whether this process is the only writer; none begins to write meanwhile if so."""
    opening = locks / OPENING
    async with elected(opening, seconds=60, work="opening the store"), tables.still():
        yield not others_alive(locks, owner)


async def _detect(tables: Tables, needles: Sequence[str]) -> dict[str, int]:
    """How often needles occur: decoded in every version of every table, and raw in every file."""
    found = {
        f"table {table}": await _in_versions(tables, table, needles) for table in tables.by_name
    }
    found["raw files"] = await anyio.to_thread.run_sync(_in_files, tables.path, needles)
    return found


async def _in_versions(tables: Tables, table: Table, needles: Sequence[str]) -> int:
    """Each fragment is read in the oldest version that has it, where most of its rows are alive."""
    # A handle of its own: checking a version out must not move the one that others read.
    handle = await tables.connection.open_table(table)
    unread = total = 0
    for version in _chosen([each["version"] for each in await handle.list_versions()], table):
        await handle.checkout(version)
        # An address is a fragment's number and a row's place in it; numbers only grow.
        query = handle.query().where(f"_rowaddr >= {unread << 32}").with_row_address()
        async for batch in await query.select([*await _texts(handle), _ADDRESS]).to_batches():
            newest, found = await anyio.to_thread.run_sync(_in_batch, batch, needles)
            unread = max(unread, newest + 1)
            total += found
    handle.close()
    return total


def _chosen(versions: Sequence[int], table: Table) -> Sequence[int]:
    """All versions, evenly thinned out where a busy store has very many; the ledger loses no row."""
    if table == "ledger":
        return versions[-1:]
    step = -(-len(versions) // _MOST_VERSIONS)
    return [*versions[:-1:step], versions[-1]]


async def _texts(handle: Any) -> list[str]:
    return [each.name for each in await handle.schema() if str(each.type) == "string"]


def _in_batch(batch: Any, needles: Sequence[str]) -> tuple[int, int]:
    """The newest fragment in it, and how often needles occur."""
    import pyarrow.compute as pc  # heavy: only once a store is opened

    newest = pc.max(batch.column(_ADDRESS)).as_py()
    found = sum(
        pc.sum(pc.count_substring(column, spelled)).as_py() or 0
        for needle in needles
        for spelled in _spellings(needle)
        for column in batch.columns[:-1]
    )
    return (-1 if newest is None else newest >> 32), found


def _spellings(needle: str) -> set[str]:
    """As it is, and as JSON holds it."""
    return {needle, orjson.dumps(needle).decode()[1:-1]}


def _in_files(root: Path, needles: Sequence[str]) -> int:
    raw = [spelled.encode() for needle in needles for spelled in _spellings(needle)]
    overlap = max((len(needle) for needle in raw), default=1)
    return sum(
        piece.count(needle)
        for path in root.rglob("*")
        if path.is_file()
        for piece in _pieces(path, overlap)
        for needle in raw
    )


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield tail + piece
            tail = piece[-(overlap - 1) :] if overlap > 1 else b""


def _files(root: Path, folders: Sequence[Table] = CHANGED) -> frozenset[Path]:
    """What holds rows or words: data files, and the files of indexes."""
    return frozenset(
        path
        for table in folders
        for kind in ("data", "_indices")
        for path in (root / f"{table}.lance" / kind).rglob("*")
        if path.is_file()
    )


async def _unnamed(tables: Tables) -> frozenset[Path]:
    """Data files that no version names; appends that are just under way are waited for."""
    found = await anyio.to_thread.run_sync(_nameless, tables.path)
    for _ in range(_LOOKS):
        if not found:
            break
        await anyio.sleep(0.05)
        found &= await anyio.to_thread.run_sync(_nameless, tables.path)
    return found


def _nameless(root: Path) -> frozenset[Path]:
    folders = (root / f"{table}.lance" for table in CHANGED)
    return frozenset(path for folder in folders for path in _nameless_of(folder))


def _nameless_of(folder: Path) -> Iterator[Path]:
    files = list((folder / "data").glob("*.lance"))
    named = b"".join(path.read_bytes() for path in (folder / "_versions").glob("*.manifest"))
    return (path for path in files if path.name.encode() not in named)
