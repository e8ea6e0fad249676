"""Kept: what was read of small tables, told again; what others have appended since is read alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mcp_memory.store.filters import holding, parts, quoted, to_sql
from mcp_memory.store.nearby import COLUMNS as NEARBY_COLUMNS
from mcp_memory.store.nearby import MOST_ROWS as NEARBY_ROWS
from mcp_memory.store.nearby import Nearby
from mcp_memory.store.outline import PLACE
from mcp_memory.store.rows import Found, LedgerRow, Look, MemoryRow, Table, Where
from mcp_memory.store.schema import ROW_TYPES, R, from_arrow
from mcp_memory.store.streams import gathered
from mcp_memory.store.tables import Tables

TABLES: frozenset[Table] = frozenset({"memories", "ledger"})
"""One search asks them six times, mostly for the same; each time costs 3 ms of processor."""
COLUMNS = tuple(name for name in MemoryRow.__dataclass_fields__ if name != "vector")
"""Of a memory all but its vector."""
_WHOLE = {"memories": COLUMNS, "ledger": tuple(LedgerRow.__dataclass_fields__)}
MOST_NEW = 200
"""Rows that others appended and that are read by themselves; after more, all begins anew."""
MOST_ROWS = 2_000
"""Rows of a table that are kept; with more nothing is, and all begins anew."""
MOST_KEYS = 20_000
"""Keys of a table that are kept; of a larger one it is not known what it lacks."""


Holds = Callable[[Any], bool]


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
    places: Any = None
    """Where its rows stand, in Arrow, where that was asked: by it is known what a later one has more."""
    holds: dict[tuple[object, ...], Holds] = field(default_factory=dict)
    """Of answers that go on: which rows belong to them."""

    def room(self, more: int) -> bool:
        """Whether so many rows more may be kept."""
        self.rows += more
        return self.rows <= MOST_ROWS

    def grown(self, version: int, places: Any, rows: Sequence[Any]) -> "_Shown":
        """The same with rows more, each once."""
        made = _Shown(version, self.rows + len(rows), keys=self.keys, places=places)
        made.memories = dict(self.memories)
        if rows and isinstance(rows[0], MemoryRow):
            made.learn(rows)
        for asked, holds in self.holds.items():
            answer = self.answers[asked]
            new = [row for row in rows if holds(row)]
            if asked[0] != "count":
                made.answers[asked] = (*answer, *new)
            else:
                made.answers[asked] = (int(answer[0]) + len(new),)
            made.holds[asked] = holds
        return made

    def learn(self, rows: Sequence[MemoryRow]) -> None:
        """Versions of memories that came; of a memory whose older ones are not kept, none."""
        for row in rows:
            new = row.version == 1 or (self.keys is not None and row.key not in self.keys)
            known = self.memories.get(row.key, () if new else None)
            if known is not None and all(row.version != one.version for one in known):
                self.memories[row.key] = (*known, row)
        if self.keys is not None:
            self.keys |= {row.key for row in rows}


class Kept:
    """Reads rows, or tells those that it has: a version is looked at first, and costs no reading.

    Rows that were written after that look are told too early at most, never too late.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._shown: dict[Table, _Shown] = {}
        self._nearby = Nearby()

    async def read(
        self,
        table: Table,
        condition: str | None,
        columns: Sequence[str],
        kind: type[R],
        holds: Holds | None = None,
    ) -> list[R]:
        """The rows that a condition holds for, all where there is none; `holds`: the same in Python."""
        if table not in TABLES:
            return await self._read(table, condition, columns, kind)
        shown = await self._now(table)
        asked = (condition, *columns)
        if asked not in shown.answers:
            rows = await self._read(table, condition, columns, kind)
            if not shown.room(len(rows)) or await self._version(table) != shown.version:
                return rows
            shown.answers[asked] = tuple(rows)
            if holds is not None and set(columns) == set(_WHOLE[table]):
                shown.holds[asked] = holds
        return list(shown.answers[asked])

    async def ledger(self, wanted: Mapping[str, str]) -> list[LedgerRow]:
        """Rows of the ledger whose columns have these values; an empty one is any."""
        asked = {name: value for name, value in wanted.items() if value}
        condition = " AND ".join(f"{name} = {quoted(value)}" for name, value in asked.items())

        def holds(row: LedgerRow) -> bool:
            return all(getattr(row, name) == value for name, value in asked.items())

        return await self.read("ledger", condition, _WHOLE["ledger"], LedgerRow, holds)

    async def count(self, table: Table, condition: str | None, holds: Holds | None = None) -> int:
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
            number = await counted()
            if await self._version(table) != shown.version:
                return number
            shown.answers[asked] = (number,)
            if holds is not None:
                shown.holds[asked] = holds
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
        current = not lost or await self._version("memories") == shown.version
        if current and shown.room(sum(map(len, found.values()))):
            shown.memories.update(found)
        return told

    async def lacks(self, key: str) -> bool:
        """Whether no memory has this key, in whatever version; not said of a large table."""
        shown = await self._now("memories")
        if shown.keys is None:
            if await self.count("memories", None) > MOST_KEYS:
                return False
            rows = await self._read("memories", None, ("key",), MemoryRow)
            keys = frozenset(row.key for row in rows)
            if await self._version("memories") != shown.version:
                return key not in keys
            shown.keys = keys
        return key not in shown.keys

    async def near(
        self, table: Table, looks: Mapping[str, Look], where: Where, limit: int
    ) -> dict[str, list[Found]]:
        """What looks by vector find among the memories, by their names; of many memories nothing.

        By a vector of another model's length nothing either: the store says what that means.
        """
        asked = {name: look.vector for name, look in looks.items() if look.vector}
        holds = holding(table, where) if asked and table == "memories" else None
        if holds is None or not await self._met():
            return {}
        return {
            name: self._nearby.nearest(one, holds, limit)
            for name, one in asked.items()
            if len(one) == self._nearby.width
        }

    async def _met(self) -> bool:
        """Hold the vectors of the newest version; False where there are too many, or it is another."""
        version = await self._version("memories")
        if self._nearby.knows(version):
            return True
        if await self.count("memories", None) > NEARBY_ROWS:
            return False

        def ask() -> Any:
            return gathered(self._tables.query("memories").select([*NEARBY_COLUMNS, "vector"]))

        rows = await self._tables.attempt(ask)
        if await self._version("memories") != version:
            return False
        self._nearby.learn(version, rows)
        return True

    def follow(self, version: int, rows: Sequence[MemoryRow]) -> None:
        """Go on with what is kept after memories that this process wrote, where nobody wrote between.

        What is being read just now of the version before is kept with that one, and forgotten.
        """
        self._nearby.follow(version, rows)
        shown = self._shown.get("memories")
        if shown is None or shown.version != version - 1:
            return
        # Where these rows stand is not known: what others do to them could not be seen by it.
        made = _Shown(version, keys=shown.keys)
        made.memories = dict(shown.memories)
        made.learn([replace(row, vector=None) for row in rows])
        made.rows = sum(map(len, made.memories.values()))
        self._shown["memories"] = made

    async def _now(self, table: Table) -> _Shown:
        version = await self._version(table)
        shown = self._shown.get(table)
        if shown is not None and shown.version == version and shown.rows <= MOST_ROWS:
            return shown
        if shown is None:
            # In a folder that is asked once there is need: a command has gone by then.
            shared = self._tables.papers is not None
            shown = _Shown(version, places=await self._standing(table) if shared else None)
        else:
            shown = await self._later(table, shown, version)
        self._shown[table] = shown
        return shown

    async def _version(self, table: Table) -> int:
        return int(await self._tables.attempt(self._tables[table].version))

    async def _later(self, table: Table, shown: _Shown, version: int) -> _Shown:
        """What is kept, and what was appended since; nothing of it where a row went or was changed."""
        places = await self._standing(table)
        before = 0 if shown.places is None or places is None else len(shown.places)
        if before and shown.rows <= MOST_ROWS and places.slice(0, before).equals(shown.places):
            rows = await self._taken(table, places.slice(before).to_pylist())
            if rows is not None and await self._version(table) == version:
                return shown.grown(version, places, rows)
        return _Shown(version, places=places)

    async def _standing(self, table: Table) -> Any:
        """Where the rows of a table stand, in the order of their writing; None of a large one."""
        if await self.count(table, None) > MOST_KEYS:
            return None

        def ask() -> Any:
            return self._tables.query(table).select([PLACE]).to_arrow()

        return (await self._tables.attempt(ask)).column(PLACE).combine_chunks().sort()

    async def _taken(self, table: Table, places: Sequence[int]) -> list[Any] | None:
        """Rows by their places; None of too many, or where there is another version by now."""
        if not places:
            return []
        if len(places) > MOST_NEW:
            return None
        try:
            taken = self._tables.taking(table, places).select(list(_WHOLE[table]))
            return from_arrow(ROW_TYPES[table], await taken.to_arrow())
        except (RuntimeError, OSError, ValueError):
            return None

    async def _read(
        self, table: Table, condition: str | None, columns: Sequence[str], kind: type[R]
    ) -> list[R]:
        def ask(query: Any) -> Any:
            return (query.where(condition) if condition else query).select(list(columns))

        return await self._tables.read(table, ask, kind)
