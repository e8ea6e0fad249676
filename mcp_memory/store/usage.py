"""Usage: how much each caller has asked of each replica of a server, told to the others in short rows."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from mcp_memory.domain.errors import StoreAway
from mcp_memory.store.away import reason
from mcp_memory.store.notice import Notice

USAGE = "usage"
_KEEP = timedelta(minutes=2)
_TIDY_AFTER = 16


class Usage:
    """The table of usage, as one replica writes and reads it."""

    def __init__(self, table: Any, replica: str, notice: Notice | None = None) -> None:
        self._table = table
        self._notice = notice
        self._new: Counter[str] = Counter()
        self._replica = replica
        self._told = 0
        self._version = -1
        self._heard: dict[str, int] = {}

    async def tell(self, counts: Mapping[str, int]) -> None:
        """Say how many requests callers made here since this was last said.

        Raises:
            StoreAway: the store does not take it.
        """
        self._told += 1
        told = orjson.dumps(dict(counts)).decode()
        row = {
            "replica": self._replica,
            "number": self._told,
            "told": told,
            "at": datetime.now(UTC),
        }
        try:
            await self._table.add([row])
            if self._told % _TIDY_AFTER == 0:
                await self._tidy()
            if self._notice is not None:
                await self._notice.renew()
        except (RuntimeError, OSError, ValueError) as error:
            raise StoreAway("The bank's object store", reason(error)) from error

    async def heard(self) -> Counter[str]:
        """What the others said since this was last asked; one request where they said nothing.

        Raises:
            StoreAway: the store does not answer.
        """
        if self._notice is None:
            await self._hear()
        else:
            await self._notice.after(self._hear)
        told, self._new = self._new, Counter()
        return told

    async def _hear(self) -> None:
        try:
            await self._table.checkout_latest()
            version = await self._table.version()
            if version == self._version:
                return
            rows = await self._table.query().to_list()
        except (RuntimeError, OSError, ValueError) as error:
            raise StoreAway("The bank's object store", reason(error)) from error
        self._version = version
        for row in sorted(rows, key=lambda each: each["number"]):
            name, number = row["replica"], row["number"]
            if name != self._replica and number > self._heard.get(name, 0):
                self._heard[name] = number
                self._new.update(orjson.loads(row["told"]))

    async def _tidy(self) -> None:
        oldest = (datetime.now(UTC) - _KEEP).strftime("%Y-%m-%d %H:%M:%S")
        await self._table.delete(f"at < timestamp '{oldest}'")
        with suppress(RuntimeError, OSError, ValueError):
            await self._table.optimize(cleanup_older_than=_KEEP)


def no_rows() -> Any:
    """The table as it is made."""
    import pyarrow as pa  # heavy: only once a store is opened

    columns = [("replica", pa.string()), ("number", pa.int64()), ("told", pa.string())]
    return pa.schema([*columns, ("at", pa.timestamp("us", tz="UTC"))]).empty_table()
