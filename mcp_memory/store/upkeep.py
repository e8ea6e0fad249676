"""Upkeep by one elected process: compaction, indexes that appear when they pay, old versions pruned."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import filelock

from mcp_memory.errors import Busy
from mcp_memory.store.rows import Table
from mcp_memory.store.tables import Tables

MOST_FRAGMENTS = 32
MOST_UNINDEXED = 400
"""Rows newer than an index are found by a flat scan: 10,000 long ones took 0.65 s, indexed 6 ms."""
KEYS_FROM = 5_000
VECTORS_FROM = 10_000
"""Below these numbers of rows a scan is as fast as the index."""
KEEP_VERSIONS = timedelta(minutes=10)
"""Readers of an older version have this long before its files go."""
SEARCHED: tuple[Table, ...] = ("evidence", "memories")
WORD_COLUMNS = ("text", "context", "identifiers")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What one round did."""

    compacted: tuple[Table, ...]
    indexed: tuple[str, ...]


@contextmanager
def elected(lock: Path, *, seconds: float, work: str) -> Iterator[None]:
    """One process at a time.

    Raises:
        Busy: another one is at it.
    """
    held = filelock.FileLock(lock, mode=0o600)
    try:
        held.acquire(timeout=seconds)
    except filelock.Timeout:
        raise Busy(work, seconds) from None
    try:
        yield
    finally:
        held.release()


async def maintain(tables: Tables, *, force: bool) -> Maintenance:
    """One round over all tables; the caller holds the maintenance lock."""
    compacted, indexed = [], []
    for table in tables.by_name:
        stats = await tables.attempt(tables[table].stats)
        rows = stats["num_rows"]
        fragments = stats["fragment_stats"]["num_fragments"]
        made = await build_indexes(tables, table, rows) if table in SEARCHED else ()
        behind = table in SEARCHED and await _behind(tables, table)
        if force or fragments > MOST_FRAGMENTS or behind:
            await optimize(tables, table, keep=KEEP_VERSIONS)
            compacted.append(table)
        indexed.extend(f"{table}.{column}" for column in made)
    return Maintenance(tuple(compacted), tuple(indexed))


async def optimize(tables: Tables, table: Table, *, keep: timedelta) -> None:
    """Compact, bring indexes up to date, and drop versions older than `keep`."""
    now = keep == timedelta(0)
    with warnings.catch_warnings():
        # With zero it warns of concurrent readers: ours look anew and try again.
        warnings.simplefilter("ignore", UserWarning)
        await tables.attempt(
            lambda: tables[table].optimize(cleanup_older_than=keep, delete_unverified=now)
        )


async def build_indexes(
    tables: Tables, table: Table, rows: int, *, anew: bool = False
) -> tuple[str, ...]:
    """Build the indexes that pay at this size and are not there; `anew` rebuilds those that are."""
    present = {column for index in await _indexes(tables, table) for column in index.columns}
    wanted = [
        column for column in _paying(rows) if (column in present if anew else column not in present)
    ]
    for column in wanted:
        await tables.attempt(
            lambda c=column: tables[table].create_index(c, config=_config(c), replace=True)
        )
    return tuple(wanted)


def _paying(rows: int) -> Iterator[str]:
    # Words are indexed from the first row on: the index also says how text is cut into words.
    yield from WORD_COLUMNS
    if rows >= KEYS_FROM:
        yield "key"
    if rows >= VECTORS_FROM:
        yield "vector"


def _config(column: str) -> Any:
    from lancedb.index import FTS, BTree, IvfSq  # heavy: only once a store is opened

    if column == "vector":
        return IvfSq(distance_type="cosine")
    if column == "key":
        return BTree()
    if column == "identifiers":
        return FTS(base_tokenizer="whitespace", stem=False, remove_stop_words=False)
    # ICU finds words in every language; stemming is for English and harmless elsewhere.
    return FTS(base_tokenizer="icu/split", stem=True, remove_stop_words=False)


async def _indexes(tables: Tables, table: Table) -> list[Any]:
    found: list[Any] = await tables.attempt(tables[table].list_indices)
    return found


async def _behind(tables: Tables, table: Table) -> bool:
    for index in await _indexes(tables, table):
        stats = await tables.attempt(lambda i=index: tables[table].index_stats(i.name))
        if stats is not None and stats.num_unindexed_rows > MOST_UNINDEXED:
            return True
    return False
