"""Buckets: how many requests each caller may make now; each fills evenly, and may be in debt."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MOST_BUCKETS = 10_000
_UNTOLD = 0.25
"""Of a minute's requests that a replica may keep to itself: a quiet server writes nothing."""


@dataclass(slots=True)
class _Bucket:
    most: float
    left: float
    at: float
    untold: int = 0

    def fill(self, now: float) -> None:
        """Bring it up to date."""
        self.left = min(self.most, self.left + (now - self.at) * self.most / 60)
        self.at = now


class Buckets:
    """The buckets of one replica; what callers took from others' is taken from these, too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._owed: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """What callers took elsewhere who were never here, and when that was told."""

    def take(self, name: str, per_minute: float) -> float:
        """Take one; the seconds to wait if the bucket is empty."""
        bucket = self._of(name, per_minute)
        if bucket.left < 1:
            return (1 - bucket.left) * 60 / per_minute
        bucket.left -= 1
        bucket.untold += 1
        return 0.0

    def spent(self, counts: Mapping[str, int]) -> None:
        """Callers took so many elsewhere: they wait here for at most a minute longer."""
        now = self._clock()
        for name, count in counts.items():
            bucket = self._buckets.get(name)
            if bucket is None:
                before, _ = self._owed.pop(name, (0, now))
                self._owed[name] = (before + count, now)
                _bounded(self._owed)
            else:
                bucket.fill(now)
                bucket.left = max(-bucket.most, bucket.left - count)

    def untold(self) -> dict[str, int]:
        """What callers took here since this was last told, of those who took much."""
        busy = {
            name: bucket
            for name, bucket in self._buckets.items()
            if bucket.untold >= max(1, bucket.most * _UNTOLD)
        }
        told = {name: bucket.untold for name, bucket in busy.items()}
        for bucket in busy.values():
            bucket.untold = 0
        return told

    def _of(self, name: str, per_minute: float) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(name, None)
        if bucket is None:
            owed, at = self._owed.pop(name, (0, now))
            bucket = _Bucket(per_minute, max(-per_minute, per_minute - owed), at)
        self._buckets[name] = bucket  # at the end: used last
        _bounded(self._buckets)
        bucket.fill(now)
        return bucket


def _bounded(kept: "OrderedDict[str, _Bucket] | OrderedDict[str, tuple[int, float]]") -> None:
    if len(kept) > MOST_BUCKETS:
        kept.popitem(last=False)
