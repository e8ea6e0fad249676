"""Vectors of another model: all rows get theirs anew while searches go on by words."""

from collections.abc import Sequence
from functools import partial

import anyio.to_thread

from mcp_memory.store.rows import EvidenceRow, MemoryRow, Table
from mcp_memory.store.schema import IDENTITY, arrow_schema, empty_columns, to_arrow
from mcp_memory.store.tables import Tables

_COLUMN = "vector"

Row = EvidenceRow | MemoryRow
Revised = tuple[Table, Sequence[Row]]
"""Rows of a table that got other vectors."""


async def any_stored(tables: Tables) -> bool:
    """Whether any row has a vector."""
    for table in IDENTITY:
        query = tables[table].query().where(f"{_COLUMN} IS NOT NULL").select(["key"]).limit(1)
        if await tables.attempt(query.to_list):
            return True
    return False


async def resize_vectors(tables: Tables, dim: int) -> None:
    """Empty vectors of another length in the place of all that are stored."""
    for table in IDENTITY:
        column = arrow_schema(table, dim).field(_COLUMN)
        await tables.write(partial(tables[table].drop_columns, [_COLUMN]))
        await tables.write(partial(tables[table].add_columns, empty_columns([column])))
    tables.dim = dim


async def put_vectors(tables: Tables, table: Table, rows: Sequence[Row]) -> None:
    """Rows with new vectors in the place of the same rows; what was deleted meanwhile stays so."""
    data = await anyio.to_thread.run_sync(to_arrow, table, rows, tables.dim)
    merge = tables[table].merge_insert(list(IDENTITY[table])).when_matched_update_all()
    await tables.write(partial(merge.execute, data, on_bad_vectors="null"))
