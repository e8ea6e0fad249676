"""Purge: rows out of every file of every version, and the detector that proves it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread

from mcp_memory.models import Check
from mcp_memory.store import schema, upkeep
from mcp_memory.store.filters import to_sql
from mcp_memory.store.rows import Table, Where
from mcp_memory.store.tables import Tables

_TEXT_COLUMNS = ("text", "context", "identifiers", "body", "entry", "title", "goal", "inverse", "effects")
_CHUNK = 1 << 22


async def purge(tables: Tables, table: Table, where: Where) -> None:
    """Erase the rows of a filter from a table: live files, older versions and indexes.

    The fragments that hold such a row are rewritten whole: their other rows move to a new fragment
    in one commit, which concurrent appends do not disturb; then nothing names the old files.
    """
    condition = to_sql(table, where)
    if condition is None:
        raise AssertionError
    query = tables[table].query().where(condition).with_row_address()
    addressed = await tables.attempt(lambda: query.select(["_rowaddr"]).to_arrow())
    fragments = sorted({address >> 32 for address in addressed.column("_rowaddr").to_pylist()})
    if not fragments:
        return
    survivors = await tables.attempt(
        lambda: tables[table]
        .query()
        .with_fragments(fragments)
        .where(f"NOT ({condition})")
        .to_arrow()
    )
    await tables.delete(table, condition)
    if survivors.num_rows:
        identity = list(schema.IDENTITY[table])
        await tables.attempt(
            lambda: tables[table]
            .merge_insert(identity)
            .when_matched_update_all()
            .execute(survivors, on_bad_vectors="null")
        )


async def drop_history(tables: Tables, table: Table) -> None:
    """Rebuild the table's indexes, whose dictionaries hold words, and drop all older versions."""
    rows = await tables.attempt(tables[table].count_rows)
    if table in upkeep.SEARCHED:
        await upkeep.build_indexes(tables, table, max(rows, upkeep.VECTORS_FROM), anew=True)
    await upkeep.optimize(tables, table, keep=timedelta(0))


async def detect(tables: Tables, needles: Sequence[str]) -> dict[str, int]:
    """How often needles occur: decoded in every version of every table, and raw in every file."""
    found = {f"table {table}": await _in_versions(tables, table, needles) for table in tables.by_name}
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
