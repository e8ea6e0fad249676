"""Sharing: what machines that share a bank keep beside its tables: leases in place of locks, and papers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import anyio.to_thread

from mcp_memory.domain import privacy
from mcp_memory.store.address import Home
from mcp_memory.store.electing import Leases
from mcp_memory.store.leases import LEASES, LeaseTable, first_rows
from mcp_memory.store.locking import FolderLocks, Locks
from mcp_memory.store.notice import ASKED, WRITTEN, Notice, notice_of
from mcp_memory.store.papers import PAPERS, Papers, as_rows
from mcp_memory.store.tables import connect, open_beside
from mcp_memory.store.usage import USAGE, Usage, no_rows


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


@dataclass(frozen=True, slots=True)
class Shared:
    """What replicas of a server share beside the bank itself."""

    papers: Papers
    usage: Usage
    notice: Notice | None = None

    async def pull(self) -> None:
        """Bring the papers up to date, where anybody wrote anything."""
        if self.notice is None:
            await self.papers.pull()
        else:
            await self.notice.after(self.papers.pull)


@asynccontextmanager
async def sharing(home: Home) -> AsyncIterator[Shared | None]:
    """What machines share of a home, without its bank; None in a folder.

    Papers are read when the block is entered, and told when it is left.

    Raises:
        StoreUnreadable: the address is out of reach.
        AddressRefused: what it needs is not set in the environment.
    """
    if home.address is None:
        yield None
        return
    await anyio.to_thread.run_sync(privacy.make, home.folder)
    connection = await connect(home)
    try:
        papers = await open_papers(connection, home)
        table = await open_beside(connection, home, USAGE, no_rows())
        notice = notice_of(home, WRITTEN)
        yield Shared(papers, Usage(table, uuid4().hex, notice_of(home, ASKED)), notice)
        if await papers.push() and notice is not None:
            await notice.renew()
    finally:
        connection.close()
