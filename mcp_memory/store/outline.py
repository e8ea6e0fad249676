"""Outline: the short columns of every row of one version of evidence, kept in memory and looked up there."""

from collections.abc import Collection, Sequence
from typing import Any

PLACE = "_rowid"
COLUMNS = (
    *("key", "kind", "trajectory", "first", "last", "project", "source", "at", "outcome"),
    *("flags", "state"),
)
_CODED = frozenset({"kind", "trajectory", "project", "source", "outcome", "state"})
"""Columns of few values: a number a row, beside each value once."""
MOST_ROWS = 200_000
"""Rows of a table that is outlined, at 9 MB a 100,000; a larger one is asked each time."""
LONGEST_KEY = 64


class Outline:
    """What is short of each row, by where it stands; of a key that stands twice the row written last."""

    def __init__(self, version: int, rows: Any) -> None:
        import numpy as np  # heavy: only once a store was searched
        import pyarrow.compute as pc

        self.version = version
        places = rows.column(PLACE).to_numpy()
        if (places[1:] < places[:-1]).any():  # compaction leaves newer fragments before older ones
            rows = rows.take(pc.sort_indices(rows.column(PLACE)))
            places = rows.column(PLACE).to_numpy()
        self._places = places
        self._columns = {name: _whole(rows.column(name), coded=name in _CODED) for name in COLUMNS}
        states = rows.column("state")
        self.all_live = bool(
            pc.all(pc.fill_null(pc.equal(states, "live"), fill_value=False)).as_py()
        )
        keys = _fixed(self._columns["key"])
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        self._keys = keys[self._order]

    def keys(self, places: Collection[int]) -> dict[int, str] | None:
        """The key at each place; None where one is no row's."""
        ordered = sorted(places)
        at = self._at(ordered)
        if at is None:
            return None
        return dict(zip(ordered, self._columns["key"].take(at).to_pylist(), strict=True))

    def places(self, keys: Collection[str]) -> list[int]:
        """Where those of the keys stand that a row has, in the order of their writing."""
        import numpy as np  # heavy: only once a store was searched

        # Of one width, as the whole column would be widened for a longer one.
        width = self._keys.dtype.itemsize
        short = [each for key in keys if len(each := key.encode()) <= width]
        if not len(self._places) or not short:
            return []
        wanted = np.array(short, dtype=self._keys.dtype)
        at = np.maximum(np.searchsorted(self._keys, wanted, side="right") - 1, 0)
        held = self._order[at[self._keys[at] == wanted]]
        return [int(place) for place in np.unique(self._places[held])]

    def rows(self, places: Sequence[int], columns: Sequence[str]) -> Any:
        """These columns at these places as Arrow; None where one is no row's."""
        import pyarrow as pa  # heavy: only once a store is open

        at = self._at(places)
        if at is None:
            return None
        taken = {name: self._columns[name].take(at) for name in columns}
        # Coded values are dear to read one by one, and bring all that the column has.
        return pa.table({n: c.dictionary_decode() if n in _CODED else c for n, c in taken.items()})

    def _at(self, places: Sequence[int]) -> Any:
        """Which rows stand there; None where one is no row's."""
        import numpy as np  # heavy: only once a store was searched

        wanted = np.array(places, dtype=np.uint64)
        if not len(self._places):
            return None if len(wanted) else wanted
        at = np.minimum(np.searchsorted(self._places, wanted), len(self._places) - 1)
        return at if bool((self._places[at] == wanted).all()) else None


def _whole(column: Any, *, coded: bool) -> Any:
    """A column in one piece."""
    return (column.dictionary_encode() if coded else column).combine_chunks()


def _fixed(texts: Any) -> Any:
    """A column of texts as bytes of one width: as Python objects they take five times the room."""
    import numpy as np  # heavy: only once a store was searched

    _, offsets, told = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(ends)
    width = int(lengths.max(initial=1))
    made = np.zeros((len(texts), width), np.uint8)
    if told is not None:
        made[np.arange(width) < lengths[:, None]] = np.frombuffer(told, np.uint8)[
            ends[0] : ends[-1]
        ]
    return made.view(f"S{width}").ravel()


def outlined(version: int, rows: Any) -> Outline | None:
    """The outline of rows that were read; None where a key is too long to be kept."""
    import pyarrow.compute as pc  # heavy: only once a store is open

    longest = pc.max(pc.binary_length(rows.column("key"))).as_py() or 0
    return Outline(version, rows) if longest <= LONGEST_KEY else None
