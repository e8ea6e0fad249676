"""Snapshots: one moment of all tables, as the files of one version of each, while others go on writing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import anyio
import anyio.to_thread

from mcp_memory.domain.errors import Busy
from mcp_memory.store.locking import MAINTENANCE, Writer
from mcp_memory.store.rows import Table
from mcp_memory.store.schema import ROW_TYPES
from mcp_memory.store.tables import Tables

_TRIES = 400
_LAST_VERSION = (1 << 64) - 1
"""A manifest is named by how many versions may still come: a listing has the newest first."""


@asynccontextmanager
async def snapshot(tables: Tables, writer: Writer) -> AsyncIterator[list[Path]]:
    """The files that one moment of all tables is made of; they stay until the block is left.

    No lock keeps writers out: the versions of all tables are read until two readings agree. Upkeep
    waits, as it alone removes files.

    Raises:
        Busy: upkeep does not end, or writers never pause.
        AddressRefused: the bank lies in no folder.
    """
    tables.home.must_be_folder(
        "be written into one file",
        instead="Copy its bucket, or let the store keep versions of it, as its own tools do.",
    )
    seconds = writer.busy_seconds
    async with writer.locks.elected(MAINTENANCE, seconds=seconds, work="maintenance"):
        moment = await _moment(tables)
        root = tables.home.papers / "lance"
        yield await anyio.to_thread.run_sync(_files, root, moment)


async def _moment(tables: Tables) -> Mapping[Table, int]:
    """The versions of all tables at one time."""
    before = await _versions(tables)
    for _ in range(_TRIES):
        now = await _versions(tables)
        if now == before:
            return now
        before = now
    raise Busy("writing, without a pause", 0)


async def _versions(tables: Tables) -> dict[Table, int]:
    return {table: int(await tables.attempt(tables[table].version)) for table in ROW_TYPES}


def _files(root: Path, moment: Mapping[Table, int]) -> list[Path]:
    return [file for table, version in moment.items() for file in _of(root, table, version)]


def _of(root: Path, table: Table, version: int) -> list[Path]:
    """What a version of a table names: its manifest, data, deletions and indexes."""
    folder = root / f"{table}.lance"
    manifest = folder / "_versions" / f"{_LAST_VERSION - version}.manifest"
    told = manifest.read_bytes()
    data = [file for file in (folder / "data").rglob("*") if file.name.encode() in told]
    # Deletions are named by numbers that the manifest does not spell; a few too many do no harm.
    deleted = [file for file in (folder / "_deletions").rglob("*") if file.is_file()]
    indexes = [
        file
        for index in (folder / "_indices").glob("*")
        if UUID(index.name).bytes in told
        for file in index.rglob("*")
        if file.is_file()
    ]
    return [manifest, *data, *deleted, *indexes]
