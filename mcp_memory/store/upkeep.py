"""Upkeep by one elected process: compaction, indexes once they pay, old versions pruned."""

import warnings
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import anyio.to_thread

from mcp_memory.store.locking import Locks
from mcp_memory.store.rows import Table
from mcp_memory.store.tables import Tables
from mcp_memory.store.trimming import trim
from mcp_memory.text.identifiers import LONGEST_NAME

MOST_FRAGMENTS, MOST_FRAGMENTS_SMALL, SMALL = 32, 8, 5_000
"""Appends that are let be, and in a table below `SMALL` rows: each costs a search 2 ms of processor.

A round rewrites every index of a table: 0.1 s at 1,000 rows, 4 s at 100,000.
"""
MOST_UNINDEXED = 400
"""Rows newer than an index are found by a flat scan: 10,000 long ones took 0.65 s, indexed 6 ms."""
KEYS_FROM = 5_000
VECTORS_FROM = 5_000
"""Below these numbers of rows a scan is as fast as the index."""
KEEP_VERSIONS = timedelta(minutes=10)
"""Readers of an older version have this long before its files go."""
METRIC = "l2"
"""Of unit vectors it ranks as the cosine does, and an index tells it on the scale of a scan.

Asked for cosines an index of short vectors tells twice the distance, unless the full vectors are
read again: at 100,000 rows a third of what the search costs.
"""
SEARCHED: tuple[Table, ...] = ("evidence", "memories")
WORD_COLUMNS = ("text", "context", "identifiers")
FILTERED = ("state", "project", "kind")
"""Every search narrows by these: without an index each of its queries scans their columns."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What one round did."""

    compacted: tuple[Table, ...]
    indexed: tuple[str, ...]


async def maintain(tables: Tables, locks: Locks, *, force: bool) -> Maintenance:
    """One round over all tables; the caller holds the maintenance lock.

    Where no other process has the store open, older versions go at once: they are as much again.
    """
    keep = KEEP_VERSIONS if await locks.others_alive() else timedelta(0)
    compacted: list[Table] = []
    indexed: list[str] = []
    for table in tables.by_name:
        await locks.still()
        stats = await tables.attempt(tables[table].stats)
        made = await build_indexes(tables, table) if table in SEARCHED else ()
        unindexed = await _unindexed(tables, table) if table in SEARCHED else 0
        fragments = stats["fragment_stats"]["num_fragments"]
        wanted = due(fragments, unindexed, rows=stats["num_rows"])
        if force or (wanted and not tables.pacing.rests(table, unindexed)):
            with tables.pacing.round(table):
                await optimize(tables, table, keep=keep)
            compacted.append(table)
        indexed.extend(f"{table}.{column}" for column in made)
    return Maintenance(tuple(compacted), tuple(indexed))


def due(fragments: int, unindexed: int, *, rows: int) -> bool:
    """Whether a table is worth a round."""
    most = MOST_FRAGMENTS_SMALL if rows < SMALL else MOST_FRAGMENTS
    return fragments > most or unindexed > MOST_UNINDEXED


async def optimize(
    tables: Tables, table: Table, *, keep: timedelta, unverified: bool = False
) -> None:
    """Compact, bring indexes up to date, and drop versions older than `keep`.

    `unverified` drops files that no version names, too: only where nobody is about to name them.
    """
    with warnings.catch_warnings():
        # With zero it warns of concurrent readers: ours look anew and try again.
        warnings.simplefilter("ignore", UserWarning)
        await tables.attempt(
            partial(tables[table].optimize, cleanup_older_than=keep, delete_unverified=unverified)
        )
    await anyio.to_thread.run_sync(trim)


async def build_indexes(
    tables: Tables, table: Table, *, anew: bool = False, among: Sequence[str] = ()
) -> tuple[str, ...]:
    """Build the indexes that pay at this size and are not there; `anew` rebuilds those that are.

    `among`: only of these columns; empty: of any.
    """
    present = {column for index in await _indexes(tables, table) for column in index.columns}
    if "vector" in present and await _otherwise_measured(tables, table):
        present.remove("vector")  # of an earlier version; until it is built anew a scan answers
    known = not anew and "vector" in present
    paying = [column async for column in _paying(tables, table, known=known)]
    for column in present - set(paying) if anew else ():
        await _drop(tables, table, column)
    wanted = [column for column in paying if anew or column not in present]
    wanted = [column for column in wanted if not among or column in among]
    for column in wanted:
        build = partial(tables[table].create_index, column, config=_config(column), replace=True)
        await tables.attempt(build)
        await anyio.to_thread.run_sync(trim)
    return tuple(wanted)


async def _paying(tables: Tables, table: Table, *, known: bool) -> AsyncIterator[str]:
    # Words are indexed from the first row on: the index also says how text is cut into words.
    for column in WORD_COLUMNS:
        yield column
    rows = await tables.attempt(tables[table].count_rows)
    if rows >= KEYS_FROM:
        yield "key"
        if table == "evidence":
            yield "trajectory"
        for column in FILTERED:
            yield column
    if rows >= VECTORS_FROM and not known:
        present = partial(tables[table].count_rows, "vector IS NOT NULL")
        if await tables.attempt(present) >= VECTORS_FROM:
            yield "vector"


async def _otherwise_measured(tables: Tables, table: Table) -> bool:
    for index in await _indexes(tables, table):
        if "vector" in index.columns:
            stats = await tables.attempt(partial(tables[table].index_stats, index.name))
            return stats is not None and stats.distance_type != METRIC
    return False


async def _drop(tables: Tables, table: Table, column: str) -> None:
    for index in await _indexes(tables, table):
        if column in index.columns:
            await tables.write(partial(tables[table].drop_index, index.name))


def _config(column: str) -> Any:
    from lancedb.index import FTS, Bitmap, BTree, IvfSq  # heavy: only once a store is opened

    if column == "vector":
        return IvfSq(distance_type=METRIC)
    if column in {"key", "trajectory"}:
        return BTree()
    if column in FILTERED:
        return Bitmap()
    if column == "identifiers":
        # Without a length of its own, names of more than 40 characters are left out: most paths.
        return FTS(
            base_tokenizer="whitespace",
            stem=False,
            remove_stop_words=False,
            max_token_length=LONGEST_NAME,
        )
    # ICU finds words in every language; stemming is for English and harmless elsewhere.
    return FTS(base_tokenizer="icu/split", stem=True, remove_stop_words=False)


async def _indexes(tables: Tables, table: Table) -> list[Any]:
    found: list[Any] = await tables.attempt(tables[table].list_indices)
    return found


async def _unindexed(tables: Tables, table: Table) -> int:
    indexes = await _indexes(tables, table)
    return max((index.num_unindexed_rows or 0 for index in indexes), default=0)
