"""Worked out: what was made of a value is made once, and kept for as long as that very value lives."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import ref

K = TypeVar("K")
B = TypeVar("B")
V = TypeVar("V")


class WorkedOut(Generic[K, B, V]):
    """A function of two frozen values that remembers by which objects they are, not what they say.

    The episodes, files and rows of a session each ask what its calls wrote and how they ended, ten
    times a step; to compare steps would cost more than to work it out. Trap: neither what is made
    nor the second value may hold the first, or it never goes.
    """

    def __init__(self, make: Callable[[K, B], V]) -> None:
        self._make = make
        self._held: dict[int, tuple[ref[K], B, V]] = {}

    def __call__(self, value: K, beside: B) -> V:
        """What is made of both; kept for as long as the first lives."""
        place = id(value)
        held = self._held.get(place)
        if held is not None and held[0]() is value and held[1] is beside:
            return held[2]
        made = self._make(value, beside)
        self._held[place] = (ref(value, lambda gone: self._forget(place, gone)), beside, made)
        return made

    def _forget(self, place: int, gone: "ref[K]") -> None:
        held = self._held.get(place)
        if held is not None and held[0] is gone:
            del self._held[place]
