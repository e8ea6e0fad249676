"""Needles: pieces of text that are looked for in raw bytes, all of them in one pass."""

from collections import Counter
from collections.abc import Iterator, Sequence

import orjson
from ahocorasick_rs import BytesAhoCorasick


class Needles:
    """Some pieces of text, each as it is and as JSON holds it."""

    def __init__(self, needles: Sequence[str]) -> None:
        self.all = tuple(dict.fromkeys(needles))
        self._spelled = [(each, raw) for each in self.all for raw in sorted(_spellings(each))]
        patterns = [raw for _, raw in self._spelled]
        self._finder = BytesAhoCorasick(patterns) if patterns else None
        self.overlap = max(map(len, patterns), default=1) - 1
        """Bytes of a piece that the next one must begin with, where a text is read in pieces."""

    def places(self, raw: bytes | memoryview) -> Iterator[tuple[str, int, int]]:
        """Each occurrence: which, where it begins and where it ends."""
        if self._finder is not None:
            for index, start, end in self._finder.find_matches_as_indexes(raw, overlapping=True):
                yield self._spelled[index][0], start, end

    def count(self, raw: bytes | memoryview) -> Counter[str]:
        """How often each occurs."""
        return Counter(needle for needle, _, _ in self.places(raw))


def _spellings(needle: str) -> set[bytes]:
    return {needle.encode(), orjson.dumps(needle)[1:-1]} if needle else set()
