"""Streams: what LanceDB is asked and given, told no more than it needs; its answers read as one table."""

from contextlib import suppress
from typing import Any

_FEW = 8


def plain(query: Any) -> Any:
    """The query without its table.

    With it, it first asks for the schema, to see whether blobs are to be fetched. No table here has
    any, and of an empty query's .9 ms of processor it takes .3.
    """
    query._table = None  # noqa: SLF001 there is no other way to say so
    return query


async def gathered(query: Any, most: int | None = None) -> Any:
    """The answer of a plain query as an Arrow table, which has so many rows at `most`.

    `to_arrow` hands it from reader to reader, and waits once more after the last row: each wait is
    one thread that wakes another.
    """
    import pyarrow as pa  # heavy: only once a store is open

    stream = await query._inner.execute(max_batch_length=None, timeout=None)  # noqa: SLF001
    batches, rows = [], 0
    async for batch in stream:
        batches.append(batch)
        rows += batch.num_rows
        if rows == most:
            break
    return pa.Table.from_batches(batches, stream.schema)


async def added(table: Any, data: Any) -> Any:
    """Append rows; what LanceDB says of it.

    A vector that is none, or has another length than the table's by now, is left out of its row. Of a
    few rows that is looked for only where LanceDB refuses them: to look takes a third of their append.
    """
    rows = getattr(data, "num_rows", None)  # a reader does not know how many it will give
    if rows is not None and rows <= _FEW:
        with suppress(ValueError):
            return await table.add(data)
    return await table.add(data, on_bad_vectors="null")
