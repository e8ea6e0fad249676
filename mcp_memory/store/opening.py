"""Opening a store: papers, migration, recovery of what dead writers left, and a clean close."""

import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import anyio
import anyio.to_thread

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import Busy, of_system
from mcp_memory.store.changes import Recovered, recover, untold
from mcp_memory.store.home import (
    Meta,
    back_up,
    end_purge,
    migrated,
    new_meta,
    pending_purge,
    read_meta,
    secure,
    write_meta,
)
from mcp_memory.store.locking import (
    MAINTENANCE,
    OPENING,
    PREFIX,
    Alive,
    Writer,
    dead_writers,
    elected,
    locks_of_the_dead,
)
from mcp_memory.store.purging import finish_purge
from mcp_memory.store.schema import SCHEMA, arrow_schema, empty_columns
from mcp_memory.store.settling import put_torn_aside
from mcp_memory.store.store import Store
from mcp_memory.store.tables import Tables, load_lancedb, open_tables
from mcp_memory.store.upkeep import SEARCHED, build_indexes
from mcp_memory.store.vectors import any_stored, resize_vectors


@asynccontextmanager
async def open_store(  # PLR0913: the composition root says everything once
    path: Path, *, locks: Path, model: str, dim: int, busy_seconds: float, actor: str
) -> AsyncIterator[Store]:
    """The store in a folder, made where there is none; LanceDB is imported in a worker thread.

    `model` and `dim` are what vectors are made by now; where the stored ones differ the store opens
    all the same, with `vectors_ready` False.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged.
        StoreFull: the disk took no more.
        HomeRefused: the system does not let this user at its folder.
        Busy: another process does not get done with making or migrating it.
    """
    path = await anyio.to_thread.run_sync(path.absolute)
    await anyio.to_thread.run_sync(_make_private, path, locks)
    # Looked at before LanceDB is loaded: a store that is too new is refused at once.
    await anyio.to_thread.run_sync(read_meta, path)
    await load_lancedb()
    alive = Alive(locks, f"{PREFIX}{uuid4().hex}")
    with ExitStack() as until_closed:
        until_closed.enter_context(privacy.private())
        opening = locks / OPENING
        async with elected(opening, seconds=busy_seconds, work="opening the store"):
            if await anyio.to_thread.run_sync(locks_of_the_dead, locks):
                await anyio.to_thread.run_sync(put_torn_aside, path / "lance")
            meta, tables = await _opened(path, model=model, dim=dim)
            until_closed.callback(tables.connection.close)
            until_closed.enter_context(alive.held())
        recovered = await _recover(tables, locks, alive)
        ready = dim > 0 and (meta.model, tables.dim) == (model, dim)
        writer = Writer(actor, alive, locks, busy_seconds)
        yield Store(tables, writer, meta, vectors_ready=ready, recovered=recovered)


def _make_private(path: Path, locks: Path) -> None:
    """The folders, for the user alone; what an older version left open to others is closed, once."""
    try:
        older = os.name == "posix" and privacy.is_open(path / "lance")
        for folder in (path.parent, path, locks):
            secure(folder)
        if older:
            privacy.close(privacy.open_to_others(path.parent))
    except OSError as error:
        raise of_system(error) from error


async def _opened(path: Path, *, model: str, dim: int) -> tuple[Meta, Tables]:
    """Papers and tables, made or migrated where need be; nobody else does so meanwhile."""
    meta = await anyio.to_thread.run_sync(read_meta, path)
    if meta is not None and meta.schema < SCHEMA:
        await anyio.to_thread.run_sync(back_up, path, meta)
    tables = await open_tables(path / "lance", dim, unborn=meta is None)
    if meta is None:
        for table in SEARCHED:
            await build_indexes(tables, table)
        meta = await anyio.to_thread.run_sync(lambda: new_meta(path, model=model, dim=dim))
    elif meta.schema < SCHEMA:
        await _add_columns(tables)
        meta = await anyio.to_thread.run_sync(migrated, path, meta)
    if dim > 0 and (meta.model, tables.dim) != (model, dim) and not await any_stored(tables):
        if tables.dim != dim:
            await resize_vectors(tables, dim)
        meta = replace(meta, model=model, dim=dim)
        await anyio.to_thread.run_sync(write_meta, path, meta)
    return meta, tables


async def _recover(tables: Tables, locks: Path, alive: Alive) -> list[Recovered]:
    """Finish what dead writers began; without a dead writer's lock file nothing is read."""
    finished = []
    for owner in dead_writers(locks):
        finished += await recover(tables, owner)
    pending = await anyio.to_thread.run_sync(pending_purge, tables.path.parent)
    if pending is not None:
        await _finish_purge(tables, locks, alive)
    return finished


async def _finish_purge(tables: Tables, locks: Path, alive: Alive) -> None:
    """What a killed purge left; one that is under way in another process is left to it."""
    lock = locks / MAINTENANCE
    try:
        async with elected(lock, seconds=0, work="maintenance"):
            pending = await anyio.to_thread.run_sync(pending_purge, tables.path.parent)
            if pending is None:
                return
            effects = untold(pending)
            await finish_purge(tables, effects, locks=locks, owner=alive.owner)
            await anyio.to_thread.run_sync(end_purge, tables.path.parent)
    except Busy:
        return


async def _add_columns(tables: Tables) -> None:
    """Columns that an older schema lacks; the step from 0 to 1 and the pattern for later ones."""
    for name, table in tables.by_name.items():
        present = set((await table.schema()).names)
        missing = [c for c in arrow_schema(name, tables.dim) if c.name not in present]
        if missing:
            await tables.write(partial(table.add_columns, empty_columns(missing)))
