"""Ranking: how hits are weighed, shared between questions and cut to what is shown."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from mcp_memory.domain.models import Outcome, SourceClass, Standing
from mcp_memory.search.fusion import Fused

T = TypeVar("T")

HALF_LIFE_DAYS = 42.0
EXACT = 1.25
"""What a record counts more whose own words hold every term: neighbours repeat some of them."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a record besides its rank."""

    exact: bool = False
    """Whether its own words, without its neighbours', hold all that is asked."""
    source: SourceClass = SourceClass.AGENT
    outcome: Outcome = Outcome.UNKNOWN
    standing: Standing | None = None
    superseded: bool = False
    restated: bool = False
    """Whether a newer memory says the same with another value, and nobody said which holds."""
    used: tuple[float, float] = (0, 0)
    """What speaks for it and what against, by how its uses went."""
    at: datetime | None = None
    asked_time: bool = False
    """Whether it is of a time that the question names."""
    focused: bool = False
    """Whether it is about what the project wants remembered before all else."""
    newness: float | None = None
    """0 to 1: how new it is among those found, where the question asks for the state of things."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A key with its final score, and why: channel to rank, prior to multiplier."""

    key: str
    score: float
    why: Mapping[str, int | float]


def rank(
    fused: Sequence[Fused], features: Mapping[str, Features], *, now: datetime
) -> list[Ranked]:
    """Fused hits with their priors, best first; priors of 1 are not mentioned.

    Each prior is bounded (0.85 to 1.15; superseded 0.4, restated 0.6, exact 1.25, an asked time 1.3):
    none hides a hit.
    """
    ranked = []
    for hit in fused:
        known = priors(features.get(hit.key, Features()), now=now)
        told = {name: weight for name, weight in known.items() if weight != 1.0}
        why: dict[str, int | float] = {**hit.ranks, **told}
        ranked.append(Ranked(hit.key, hit.score * math.prod(known.values()), why))
    return sorted(ranked, key=lambda one: (-one.score, one.key))


def priors(known: Features, *, now: datetime) -> dict[str, float]:
    """The multipliers of a record by name."""
    made = {
        "outcome": {"success": 1.05, "failure": 0.98, "unknown": 1.0}[known.outcome.value],
        "standing": 0.92 if known.standing is Standing.CANDIDATE else 1.0,
        "trust": 0.82 + 0.3 * known.source.trust,
        "reinforcement": _reinforcement(*known.used),
        "recency": _recency(known.at, now),
        "exact": EXACT if known.exact else 1.0,
        "superseded": 0.4 if known.superseded else 1.0,
        "restated": 0.6 if known.restated else 1.0,
        "time": 1.3 if known.asked_time else 1.0,
        "focus": 1.1 if known.focused else 1.0,
        "newness": 1.0 if known.newness is None else 0.97 + 0.06 * known.newness,
    }
    return {name: round(weight, 3) for name, weight in made.items()}


def _reinforcement(well: float, badly: float) -> float:
    """0.85 to 1.15: the mean of a Beta estimate from (1, 1) on, the more the surer it is."""
    known = well + badly
    return 1.0 + 0.3 * ((well + 1) / (known + 2) - 0.5) * known / (known + 2)


def _recency(at: datetime | None, now: datetime) -> float:
    """0.95 for what is old or undated, up to 1."""
    days = math.inf if at is None else max(0.0, (now - at).total_seconds() / 86_400)
    return 0.95 + 0.05 * math.exp2(-days / HALF_LIFE_DAYS)


def fair_shares(
    lists: Sequence[Sequence[T]], limit: int, *, key: Callable[[T], Hashable] = lambda item: item
) -> list[T]:
    """At most `limit` items, in turns from the lists; a list whose next was taken gives another."""
    taken: dict[Hashable, T] = {}
    waiting = [iter(each) for each in lists]
    while waiting:
        still = []
        for each in waiting:
            item = next((one for one in each if key(one) not in taken), None)
            if item is not None:
                taken[key(item)] = item
                still.append(each)
        waiting = still if len(taken) < limit else []
    return list(taken.values())[:limit]


def within_budget(items: Iterable[tuple[T, int]], budget: int) -> list[T]:
    """The items whose costs fit together, in order; one that is too large is passed over."""
    kept = []
    for item, cost in items:
        if cost <= budget:
            kept.append(item)
            budget -= cost
    return kept
