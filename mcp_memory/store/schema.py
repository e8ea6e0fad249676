"""The Arrow side of the rows: schemas of the four tables, rows to columns and back."""

import types
import typing
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from mcp_memory.store.rows import EvidenceRow, LedgerRow, MemoryRow, SessionRow, Table

Row = EvidenceRow | MemoryRow | LedgerRow | SessionRow
R = TypeVar("R", EvidenceRow, MemoryRow, LedgerRow, SessionRow)

SCHEMA = 2
"""Raised when the tables change; an older store is migrated, a newer one refused."""
ROW_TYPES: dict[Table, type[Row]] = {
    "evidence": EvidenceRow,
    "memories": MemoryRow,
    "ledger": LedgerRow,
    "sessions": SessionRow,
}
IDENTITY: dict[Table, tuple[str, ...]] = {
    "evidence": ("key", "batch"),
    "memories": ("key", "version", "batch"),
}
"""The columns by which one stored row is told from every other, where rows carry vectors."""
DEFAULT_DIM = 256
_COMPRESSED = {"text", "context", "identifiers", "body", "entry"}


def arrow_schema(table: Table, dim: int) -> Any:
    """The Arrow schema of a table; `dim` is the length of its vectors."""
    import pyarrow as pa  # heavy: only once a store is opened

    kinds = {
        str: pa.string(),
        int: pa.int64(),
        datetime: pa.timestamp("us", tz="UTC"),
        tuple: pa.list_(pa.string()),
        float: pa.list_(pa.float32(), dim or DEFAULT_DIM),
    }
    columns = []
    for name, kind in _kinds(ROW_TYPES[table]).items():
        metadata = {"lance-encoding:compression": "zstd"} if name in _COMPRESSED else None
        columns.append(pa.field(name, kinds[kind], metadata=metadata))
    return pa.schema(columns)


def to_arrow(table: Table, rows: Sequence[Row], dim: int) -> Any:
    """Rows as one Arrow table, built column by column: a dict a row costs ten times as much."""
    import pyarrow as pa  # heavy: only once a store is opened

    schema = arrow_schema(table, dim)
    columns = []
    for column in schema:
        values = [getattr(row, column.name) for row in rows]
        if column.name == "vector":
            columns.append(_vectors(values, column.type))
        else:
            columns.append(pa.array(values, column.type))
    return pa.Table.from_arrays(columns, schema=schema)


def from_arrow(kind: type[R], table: Any) -> list[R]:
    """Rows of one type; columns that were not selected take an empty value."""
    if table.num_rows == 0:
        return []
    wanted = _kinds(kind)
    given = set(table.column_names)
    columns = []
    for name, value_kind in wanted.items():
        if name in given:
            values = table.column(name).to_pylist()
            empty = _EMPTY[value_kind]
            columns.append(
                [tuple(v) if isinstance(v, list) else empty if v is None else v for v in values]
            )
        else:
            columns.append([_EMPTY[value_kind]] * table.num_rows)
    return [kind(*values) for values in zip(*columns, strict=True)]


def empty_columns(missing: Sequence[Any]) -> Any:
    """A schema of columns to add; old rows read them as null, and `from_arrow` as empty."""
    import pyarrow as pa  # heavy: only once a store is opened

    return pa.schema(missing)


_EMPTY: dict[type, object] = {str: "", int: 0, datetime: None, tuple: (), float: None}


def _kinds(kind: type[Row]) -> dict[str, type]:
    """Column name to the plain type that its values have."""
    hints = typing.get_type_hints(kind)
    return {each.name: _plain(hints[each.name]) for each in fields(kind)}


def _plain(hint: Any) -> type:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    origin = typing.get_origin(hint)
    if origin is tuple:
        return tuple if typing.get_args(hint)[0] is str else float
    return str if origin is typing.Literal else hint


def _vectors(values: Sequence[tuple[float, ...] | None], kind: Any) -> Any:
    import numpy as np  # heavy: only where vectors are written
    import pyarrow as pa  # heavy: only once a store is opened

    dim = kind.list_size
    flat = np.zeros((len(values), dim), dtype=np.float32)
    for place, vector in enumerate(values):
        if vector is not None:
            flat[place] = vector
    missing = pa.array([vector is None for vector in values])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), dim, mask=missing)
