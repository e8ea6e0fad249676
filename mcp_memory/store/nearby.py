"""Nearby: the vectors of memories, while they are few, compared in memory instead of by a query."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.store.rows import Found, MemoryRow

MOST_ROWS = 2_000
"""2 MB of vectors, compared in .3 ms; a query takes 2 ms of processor, and .1 more for each append."""
COLUMNS = ("key", "kind", "project", "state", "batch", "hash")
"""What a filter may ask of a row that is at hand."""


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    kind: str
    project: str
    state: str
    batch: str
    hash: str


class Nearby:
    """All rows of one version of the memories that have a vector."""

    def __init__(self) -> None:
        self._version = -1
        self._rows: list[_Row] = []
        self._vectors: Any = None
        self._stored: Any = None
        """How exactly the store keeps them: what is followed is no nearer than what is read."""

    @property
    def width(self) -> int:
        """How many numbers a vector has here; one of another length is of another model."""
        return 0 if self._vectors is None else int(self._vectors.shape[1])

    def knows(self, version: int) -> bool:
        """Whether it holds this version."""
        return self._version == version

    def learn(self, version: int, rows: Any) -> None:
        """Hold these rows, in Arrow with their vectors, and no others."""
        import numpy as np  # heavy: only once a store was searched

        rows = rows.filter(rows.column("vector").is_valid())
        told = rows.select(list(COLUMNS)).to_pylist()
        vectors = rows.column("vector").combine_chunks()
        width = vectors.type.list_size
        # Flattened, a slice's values begin where it does.
        flat = vectors.flatten().to_numpy(zero_copy_only=False)
        self._rows = [_Row(**row) for row in told]
        self._stored = flat.dtype
        self._vectors = flat.astype(np.float32).reshape(-1, width)
        self._version = version

    def follow(self, version: int, rows: Sequence[MemoryRow]) -> None:
        """Go on with rows that this process appended, where nobody wrote between."""
        import numpy as np  # heavy: only once a store was searched

        if self._version != version - 1 or self._vectors is None:
            return
        # The store leaves a vector of another length out of its row.
        new = [(row, row.vector) for row in rows if len(row.vector or ()) == self.width]
        if new:
            more = np.array([vector for _, vector in new], self._stored).astype(np.float32)
            self._vectors = np.concatenate([self._vectors, more])
            self._rows += [_Row(*(getattr(row, name) for name in COLUMNS)) for row, _ in new]
        self._version = version

    def nearest(
        self, vector: Sequence[float], holds: Callable[[Any], bool], limit: int
    ) -> list[Found]:
        """The nearest rows that a filter holds for, by their cosines; of a key the nearest."""
        import numpy as np  # heavy: only once a store was searched

        apart = self._vectors - np.array(vector, np.float32)
        cosines = 1.0 - np.einsum("ij,ij->i", apart, apart) / 2  # as of a query's squared distance
        best: dict[str, float] = {}
        seen = 0
        for at in np.argsort(-cosines, kind="stable").tolist():
            if holds(self._rows[at]):
                best.setdefault(self._rows[at].key, float(cosines[at]))
                seen += 1
                if seen == limit:
                    break
        return [Found(key, score) for key, score in best.items()]
