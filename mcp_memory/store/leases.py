"""Leases: rows of a table that change hands only by an update that names the counter they had."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import anyio

from mcp_memory.domain.errors import StoreAway
from mcp_memory.store.away import reason
from mcp_memory.store.filters import quoted
from mcp_memory.store.locking import MAINTENANCE, OPENING
from mcp_memory.store.tables import passes

T = TypeVar("T")

LEASES = "leases"
NAMES = (
    OPENING,
    MAINTENANCE,
    "index.lock",
    "memories.lock",
    "purging.lock",
    "superseding.lock",
)
"""The locks, made with the table: two that insert one row at a time both do, and the store takes it."""
_ATTEMPTS = 5
_TIDY_AFTER = 64
"""Changes of one process after which the table is compacted; each leaves two or three small objects."""
_KEEP = timedelta(minutes=5)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lease:
    """One lock, or one writer's sign of life: who has it, and how often it has changed hands."""

    name: str
    owner: str
    fence: int
    until: datetime

    def passed(self, owner: str, until: datetime = _NEVER) -> "Lease":
        """The same in other hands, or renewed by its own."""
        return replace(self, owner=owner, fence=self.fence + 1, until=until)


class LeaseTable:
    """The table of leases; one may be asked by any number of processes on any number of machines."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._turn = anyio.Lock()
        self._changes = 0

    async def all(self) -> dict[str, Lease]:
        """Every lease as it is now, by its name."""
        async with self._turn:
            rows = await self._asked(self._rows)
        found = sorted((Lease(**row) for row in rows), key=lambda each: each.fence)
        return {each.name: each for each in found}

    async def change(self, old: Lease, new: Lease) -> bool:
        """Put the new in the place of the old; False where somebody else was faster.

        Of two updates that meet, the store carries out one, and the other on what that left.
        """
        where = f"name = {quoted(old.name)} AND fence = {old.fence}"
        told = {"owner": new.owner, "fence": new.fence, "until": new.until}
        async with self._turn:
            done = await self._asked(partial(self._table.update, told, where=where))
        await self._tidied()
        if done.rows_updated:
            return True
        now = (await self.all()).get(old.name)
        # Carried out, and the answer lost on its way: asked again, nothing was left to do.
        return now is not None and now.fence == new.fence and now.owner == new.owner

    async def add(self, lease: Lease) -> None:
        """A new lease, whose name nobody else can come to."""
        async with self._turn:
            await self._asked(partial(self._table.add, [asdict(lease)]))
        await self._tidied()

    async def remove(self, lease: Lease) -> None:
        """Take it away, unless it has changed hands."""
        where = f"name = {quoted(lease.name)} AND fence = {lease.fence}"
        async with self._turn:
            await self._asked(partial(self._table.delete, where))

    async def _rows(self) -> list[dict[str, Any]]:
        await self._table.checkout_latest()
        rows: list[dict[str, Any]] = await self._table.query().to_list()
        return rows

    async def _asked(self, work: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(_ATTEMPTS):
            try:
                return await work()
            except (RuntimeError, OSError, ValueError) as error:
                if not passes(error) or attempt == _ATTEMPTS - 1:
                    raise StoreAway("The bank's object store", reason(error)) from error
                await anyio.sleep(0.05 * 2**attempt)
                with suppress(RuntimeError, OSError, ValueError):
                    await self._table.checkout_latest()
        raise AssertionError

    async def _tidied(self) -> None:
        self._changes += 1
        if self._changes % _TIDY_AFTER == 0:
            # Others look anew where a version goes that they read; what fails is done by the next.
            with suppress(RuntimeError, OSError, ValueError):
                async with self._turn:
                    await self._table.optimize(cleanup_older_than=_KEEP)


def first_rows() -> Any:
    """The locks, nobody's yet, as the table is made with."""
    import pyarrow as pa  # heavy: only once a store is opened

    schema = pa.schema(
        [
            ("name", pa.string()),
            ("owner", pa.string()),
            ("fence", pa.int64()),
            ("until", pa.timestamp("us", tz="UTC")),
        ]
    )
    return pa.Table.from_pylist([asdict(Lease(name, "", 0, _NEVER)) for name in NAMES], schema)
