"""Arrears: what an opening had to write and could not, made up for before the first write."""

import logging
from collections.abc import Awaitable, Callable

import anyio

from mcp_memory.domain.errors import Busy, HomeRefused, StoreFull

logger = logging.getLogger(__name__)

IN_THE_WAY = (StoreFull, HomeRefused, Busy)
"""What keeps a process from writing and not from reading: a disk, a right, a lock of another."""
Work = Callable[[], Awaitable[object]]


class Arrears:
    """Works that a store owes, in their order; to read it none of them is needed."""

    def __init__(self) -> None:
        self._owed: list[Work] = []
        self._turn = anyio.Lock()

    async def now_or_later(self, work: Work) -> None:
        """Do it, or owe it where the disk or the system does not let it be written."""
        try:
            await work()
        except IN_THE_WAY as error:
            logger.warning("put off until something is written: %s", error)
            self._owed.append(work)

    async def paid(self) -> None:
        """Do what is owed, before something is written.

        Raises:
            StoreFull: the disk still takes nothing.
            HomeRefused: the system still does not let this user write.
            Busy: another process does not come to its end.
        """
        if not self._owed:
            return
        async with self._turn:
            while self._owed:
                await self._owed[0]()
                del self._owed[0]
