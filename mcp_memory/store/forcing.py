"""Forcing: writers that wait for the disk at the same time wait for one round together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread

from mcp_memory.domain.errors import of_system
from mcp_memory.store.rows import Table
from mcp_memory.store.settling import settle


@dataclass(slots=True, eq=False)
class _Round:
    """What is forced together, and how that went."""

    tables: dict[Table, None] = field(default_factory=dict)
    since: float = float("inf")
    done: bool = False
    error: OSError | None = None


class Forcing:
    """Rounds in which what this process wrote is forced to the disk, one after another.

    Who comes while one is under way waits for the next, which is for all that came by then.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._turn = anyio.Lock()
        self._next = _Round()

    async def settle(self, tables: Sequence[Table], *, since: datetime) -> None:
        """Force what was written to these tables since a time to the disk.

        Raises:
            StoreFull: the disk took no more.
            HomeRefused: it does not take it for another reason.
        """
        mine = self._next
        mine.tables |= dict.fromkeys(tables)
        mine.since = min(mine.since, since.timestamp())
        async with self._turn:
            if not mine.done:
                await self._run(mine)
        if mine.error is not None:
            raise of_system(mine.error) from mine.error

    async def _run(self, one: _Round) -> None:
        if self._next is one:
            self._next = _Round()
        try:
            await anyio.to_thread.run_sync(
                lambda: settle(self._root, tuple(one.tables), since=one.since)
            )
        except OSError as error:
            one.error = error
        one.done = True
