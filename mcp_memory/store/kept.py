"""Kept: what was read of small tables, told again as long as nobody else has written to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mcp_memory.store.filters import parts, to_sql
from mcp_memory.store.rows import MemoryRow, Table, Where
from mcp_memory.store.schema import R
from mcp_memory.store.tables import Tables

TABLES: frozenset[Table] = frozenset({"memories", "ledger"})
"""One search asks them six times, mostly for the same; each time costs 3 ms of processor."""
COLUMNS = tuple(name for name in MemoryRow.__dataclass_fields__ if name != "vector")
"""Of a memory all but its vector."""
MOST_ROWS = 2_000
"""Rows of a table that are kept; with more nothing is, and all begins anew."""
MOST_KEYS = 20_000
"""Keys of a table that are kept; of a larger one it is not known what it lacks."""


@dataclass(slots=True)
class _Shown:
    """What one version of a table showed."""

    version: int = -1
    rows: int = 0
    answers: dict[tuple[object, ...], tuple[Any, ...]] = field(default_factory=dict)
    """By condition and columns."""
    memories: dict[str, tuple[MemoryRow, ...]] = field(default_factory=dict)
    """By key; none is an answer, too."""
    keys: frozenset[str] | None = None
    """All that the table has, where they were read."""

    def room(self, more: int) -> bool:
        """Whether so many rows more may be kept."""
        self.rows += more
        return self.rows <= MOST_ROWS


class Kept:
    """Reads rows, or tells those that it has: a version is looked at first, and costs no reading.

    Rows that were written after that look are told too early at most, never too late.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._shown: dict[Table, _Shown] = {}

    async def read(
        self, table: Table, condition: str | None, columns: Sequence[str], kind: type[R]
    ) -> list[R]:
        """The rows that a condition holds for, all where there is none."""
        if table not in TABLES:
            return await self._read(table, condition, columns, kind)
        shown = await self._now(table)
        asked = (condition, *columns)
        if asked not in shown.answers:
            rows = await self._read(table, condition, columns, kind)
            if not shown.room(len(rows)):
                return rows
            shown.answers[asked] = tuple(rows)
        return list(shown.answers[asked])

    async def count(self, table: Table, condition: str | None) -> int:
        """How many rows a condition holds for; without one the manifest tells."""

        async def counted() -> int:
            return int(
                await self._tables.attempt(lambda: self._tables[table].count_rows(condition))
            )

        if table not in TABLES or condition is None:
            return await counted()
        shown = await self._now(table)
        asked = ("count", condition)
        if asked not in shown.answers:
            shown.answers[asked] = (await counted(),)
        return int(shown.answers[asked][0])

    async def memories(self, keys: Sequence[str]) -> list[MemoryRow]:
        """All versions of these memories."""
        shown = await self._now("memories")
        wanted = tuple(dict.fromkeys(keys))
        lost = tuple(key for key in wanted if key not in shown.memories)
        read: dict[str, dict[int, MemoryRow]] = {key: {} for key in lost}
        for part in parts(Where(keys=lost, states=())) if lost else ():
            condition = to_sql("memories", part)
            for row in await self._read("memories", condition, COLUMNS, MemoryRow):
                read[row.key][row.version] = row
        found = {key: tuple(rows.values()) for key, rows in read.items()}
        told = [row for key in wanted for row in found.get(key) or shown.memories.get(key, ())]
        if shown.room(sum(map(len, found.values()))):
            shown.memories.update(found)
        return told

    async def lacks(self, key: str) -> bool:
        """Whether no memory has this key, in whatever version; not said of a large table."""
        shown = await self._now("memories")
        if shown.keys is None:
            if await self.count("memories", None) > MOST_KEYS:
                return False
            rows = await self._read("memories", None, ("key",), MemoryRow)
            shown.keys = frozenset(row.key for row in rows)
        return key not in shown.keys

    def follow(self, version: int, rows: Sequence[MemoryRow]) -> None:
        """Go on with what is kept after memories that this process wrote, where nobody wrote between.

        What is being read just now of the version before is kept with that one, and forgotten.
        """
        shown = self._shown.get("memories")
        if shown is None or shown.version != version - 1:
            return
        memories = dict(shown.memories)
        for row in rows:
            if row.key in memories or (shown.keys is not None and row.key not in shown.keys):
                memories[row.key] = (*memories.get(row.key, ()), replace(row, vector=None))
        keys = None if shown.keys is None else shown.keys | {row.key for row in rows}
        kept = sum(map(len, memories.values()))
        self._shown["memories"] = _Shown(version, kept, memories=memories, keys=keys)

    async def _now(self, table: Table) -> _Shown:
        version = await self._tables.attempt(self._tables[table].version)
        shown = self._shown.get(table)
        if shown is None or shown.version != version or shown.rows > MOST_ROWS:
            shown = self._shown[table] = _Shown(version)
        return shown

    async def _read(
        self, table: Table, condition: str | None, columns: Sequence[str], kind: type[R]
    ) -> list[R]:
        def ask(query: Any) -> Any:
            return (query.where(condition) if condition else query).select(list(columns))

        return await self._tables.read(table, ask, kind)
