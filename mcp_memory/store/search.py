"""Look-ups by words and by vector; newest row of each key, best first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import anyio

from mcp_memory.store.filters import to_sql
from mcp_memory.store.outline import PLACE
from mcp_memory.store.places import Places
from mcp_memory.store.rows import EvidenceRow, Found, Look, Table, Where
from mcp_memory.store.streams import gathered
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import METRIC

MOST_TERMS = 64
_SCORE, _DISTANCE = "_score", "_distance"
_Ranked = list[tuple[Any, float]]
"""Keys, or places of rows, with their scores, best first."""


async def by_words(
    tables: Tables, table: Table, query: str, *, column: str, where: Where, limit: int
) -> list[Found]:
    """BM25 over one column; the query is words, never syntax."""
    look = Look(words=query, column=column)
    return _unique(await _ranked(tables, table, look, where=where, limit=limit))


async def by_each(
    places: Places, table: Table, looks: Mapping[str, Look], *, where: Where, limit: int
) -> dict[str, list[Found]]:
    """What several looks find at once, by their names."""
    ask = partial(_each, places.tables, table, looks, limit=limit)
    found = await _by_place(places, table, ask, where) if len(looks) > 1 else None
    if found is None:
        found = await ask(where=where)
    return {name: _unique(ranked) for name, ranked in found.items()}


async def _by_place(
    places: Places, table: Table, ask: Any, where: Where
) -> dict[str, _Ranked] | None:
    """The same by where rows stand, whose keys are then read once for all looks, or known.

    Reading keys is a third of what a look costs. None where another version came meanwhile.
    """
    version = await places.version(table)
    if table == "evidence":
        await places.searched(version)
        where = _needed(where, all_live=places.all_live(version))
    found: dict[str, _Ranked] = await ask(where=where, placed=True)
    wanted = {place for ranked in found.values() for place, _ in ranked}
    keys = await places.keys(table, wanted, version) if wanted else {}
    if keys is None:
        return None
    return {
        name: [(keys[place], score) for place, score in ranked] for name, ranked in found.items()
    }


def _needed(where: Where, *, all_live: bool) -> Where:
    """The filter without what holds for every row: with it a look in a million takes twice as long."""
    if all_live and "live" in where.states:
        return replace(where, states=())
    return where


async def _each(
    tables: Tables,
    table: Table,
    looks: Mapping[str, Look],
    *,
    where: Where,
    limit: int,
    placed: bool = False,
) -> dict[str, _Ranked]:
    found: dict[str, _Ranked] = {}

    async def ask(name: str) -> None:
        found[name] = await _ranked(
            tables, table, looks[name], where=where, limit=limit, placed=placed
        )

    if len(looks) == 1:  # what fails then is told as it is, in no group
        await ask(*looks)
        return found
    async with anyio.create_task_group() as tasks:
        for name in looks:
            tasks.start_soon(ask, name)
    return found


async def rows_of(
    places: Places, look: Look | None, where: Where, *, columns: Sequence[str], limit: int
) -> list[EvidenceRow]:
    """As many rows of evidence, each once, found and read by one query; without a look any."""
    if look is not None and _silent(look):
        return []
    rows = None if look is None else await _outlined(places, look, where, columns, limit)
    if rows is None:
        rows = await _asked_for(places.tables, look, where, columns, limit)
    return list({row.key: row for row in rows}.values())


async def _outlined(
    places: Places, look: Look, where: Where, columns: Sequence[str], limit: int
) -> list[EvidenceRow] | None:
    """The same of an outlined version, of which only long columns are read; None of another."""
    outline = places.newest
    if outline is None:
        return None
    needed = _needed(where, all_live=outline.all_live)
    found = await _ranked(places.tables, "evidence", look, where=needed, limit=limit, placed=True)
    best = {place: rank for rank, (place, _) in enumerate(found)}
    rows = await places.at(sorted(best), columns, outline)
    if rows is None:
        return None
    ranked = sorted(zip(sorted(best), rows, strict=True), key=lambda pair: best[pair[0]])
    return [row for _, row in ranked]


async def _asked_for(
    tables: Tables, look: Look | None, where: Where, columns: Sequence[str], limit: int
) -> list[EvidenceRow]:
    named = [*columns] if look is None else [*columns, _SCORE]

    def ask() -> Any:
        asked = _asked(tables, "evidence", look, where).select(named).limit(limit)
        return gathered(asked, limit)

    return await tables.turned(await tables.attempt(ask), EvidenceRow)


async def _ranked(
    tables: Tables, table: Table, look: Look, *, where: Where, limit: int, placed: bool = False
) -> _Ranked:
    if _silent(look):
        return []
    score = _DISTANCE if look.vector else _SCORE

    def ask() -> Any:
        asked = _asked(tables, table, look, where)
        named = asked.select([score]).with_row_id() if placed else asked.select(["key", score])
        return gathered(named.limit(limit), limit)

    rows = await tables.attempt(ask)
    scores = rows.column(score).to_numpy().tolist()  # value by value takes five times as long
    if look.vector:
        scores = [1.0 - distance / 2 for distance in scores]  # squared, between unit vectors
    found = rows.column(PLACE).to_numpy().tolist() if placed else rows.column("key").to_pylist()
    return list(zip(found, scores, strict=True))


def _silent(look: Look) -> bool:
    """Whether there is nothing to look for."""
    return not look.vector and not any(letter.isalnum() for letter in _words(look))


def _words(look: Look) -> str:
    return " ".join(look.words.split()[:MOST_TERMS])


def _asked(tables: Tables, table: Table, look: Look | None, where: Where) -> Any:
    from lancedb.query import MatchQuery  # heavy: only once a store is opened

    asked = tables.query(table)
    if look is not None and look.vector:
        asked = asked.nearest_to(list(look.vector)).distance_type(METRIC)
    elif look is not None:
        asked = asked.nearest_to_text(MatchQuery(_words(look), look.column))
    condition = to_sql(table, where)
    return asked if condition is None else asked.where(condition)


def _unique(found: Iterable[tuple[str, float]]) -> list[Found]:
    # A key may stand twice for a moment, while a newer row replaces an older one.
    best: dict[str, float] = {}
    for key, score in found:
        best.setdefault(key, score)
    return [Found(key, score) for key, score in best.items()]
