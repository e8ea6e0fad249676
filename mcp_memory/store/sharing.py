"""Sharing: what machines that share a bank keep beside its tables: leases in place of locks, and papers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp_memory.store.address import Home
from mcp_memory.store.electing import Leases
from mcp_memory.store.leases import LEASES, LeaseTable, first_rows
from mcp_memory.store.locking import FolderLocks, Locks
from mcp_memory.store.papers import PAPERS, Papers, as_rows
from mcp_memory.store.tables import connect, open_beside


async def open_shared(connection: Any, home: Home, owner: str) -> tuple[Locks, Papers | None]:
    """The locks of a home, and the papers that its machines share; a folder's are its files.

    Raises:
        StoreUnreadable: the address is out of reach.
    """
    if home.address is None:
        return FolderLocks(home.locks, owner), None
    table = await open_beside(connection, home, LEASES, first_rows())
    shared = await open_papers(connection, home)
    return Leases(LeaseTable(table), owner, seconds=home.lease_seconds), shared


async def open_papers(connection: Any, home: Home) -> Papers:
    """The shared papers, brought up to date in the home's folder."""
    table = await open_beside(connection, home, PAPERS, as_rows([]))
    shared = Papers(table, home.folder)
    await shared.pull()
    return shared


@asynccontextmanager
async def sharing(home: Home) -> AsyncIterator[Papers | None]:
    """The papers of a home without its bank: read when the block is entered, told when it is left."""
    if home.address is None:
        yield None
        return
    connection = await connect(home)
    try:
        shared = await open_papers(connection, home)
        yield shared
        await shared.push()
    finally:
        connection.close()
