"""Fusion: channels' scores as one, sessions lifted by their best, repeats of a session held back."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SESSION_LIFT, SESSION_BEST = 0.3, 3
"""What the best session gives its records, as a share of the best score, and of how many it tells."""
FREE_REPEATS, REPEAT_SHARE = 3, 0.95
"""A session's further hits count this share of their score, each less than the one before."""


class Fused(NamedTuple):
    """A key with its fused score and its rank in each channel that found it, counted from 1."""

    key: str
    score: float
    ranks: Mapping[str, int | float]


def fuse(
    channels: Mapping[str, Mapping[str, float]],
    *,
    weights: Mapping[str, float] | None = None,
    from_worst: frozenset[str] = frozenset(),
) -> list[Fused]:
    """The weighted sum of each channel's scores over its best one, best first, ties by key.

    Scores keep what ranks throw away: by how much a hit is ahead (Bruch et al., 2023). In a
    channel of `from_worst`, whose scores start anywhere (cosines), the worst counts 0.
    A channel without a weight counts 1.
    """
    weigh = weights or {}
    parts: dict[str, list[float]] = defaultdict(list)
    ranks: dict[str, dict[str, int | float]] = defaultdict(dict)
    for channel, scores in channels.items():
        ordered = sorted((-score, key) for key, score in scores.items())
        low = -ordered[-1][0] if ordered and channel in from_worst else 0.0
        span = -ordered[0][0] - low if ordered else 0.0
        weight = weigh.get(channel, 1.0)
        for place, (below, key) in enumerate(ordered, 1):
            share = max(0.0, (-below - low) / span) if span > 0 else 1.0
            parts[key].append(weight * share)
            ranks[key][channel] = place
    # Sorted as plain pairs: hundreds are found, and values with names cost ten times as much.
    fused = sorted((-math.fsum(shares), key) for key, shares in parts.items())
    return [Fused(key, -below, ranks[key]) for below, key in fused]


def lift_sessions(
    fused: Sequence[Fused], *, session_of: Callable[[str], str], most: int | None = None
) -> list[Fused]:
    """The `most` records raised highest by how well their session answers; best first.

    What a session answers is its three best, and `fused` has them in order. A key without a
    session (`""`) is raised as though its session said the same throughout.
    """
    sessions = [session_of(one.key) for one in fused]
    totals: dict[str, float] = {}
    counted: Counter[str] = Counter()
    for one, session in zip(fused, sessions, strict=True):
        if session and counted[session] < SESSION_BEST:
            counted[session] += 1
            totals[session] = totals.get(session, 0.0) + one.score
    best = max((one.score for one in fused), default=0.0)
    highest = max(totals.values(), default=0.0)
    if best <= 0:
        return list(fused[:most])
    shares = [
        totals[session] / highest if session and highest > 0 else one.score / best
        for one, session in zip(fused, sessions, strict=True)
    ]
    raised = sorted(
        (-(one.score + SESSION_LIFT * best * share), one.key, place)
        for place, (one, share) in enumerate(zip(fused, shares, strict=True))
    )
    return [
        Fused(key, -score, {**fused[place].ranks, "session": round(shares[place], 3)})
        for score, key, place in raised[:most]
    ]


def held_back(
    ranked: Sequence[T],
    *,
    session_of: Callable[[T], str],
    score_of: Callable[[T], float],
    scored: Callable[[T, float], T],
) -> list[T]:
    """The items again, best first, with a session's hits after its third counted for less."""
    seen: Counter[str] = Counter()
    weighed: list[tuple[float, int]] = []
    for place, item in enumerate(ranked):
        session = session_of(item)
        seen[session] += bool(session)
        repeats = max(0, seen[session] - FREE_REPEATS)
        weighed.append((-score_of(item) * REPEAT_SHARE**repeats, place))
    return [scored(ranked[place], -score) for score, place in sorted(weighed)]
