"""Opening a store: papers, migration, recovery of what dead writers left, and a clean close."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import anyio.to_thread
import filelock

from mcp_memory.store import changes, home, schema, upkeep
from mcp_memory.store.changes import Recovered
from mcp_memory.store.store import Store, Writer
from mcp_memory.store.tables import Tables, open_tables

_PREFIX = "writer-"


@asynccontextmanager
async def open_store(  # noqa: PLR0913 the composition root says everything once
    path: Path, *, locks: Path, model: str, dim: int, busy_seconds: float, actor: str
) -> AsyncIterator[Store]:
    """The store in a folder, made where there is none; LanceDB is imported in a worker thread.

    `model` and `dim` are what vectors are made by now; where the stored ones differ the store opens
    all the same, with `vectors_ready` False.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged.
        StoreFull: the disk took no more.
    """
    path = path.absolute()
    for folder in (path.parent, path, locks):
        home.secure(folder)
    meta = await anyio.to_thread.run_sync(lambda: home.read_meta(path, model=model, dim=dim))
    older = meta.schema < schema.SCHEMA
    if older:
        await anyio.to_thread.run_sync(home.back_up, path, meta)
    tables = await open_tables(path / "lance", dim)
    if older:
        await _add_columns(tables)
        meta = await anyio.to_thread.run_sync(home.migrated, path, meta)
    for table in upkeep.SEARCHED:
        await upkeep.build_indexes(tables, table, 0)
    writer = Writer(actor, f"{_PREFIX}{uuid4().hex}", locks, busy_seconds)
    with _alive(locks, writer.owner):
        recovered = await _recover(tables, locks)
        ready = dim > 0 and (meta.model, tables.dim) == (model, dim)
        yield Store(tables, writer, meta, vectors_ready=ready, recovered=recovered)
    tables.connection.close()


@contextmanager
def _alive(locks: Path, owner: str) -> Iterator[None]:
    """Hold a lock for as long as this process may write; a kill leaves its file behind."""
    file = locks / f"{owner}.lock"
    held = filelock.FileLock(file, mode=0o600)
    held.acquire()
    try:
        yield
    finally:
        held.release()
        file.unlink(missing_ok=True)


async def _recover(tables: Tables, locks: Path) -> list[Recovered]:
    """Finish what dead writers began; without a dead writer's lock file nothing is read."""
    finished = []
    for file in sorted(locks.glob(f"{_PREFIX}*.lock")):
        held = filelock.FileLock(file, mode=0o600)
        try:
            held.acquire(timeout=0)
        except filelock.Timeout:
            continue
        try:
            finished += await changes.recover(tables, file.stem)
        finally:
            held.release()
        file.unlink(missing_ok=True)
    return finished


async def _add_columns(tables: Tables) -> None:
    """Columns that an older schema lacks; the step from 0 to 1 and the pattern for later ones."""
    for name, table in tables.by_name.items():
        present = set((await table.schema()).names)
        missing = [c for c in schema.arrow_schema(name, tables.dim) if c.name not in present]
        if missing:
            await tables.attempt(lambda t=table, m=missing: t.add_columns(schema.empty_columns(m)))
