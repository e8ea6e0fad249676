"""Purge: rows out of every file of every version, and the detector that proves it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread

from mcp_memory.models import Check
from mcp_memory.store import schema, upkeep
from mcp_memory.store.filters import to_sql
from mcp_memory.store.rows import Table, Where
from mcp_memory.store.tables import Tables

_TEXT_COLUMNS = (
    "text",
    "context",
    "identifiers",
    "body",
    "entry",
    "title",
    "goal",
    "inverse",
    "effects",
)
_CHUNK = 1 << 22
_GROUP_ROWS = 20_000


async def erase(tables: Tables, table: Table, where: Where) -> None:
    """Take the rows of a filter out of a table; their bytes stay until `rewrite`."""
    condition = to_sql(table, where)
    if condition is None:
        raise AssertionError
    await tables.delete(table, condition)


async def rewrite(tables: Tables, table: Table) -> None:
    """Move every row to a new file, so that nothing names a file that ever held an erased one.

    All files, since rows that were replaced long ago lie in them too, marked as deleted and no more.
    A merge on the rows' identity moves them in one commit a group of fragments, which concurrent
    appends do not disturb.
    """
    addressed = await tables.attempt(
        lambda: tables[table].query().with_row_address().select([]).to_arrow()
    )
    sizes = Counter(address >> 32 for address in addressed.column("_rowaddr").to_pylist())
    for group in _groups(sizes):
        rows = await tables.attempt(
            lambda g=group: tables[table].query().with_fragments(g).to_arrow()
        )
        await tables.attempt(
            lambda r=rows: (
                tables[table]
                .merge_insert(list(schema.IDENTITY[table]))
                .when_matched_update_all()
                .execute(r, on_bad_vectors="null")
            )
        )


def _groups(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Fragments in groups of a size that fits in memory."""
    group: list[int] = []
    rows = 0
    for fragment in sorted(sizes):
        if group and rows + sizes[fragment] > _GROUP_ROWS:
            yield group
            group, rows = [], 0
        group.append(fragment)
        rows += sizes[fragment]
    if group:
        yield group


async def drop_history(tables: Tables, table: Table) -> None:
    """Rebuild the table's indexes, whose dictionaries hold words, and drop all older versions."""
    rows = await tables.attempt(tables[table].count_rows)
    if table in upkeep.SEARCHED:
        await upkeep.build_indexes(tables, table, max(rows, upkeep.VECTORS_FROM), anew=True)
    await upkeep.optimize(tables, table, keep=timedelta(0))


async def detect(tables: Tables, needles: Sequence[str]) -> dict[str, int]:
    """How often needles occur: decoded in every version of every table, and raw in every file."""
    found = {
        f"table {table}": await _in_versions(tables, table, needles) for table in tables.by_name
    }
    found["files of the store"] = await anyio.to_thread.run_sync(_in_files, tables.path, needles)
    return found


def checks(before: dict[str, int], after: dict[str, int]) -> list[Check]:
    """One check a place; `control` shows that its detector could see."""
    return [Check(where=place, control=before[place], left=after[place]) for place in before]


async def _in_versions(tables: Tables, table: Table, needles: Sequence[str]) -> int:
    # A handle of its own: checking a version out must not move the one that others read.
    handle = await tables.connection.open_table(table)
    total = 0
    for version in await handle.list_versions():
        await handle.checkout(version["version"])
        columns = [c for c in _TEXT_COLUMNS if c in (await handle.schema()).names]
        async for batch in await handle.query().select(columns).to_batches():
            total += await anyio.to_thread.run_sync(_in_batch, batch, needles)
    handle.close()
    return total


def _in_batch(batch: Any, needles: Sequence[str]) -> int:
    texts = (
        text for column in batch.columns for text in column.to_pylist() if isinstance(text, str)
    )
    return sum(text.count(needle) for text in texts for needle in needles)


def _in_files(root: Path, needles: Sequence[str]) -> int:
    raw = [needle.encode() for needle in needles]
    overlap = max((len(needle) for needle in raw), default=1)
    total = 0
    for path in root.rglob("*"):
        if path.is_file():
            total += sum(piece.count(needle) for piece in _pieces(path, overlap) for needle in raw)
    return total


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield tail + piece
            tail = piece[-(overlap - 1) :] if overlap > 1 else b""
