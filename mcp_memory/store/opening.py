"""Opening a store: papers, migration, recovery of what dead writers left, and a clean close."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import Busy, of_system
from mcp_memory.store.address import Home
from mcp_memory.store.arrears import IN_THE_WAY, Arrears
from mcp_memory.store.changes import Recovered, recover, untold
from mcp_memory.store.home import (
    META,
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
    Locks,
    Writer,
)
from mcp_memory.store.notice import WRITTEN, notice_of
from mcp_memory.store.papers import Papers
from mcp_memory.store.purging import finish_purge
from mcp_memory.store.schema import SCHEMA, arrow_schema, empty_columns
from mcp_memory.store.settling import put_torn_aside
from mcp_memory.store.sharing import open_shared
from mcp_memory.store.store import Store
from mcp_memory.store.tables import Tables, connect, open_tables
from mcp_memory.store.trimming import spare
from mcp_memory.store.upkeep import SEARCHED, build_indexes
from mcp_memory.store.vectors import any_stored, resize_vectors

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_store(
    home: Home, *, model: str, dim: int, busy_seconds: float, actor: str
) -> AsyncIterator[Store]:
    """The store of a home, made where there is none; LanceDB is imported in a worker thread.

    To open one that is there nothing has to be written: what cannot be now is made up for before the
    first write. `model` and `dim` are what vectors are made by now; where the stored ones differ the
    store opens all the same, with `vectors_ready` False.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged, or its address is out of reach.
        StoreFull: the disk took no more, and it is still to be made or migrated.
        HomeRefused: the system does not let this user at its folder.
        AddressRefused: what its address needs is not set in the environment.
        Busy: another process does not get done with making or migrating it.
    """
    home = replace(home, folder=await anyio.to_thread.run_sync(home.folder.absolute))
    await anyio.to_thread.run_sync(_make_private, home)
    # Looked at before LanceDB is loaded: a store that is too new is refused at once.
    await anyio.to_thread.run_sync(read_meta, home.papers)
    owner = f"{PREFIX}{uuid4().hex}"
    # Before the library starts its threads: each would have an arena of its own, kept for good.
    spare()
    async with AsyncExitStack() as until_closed:
        until_closed.enter_context(privacy.private())
        connection = await connect(home)
        until_closed.callback(connection.close)
        locks, papers = await open_shared(connection, home, owner)
        wanted = _Wanted(model, dim, busy_seconds)
        meta, tables, alive = await _joined(
            _Ground(connection, home, locks, papers), wanted, until_closed
        )
        until_closed.callback(tables.close)
        recovered: list[Recovered] = []
        arrears = await _caught_up(tables, locks, alive, recovered)
        ready = dim > 0 and (meta.model, tables.dim) == (model, dim)
        writer = Writer(actor, alive, locks, busy_seconds, arrears)
        yield Store(tables, writer, meta, vectors_ready=ready, recovered=recovered)


async def _caught_up(
    tables: Tables, locks: Locks, alive: Alive, recovered: list[Recovered]
) -> Arrears:
    """What dead writers left is finished, or owed; where, `recovered` says what that was."""

    async def finish(dead: str) -> None:
        await tables.seen()  # what it had written last must be seen, or it would stay
        recovered.extend(await recover(tables, dead))

    async def signed() -> None:
        async with alive.writing():
            return

    arrears = Arrears()
    if tables.papers is None:  # at an address the first write signs, and costs a request
        await arrears.now_or_later(signed)
    await arrears.now_or_later(partial(locks.mend, finish))
    await arrears.now_or_later(partial(_erased_to_its_end, tables, locks))
    return arrears


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a store stands on, before its tables are open."""

    connection: Any
    home: Home
    locks: Locks
    papers: Papers | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What vectors are made by, and how long another process is waited for."""

    model: str
    dim: int
    busy_seconds: float

    def differs(self, meta: Meta, tables: Tables) -> bool:
        """Whether the stored vectors are of another make."""
        return self.dim > 0 and (meta.model, tables.dim) != (self.model, self.dim)


def _make_private(home: Home) -> None:
    """The folders, for the user alone; what an older version left open to others is closed, once.

    A store that is there can be read where nothing of this may be done.
    """
    try:
        older = os.name == "posix" and privacy.is_open(home.papers / "lance")
        for folder in (home.folder, home.papers, home.locks):
            secure(folder)
        if older:
            privacy.close(privacy.open_to_others(home.folder))
    except OSError as error:
        if not os.access(home.papers / META, os.R_OK):
            raise of_system(error) from error


async def _joined(
    ground: _Ground, wanted: _Wanted, until_closed: AsyncExitStack
) -> tuple[Meta, Tables, Alive]:
    """Papers and tables, and this process among the writers: nobody makes or migrates meanwhile."""
    meta = await anyio.to_thread.run_sync(read_meta, ground.home.papers)
    if ground.papers is not None and meta is not None and meta.schema == SCHEMA:
        # At an address a lock is four requests: not for opening what is there and as it should be.
        tables = await _open(ground, wanted, unborn=False)
        if not wanted.differs(meta, tables):
            return meta, tables, await until_closed.enter_async_context(ground.locks.alive())
    try:
        return await _in_turn(ground, wanted, until_closed)
    except IN_THE_WAY as error:
        if meta is None or meta.schema != SCHEMA:
            raise
        # Nothing is to be made or migrated: to read it no lock is needed, nor room on the disk.
        logger.warning("opened for reading until something can be written: %s", error)
    tables = await _open(ground, wanted, unborn=False)
    return meta, tables, await until_closed.enter_async_context(ground.locks.alive())


async def _in_turn(
    ground: _Ground, wanted: _Wanted, until_closed: AsyncExitStack
) -> tuple[Meta, Tables, Alive]:
    seconds = wanted.busy_seconds
    async with ground.locks.elected(OPENING, seconds=seconds, work="opening the store"):
        # A power cut leaves nobody alive: beside a living writer no version is half written.
        if await ground.locks.any_dead() and not await ground.locks.others_alive():
            await anyio.to_thread.run_sync(_torn_aside, ground.home.papers / "lance")
        meta, tables = await _opened(ground, wanted)
        return meta, tables, await until_closed.enter_async_context(ground.locks.alive())


def _torn_aside(root: Path) -> None:
    try:
        put_torn_aside(root)
    except OSError as error:
        raise of_system(error) from error


async def _open(ground: _Ground, wanted: _Wanted, *, unborn: bool) -> Tables:
    tables = await open_tables(ground.connection, ground.home, wanted.dim, unborn=unborn)
    tables.papers = ground.papers
    tables.notice = notice_of(ground.home, WRITTEN) if ground.papers else None
    return tables


async def _opened(ground: _Ground, wanted: _Wanted) -> tuple[Meta, Tables]:
    """Papers and tables, made or migrated where need be; nobody else does so meanwhile."""
    if ground.papers is not None:
        await ground.papers.pull()
    path, dim = ground.home.papers, wanted.dim
    meta = await anyio.to_thread.run_sync(read_meta, path)
    if meta is not None and meta.schema < SCHEMA and ground.papers is None:
        await anyio.to_thread.run_sync(back_up, path, meta)
    tables = await _open(ground, wanted, unborn=meta is None)
    if meta is None:
        for table in SEARCHED:
            await build_indexes(tables, table)
        meta = await anyio.to_thread.run_sync(lambda: new_meta(path, model=wanted.model, dim=dim))
    elif meta.schema < SCHEMA:
        await _add_columns(tables)
        meta = await anyio.to_thread.run_sync(migrated, path, meta)
    if wanted.differs(meta, tables) and not await any_stored(tables):
        if tables.dim != dim:
            await resize_vectors(tables, dim)
        meta = replace(meta, model=wanted.model, dim=dim)
        await anyio.to_thread.run_sync(write_meta, path, meta)
    await tables.tell()
    return meta, tables


async def _erased_to_its_end(tables: Tables, locks: Locks) -> None:
    """What a killed purge left; one that is under way in another process is left to it."""
    path = tables.home.papers
    if await anyio.to_thread.run_sync(pending_purge, path) is None:
        return
    with suppress(Busy):
        async with locks.elected(MAINTENANCE, seconds=0, work="maintenance"):
            await tables.seen()
            pending = await anyio.to_thread.run_sync(pending_purge, path)
            if pending is None:
                return
            await finish_purge(tables, untold(pending), locks)
            await anyio.to_thread.run_sync(end_purge, path)
            await tables.tell()


async def _add_columns(tables: Tables) -> None:
    """Columns that an older schema lacks; the step from 0 to 1 and the pattern for later ones."""
    for name, table in tables.by_name.items():
        present = set((await table.schema()).names)
        missing = [c for c in arrow_schema(name, tables.dim) if c.name not in present]
        if missing:
            await tables.write(partial(table.add_columns, empty_columns(missing)))
