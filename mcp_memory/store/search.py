"""Look-ups by words and by vector; newest row of each key, best first."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import anyio

from mcp_memory.store.filters import to_sql
from mcp_memory.store.rows import Found, Look, Table, Where
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import METRIC

MOST_TERMS = 64
_ADDRESS = "_rowid"
_Ranked = list[tuple[Any, float]]
"""Keys, or addresses of rows, with their scores, best first."""


async def by_words(
    tables: Tables, table: Table, query: str, *, column: str, where: Where, limit: int
) -> list[Found]:
    """BM25 over one column; the query is words, never syntax."""
    look = Look(words=query, column=column)
    return _unique(await _ranked(tables, table, look, where=where, limit=limit))


async def by_vector(
    tables: Tables, table: Table, vector: tuple[float, ...], *, where: Where, limit: int
) -> list[Found]:
    """Cosine similarity of unit vectors, 1 for the same direction; an index tells it to .01."""
    look = Look(vector=vector)
    return _unique(await _ranked(tables, table, look, where=where, limit=limit))


async def by_each(
    tables: Tables, table: Table, looks: Mapping[str, Look], *, where: Where, limit: int
) -> dict[str, list[Found]]:
    """What several looks find at once, by their names."""
    ask = partial(_each, tables, table, looks, where=where, limit=limit)
    found = await _by_address(tables, table, ask) if len(looks) > 1 else None
    if found is None:
        found = await ask()
    return {name: _unique(ranked) for name, ranked in found.items()}


async def _by_address(tables: Tables, table: Table, ask: Any) -> dict[str, _Ranked] | None:
    """The same by addresses of rows, whose keys are then read once for all looks.

    Reading keys is a third of what a look costs. An address holds in one version of a table only:
    None where another came meanwhile.
    """
    version = await tables.attempt(tables[table].version)
    found: dict[str, _Ranked] = await ask(address=True)
    wanted = sorted({address for ranked in found.values() for address, _ in ranked})
    if not wanted:
        return found
    try:
        taken = tables[table].take_row_ids(wanted).select(["key"]).with_row_id()
        rows = await taken.to_arrow()
    except (RuntimeError, OSError, ValueError):
        return None  # what is amiss beside another version, asking for keys will tell
    if await tables.attempt(tables[table].version) != version:
        return None
    keys = dict(zip(rows.column(_ADDRESS).to_pylist(), rows.column("key").to_pylist(), strict=True))
    return {
        name: [(keys[address], score) for address, score in ranked]
        for name, ranked in found.items()
    }


async def _each(
    tables: Tables,
    table: Table,
    looks: Mapping[str, Look],
    *,
    where: Where,
    limit: int,
    address: bool = False,
) -> dict[str, _Ranked]:
    found: dict[str, _Ranked] = {}

    async def ask(name: str) -> None:
        found[name] = await _ranked(
            tables, table, looks[name], where=where, limit=limit, address=address
        )

    async with anyio.create_task_group() as tasks:
        for name in looks:
            tasks.start_soon(ask, name)
    return found


async def _ranked(
    tables: Tables, table: Table, look: Look, *, where: Where, limit: int, address: bool = False
) -> _Ranked:
    from lancedb.query import MatchQuery  # heavy: only once a store is opened

    words = " ".join(look.words.split()[:MOST_TERMS])
    if not look.vector and not any(letter.isalnum() for letter in words):
        return []
    score = "_distance" if look.vector else "_score"

    def ask() -> Any:
        asked = tables[table].query()
        if look.vector:
            asked = asked.nearest_to(list(look.vector)).distance_type(METRIC)
        else:
            asked = asked.nearest_to_text(MatchQuery(words, look.column))
        condition = to_sql(table, where)
        asked = asked if condition is None else asked.where(condition)
        named = asked.select([score]).with_row_id() if address else asked.select(["key", score])
        return named.limit(limit).to_arrow()

    rows = await tables.attempt(ask)
    scores = rows.column(score).to_pylist()
    if look.vector:
        scores = [1.0 - distance / 2 for distance in scores]  # squared, between unit vectors
    return list(zip(rows.column(_ADDRESS if address else "key").to_pylist(), scores, strict=True))


def _unique(found: Iterable[tuple[str, float]]) -> list[Found]:
    # A key may stand twice for a moment, while a newer row replaces an older one.
    best: dict[str, Found] = {}
    for key, score in found:
        best.setdefault(key, Found(key, score))
    return list(best.values())
