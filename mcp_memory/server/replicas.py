"""Replicas: what servers of one bank share beside it: tokens and papers, and how much callers ask."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.server.buckets import Buckets
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of
from mcp_memory.store.sharing import Shared, sharing

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""So soon a token that was revoked on one replica opens no other, and limits are told."""
_AGAIN_SECONDS = 0.5
"""A token that is not known here may have been made elsewhere: looked at no more often than this."""


class Replicas:
    """One replica's part of what all of them share."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._looked = 0.0

    async def look(self) -> None:
        """Bring tokens up to date now, unless that was done a moment ago; in trouble, later."""
        now = time.monotonic()
        if now - self._looked < _AGAIN_SECONDS:
            return
        self._looked = now
        try:
            await self._shared.papers.pull()
        except MemoryBankError as error:
            logger.warning("tokens of other replicas are not known for now: %s", error)

    async def keep(self, buckets: Buckets) -> None:
        """Bring tokens and limits up to date again and again, until cancelled."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            try:
                await self._shared.pull()
                if counts := buckets.untold():
                    await self._shared.usage.tell(counts)
                buckets.spent(await self._shared.usage.heard())
            except MemoryBankError as error:
                logger.warning("this replica is on its own for now: %s", error)


@asynccontextmanager
async def open_replicas(settings: Settings) -> AsyncIterator[Replicas | None]:
    """What this replica shares with others, until the block is left; None of a bank in a folder.

    Raises:
        StoreAway: the address is out of reach.
        AddressRefused: what it needs is not set in the environment.
    """
    async with sharing(home_of(settings)) as shared:
        yield Replicas(shared) if shared else None
