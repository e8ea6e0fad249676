"""Packing: evidence rows as columns, which travel between processes and into the table as they are."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.store.rows import EvidenceRow
from mcp_memory.store.schema import arrow_schema, columns_of, vectors_of

_VECTOR = "vector"


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows without batch and vectors, in a third of the memory that they take one by one.

    As values each row is twenty objects, and a text takes up to four bytes a letter.
    """

    table: Any
    """An Arrow table, which pickles as its bytes."""

    @classmethod
    def of(cls, rows: Sequence[EvidenceRow]) -> "Packed":
        """The rows in their order."""
        return cls(columns_of("evidence", rows, without=("batch", "vector")))

    @classmethod
    def joined(cls, parts: Sequence["Packed"]) -> "Packed":
        """All rows of the parts, of which there is at least one, in order, in one piece.

        Lance takes a piece with all that its memory holds: 986 parts of one table cost twice as much.
        Where some brought vectors, the rows of the others have none.
        """
        import pyarrow as pa  # heavy: only once a store is open

        told = [part.table for part in parts]
        return cls(pa.concat_tables(told, promote_options="default").combine_chunks())

    @property
    def embedded(self) -> bool:
        """Whether the rows brought their vectors, as those do that were prepared elsewhere."""
        return _VECTOR in self.table.column_names

    def with_vectors(self, vectors: bytes, dim: int, having: Sequence[bool]) -> "Packed":
        """The rows with float32 vectors, one for each that is `having` one."""
        kind = arrow_schema("evidence", dim).field(_VECTOR).type
        return Packed(self.table.append_column(_VECTOR, vectors_of(kind, vectors, having)))

    def __len__(self) -> int:
        """How many rows."""
        return int(self.table.num_rows)

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return int(self.table.nbytes)

    def strings(self, column: str, *, chars: int | None = None) -> list[str]:
        """A column of texts, or the beginnings of them."""
        import pyarrow.compute as pc  # heavy: only once a store is open

        texts = self.table.column(column)
        cut = texts if chars is None else pc.utf8_slice_codeunits(texts, 0, chars)
        found: list[str] = cut.to_pylist()
        return found

    def only(self, places: Collection[int]) -> "Packed":
        """The rows at these places; the same where it is all of them."""
        import pyarrow as pa  # heavy: only once a store is open

        if len(places) == len(self):
            return self
        return Packed(self.table.take(pa.array(list(places), pa.int64())))

    def part(self, start: int, many: int) -> "Packed":
        """So many rows from a place on; nothing is copied. Trap: pickled, it takes all along."""
        return Packed(self.table.slice(start, many))

    def parts(self, most: int) -> Iterator["Packed"]:
        """The rows in their order, at most so many at a time; nothing is copied."""
        for start in range(0, len(self), most):
            yield self.part(start, most)

    def written(
        self, batch: str, schema: Any, vectors: bytes | None, *, having: Sequence[bool]
    ) -> Any:
        """The table to append: each row with its batch, and those that are `having` one a vector.

        `vectors` are rows of float32, one after another; None where no row gets any. Rows that
        brought theirs keep them.
        """
        import pyarrow as pa  # heavy: only once a store is open

        told = {"batch": pa.repeat(pa.scalar(batch, pa.string()), len(self))}
        if not self.embedded:
            told[_VECTOR] = vectors_of(schema.field(_VECTOR).type, vectors, having)
        columns = [told[n] if n in told else self.table.column(n) for n in schema.names]
        return pa.Table.from_arrays(columns, schema=schema)
