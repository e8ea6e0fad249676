"""Repeats: records that say the same fact, by their words and places: the best stands for all."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

LEAST_LINE, LEAST_SHARED, SHARED = 30, 60, 0.9
"""Lines that count, how many characters of them, and which share of the shorter record, are a repeat."""
READ_CHARS = 6_000


@dataclass(frozen=True, slots=True)
class Fact:
    """Where a record stands and what it says."""

    ref: str
    text: str
    begins: Hashable = None
    """What an episode shares with its first step; None for what is nothing's beginning."""
    alone: bool = False
    """Whether it is never another's repeat, whatever it says: a memory is judged by itself."""


def once(ranked: Sequence[T], fact_of: Callable[[T], Fact]) -> list[tuple[T, tuple[str, ...]]]:
    """The records that say something new, best first, each with the refs of those that repeat it."""
    kept: list[tuple[T, dict[str, None]]] = []
    by_ref: dict[str, int] = {}
    by_start: dict[Hashable, int] = {}
    by_line: dict[str, dict[int, None]] = {}
    sizes: list[int] = []
    for item in ranked:
        fact = fact_of(item)
        lines = {} if fact.alone else _lines(fact.text)
        place = by_ref.get(fact.ref)
        if place is None and fact.begins is not None:
            place = by_start.get(fact.begins)
        if place is None:
            place = _same(lines, by_line, sizes)
        if place is None:
            place = len(kept)
            kept.append((item, {}))
            sizes.append(sum(lines.values()))
            for line in lines:
                by_line.setdefault(line, {})[place] = None
        elif fact.ref not in by_ref:
            kept[place][1][fact.ref] = None
        by_ref.setdefault(fact.ref, place)
        if fact.begins is not None:
            by_start.setdefault(fact.begins, place)
    return [(item, tuple(also)) for item, also in kept]


def _lines(text: str) -> dict[str, int]:
    """Each telling line with its length."""
    flat = (" ".join(line.split()) for line in _cut(text).splitlines())
    return {line: len(line) for line in flat if len(line) >= LEAST_LINE}


def _cut(text: str) -> str:
    return text[:READ_CHARS]


def _same(
    lines: dict[str, int], by_line: dict[str, dict[int, None]], sizes: Sequence[int]
) -> int | None:
    """The kept record that has most of the shorter one's lines."""
    size = sum(lines.values())
    shared: dict[int, int] = {}
    for line, length in lines.items():
        for place in by_line.get(line, ()):
            shared[place] = shared.get(place, 0) + length
    return _most(shared, size, sizes)


def _most(shared: dict[int, int], size: int, sizes: Sequence[int]) -> int | None:
    alike: Iterable[int] = (
        place
        for place, count in shared.items()
        if count >= LEAST_SHARED and count >= SHARED * min(size, sizes[place])
    )
    return min(alike, default=None)
