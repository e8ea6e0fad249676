"""Places: where rows stand in one version of a table, so that they are taken and not looked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread

from mcp_memory.store.outline import COLUMNS, MOST_ROWS, PLACE, Outline, outlined
from mcp_memory.store.rows import EvidenceRow, Table
from mcp_memory.store.streams import gathered
from mcp_memory.store.tables import Tables

MOST = 10_000
"""Rows of a table whose places are kept, in 3 MB; a search sees some 700."""
AFTER = 3
"""With so many searches of one version of evidence what is short of its rows is read into memory.

At 100,000 rows that takes 60 ms of processor and saves each later search some 12.
"""


@dataclass(slots=True)
class _Known:
    """What one version of a table showed."""

    version: int = -1
    keys: dict[int, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def learn(self, found: Mapping[int, str]) -> None:
        """Keep more; where that is too many, nothing else."""
        if len(self.keys) + len(found) > MOST:
            self.keys.clear()
            self.places.clear()
        self.keys.update(found)
        # Of a key that stands twice for a moment, the row that was written last.
        self.places.update((key, place) for place, key in sorted(found.items()))


class Places:
    """The keys of rows by where they stand, and back; a place holds in one version of a table only.

    To take 38 rows from where they stand costs 5 ms of processor, to look for them by their keys 11.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._known: dict[Table, _Known] = {}
        self._outline: Outline | None = None
        self._searched = (-1, 0)
        """A version of evidence, and how many searches it had."""
        self._live = -1
        """A version of evidence that is too large to be outlined, and has live rows alone."""

    async def version(self, table: Table) -> int:
        """The newest version of a table."""
        return int(await self.tables.attempt(self.tables[table].version))

    async def keys(
        self, table: Table, places: Collection[int], version: int
    ) -> Mapping[int, str] | None:
        """The key at each place; None where the table has another version by now."""
        outline = self.outline(version) if table == "evidence" else None
        if outline is not None:
            there = outline.keys(places)
            return there if await self.version(table) == version else None
        known = self._of(table, version)
        found = {place: known.keys[place] for place in places if place in known.keys}
        fresh: dict[int, str] = {}
        if lost := sorted(place for place in places if place not in found):
            rows = await self._taken(table, lost, ["key"])
            if rows is None:
                return None
            fresh = _keys(rows)
        if await self.version(table) != version:
            return None
        known.learn(fresh)
        return found | fresh

    async def rows(self, keys: Collection[str], columns: Sequence[str]) -> list[EvidenceRow] | None:
        """Evidence of these keys, in the order of its writing; None where not all places are known."""
        if (outline := self._outline) is not None:
            rows = await self.at(outline.places(keys), columns, outline)
            if rows is not None:
                return rows
        known = self._known.get("evidence")
        if known is None or not all(key in known.places for key in keys):
            return None  # to look for places first costs more than to look for rows
        places = sorted({known.places[key] for key in keys})
        if not places or await self.version("evidence") != known.version:
            return None
        rows = await self._taken("evidence", places, columns)
        if rows is None or await self.version("evidence") != known.version:
            return None
        return await self.tables.turned(rows, EvidenceRow)

    async def at(
        self, places: Sequence[int], columns: Sequence[str], outline: Outline
    ) -> list[EvidenceRow] | None:
        """Evidence at places of an outlined version, in that order; None where it is another by now."""
        rows = outline.rows(places, [name for name in columns if name in COLUMNS])
        long = [name for name in columns if name not in COLUMNS]
        if rows is not None and places and long:
            taken = await self._taken("evidence", places, long)
            if taken is None or taken.column(PLACE).to_pylist() != list(places):
                return None
            for name in long:
                rows = rows.append_column(name, taken.column(name))
        if rows is None or await self.version("evidence") != outline.version:
            return None
        return await self.tables.turned(rows, EvidenceRow)

    @property
    def newest(self) -> Outline | None:
        """The outline that is in memory; of a version that may be an older one by now."""
        return self._outline

    def outline(self, version: int) -> Outline | None:
        """What is short of the rows of this version of evidence, where it is in memory."""
        outline = self._outline
        return outline if outline is not None and outline.version == version else None

    async def searched(self, version: int) -> None:
        """Count a search: of a version that is searched again and again more is known to the next."""
        if self.outline(version):
            return
        self._outline = None
        times = self._searched[1] + 1 if self._searched[0] == version else 1
        self._searched = (version, times)
        if times == AFTER and self.tables.papers is None:
            await self._read(version)

    def all_live(self, version: int) -> bool:
        """Whether it is known that each row of this version of evidence is live."""
        outline = self.outline(version)
        return self._live == version if outline is None else outline.all_live

    async def _read(self, version: int) -> None:
        """Outline a version, unless it is too large, or another one by now."""
        evidence = self.tables["evidence"]
        if await self.tables.attempt(evidence.count_rows) > MOST_ROWS:
            rows = await self.tables.attempt(self._not_live)
            if not rows and await self.version("evidence") == version:
                self._live = version
            return

        def ask() -> Any:
            return gathered(self.tables.query("evidence").select([*COLUMNS]).with_row_id())

        rows = await self.tables.attempt(ask)
        if await self.version("evidence") == version:
            self._outline = await anyio.to_thread.run_sync(outlined, version, rows)

    async def _not_live(self) -> int:
        """One row that a search must not find, if there is any: the index of `state` knows."""
        asked = self.tables.query("evidence").where("state IS NULL OR state != 'live'")
        return len(await gathered(asked.select([PLACE]).limit(1), 1))

    async def _taken(self, table: Table, places: Sequence[int], columns: Sequence[str]) -> Any:
        """Rows by their places, in that order; what is amiss beside another version, keys will tell."""
        try:
            taken = self.tables.taking(table, places).select(list(columns))
            return await gathered(taken.with_row_id(), len(places))
        except (RuntimeError, OSError, ValueError):
            return None

    def _of(self, table: Table, version: int) -> _Known:
        known = self._known.get(table)
        if known is None or known.version != version:
            known = self._known[table] = _Known(version)
        return known


def _keys(rows: Any) -> dict[int, str]:
    pairs = zip(rows.column(PLACE).to_pylist(), rows.column("key").to_pylist(), strict=True)
    return dict(pairs)
