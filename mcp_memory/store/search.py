"""Look-ups by words and by vector; newest row of each key, best first."""

from collections.abc import Iterable
from typing import Any

from mcp_memory.store.filters import to_sql
from mcp_memory.store.rows import Found, Table, Where
from mcp_memory.store.tables import Tables

MOST_TERMS = 64
REFINE = 1
"""Neighbours that an index with short vectors found are ranked again by their full ones.

At 100,000 rows and 200 neighbours the best 60 are then the exact ones; 2 finds the last of the
200 too, for a quarter more time; without, neighbours tie and 2 in 100 of the best are lost.
"""


async def by_words(
    tables: Tables, table: Table, query: str, *, column: str, where: Where, limit: int
) -> list[Found]:
    """BM25 over one column; the query is words, never syntax."""
    from lancedb.query import MatchQuery  # heavy: only once a store is opened

    words = " ".join(query.split()[:MOST_TERMS])
    if not any(letter.isalnum() for letter in words):
        return []

    def ask() -> Any:
        asked = tables[table].query().nearest_to_text(MatchQuery(words, column))
        return _narrowed(asked, table, where).select(["key", "_score"]).limit(limit).to_list()

    return _unique(Found(row["key"], row["_score"]) for row in await tables.attempt(ask))


async def by_vector(
    tables: Tables, table: Table, vector: tuple[float, ...], *, where: Where, limit: int
) -> list[Found]:
    """Cosine similarity, 1 for the same direction."""

    def ask() -> Any:
        asked = tables[table].query().nearest_to(list(vector)).distance_type("cosine")
        asked = asked.refine_factor(REFINE)
        return _narrowed(asked, table, where).select(["key", "_distance"]).limit(limit).to_list()

    rows = await tables.attempt(ask)
    return _unique(Found(row["key"], 1.0 - row["_distance"]) for row in rows)


def _narrowed(asked: Any, table: Table, where: Where) -> Any:
    condition = to_sql(table, where)
    return asked if condition is None else asked.where(condition)


def _unique(found: Iterable[Found]) -> list[Found]:
    # A key may stand twice for a moment, while a newer row replaces an older one.
    best: dict[str, Found] = {}
    for one in found:
        best.setdefault(one.key, one)
    return list(best.values())
