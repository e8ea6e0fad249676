"""Vectors of another model: all rows get theirs anew while searches go on by words."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio.to_thread

from mcp_memory.store.rows import EvidenceRow, MemoryRow, Table
from mcp_memory.store.schema import IDENTITY, arrow_schema, empty_columns, to_arrow
from mcp_memory.store.tables import Tables

_COLUMN = "vector"
_AT_ONCE = 2_000


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


async def put_vectors(
    tables: Tables,
    table: Table,
    rows: Sequence[EvidenceRow] | Sequence[MemoryRow],
    still: Callable[[], Awaitable[None]],
) -> None:
    """Rows with new vectors in the place of the same rows; what was deleted meanwhile stays so.

    `still` raises where this process is no more the one that does it.
    """
    for start in range(0, len(rows), _AT_ONCE):
        await still()
        part = rows[start : start + _AT_ONCE]
        data = await anyio.to_thread.run_sync(to_arrow, table, part, tables.dim)
        merge = tables[table].merge_insert(list(IDENTITY[table])).when_matched_update_all()
        await tables.write(partial(merge.execute, data, on_bad_vectors="null"))
