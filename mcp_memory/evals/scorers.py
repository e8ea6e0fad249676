"""Scorers: recall, hits, gain, silence, cost and time over ranked answers; pure."""

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

CUTS = (1, 3, 5, 10, 20)
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the bounds between which 95 % of resampled means lie."""

    mean: float
    low: float
    high: float
    n: int


def ranked_scores(ranked: Sequence[str], gold: Collection[str]) -> dict[str, float]:
    """recall@k, any@k, strict@k, ndcg@10 and mrr of one answer; empty without gold."""
    if not gold:
        return {}
    made: dict[str, float] = {}
    for cut in CUTS:
        found = len(set(ranked[:cut]) & set(gold))
        made[f"recall@{cut}"] = found / len(gold)
        made[f"any@{cut}"] = float(found > 0)
        made[f"strict@{cut}"] = float(found == len(gold))
    made["ndcg@10"] = ndcg(ranked, gold, 10)
    made["mrr"] = next((1 / place for place, one in enumerate(ranked, 1) if one in gold), 0.0)
    return made


def ndcg(ranked: Sequence[str], gold: Collection[str], cut: int) -> float:
    """Discounted gain of the first `cut`, over the best that could be had."""
    gain = sum(1 / math.log2(place + 1) for place, one in enumerate(ranked[:cut], 1) if one in gold)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(len(gold), cut) + 1))
    return gain / best if best else 0.0


def abstention(absent: Sequence[bool], silent: Sequence[bool]) -> dict[str, float]:
    """Precision and recall of silence; where nothing was silent, precision is 0."""
    right = sum(a and s for a, s in zip(absent, silent, strict=True))
    return {
        "abstention.recall": right / max(1, sum(absent)),
        "abstention.precision": right / max(1, sum(silent)),
        "wrongly silent": (sum(silent) - right) / max(1, len(absent) - sum(absent)),
    }


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank); 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def bootstrap(values: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """The mean with its 95 % percentile interval, over resampled questions."""
    n = len(values)
    if not n:
        return Interval(0.0, 0.0, 0.0, 0)
    drawn = random.Random(seed)  # noqa: S311 resampling, not secrecy
    means = sorted(math.fsum(drawn.choices(values, k=n)) / n for _ in range(resamples))
    return Interval(math.fsum(values) / n, percentile(means, 0.025), percentile(means, 0.975), n)


def paired(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[Interval, int, int]:
    """Second minus first over the questions that both have; how many got better, and worse."""
    both = [key for key in first if key in second]
    gains = [second[key] - first[key] for key in both]
    return bootstrap(gains), sum(g > 0 for g in gains), sum(g < 0 for g in gains)


def within(costs: Sequence[int], budget: int) -> int:
    """How many of the first hits fit a budget together."""
    spent = 0
    for place, cost in enumerate(costs):
        spent += cost
        if spent > budget:
            return place
    return len(costs)


def once(items: Iterable[str], *, key: Callable[[str], str] = str) -> tuple[str, ...]:
    """The keys of items, each once, in order; empty keys are passed over."""
    return tuple(dict.fromkeys(made for made in map(key, items) if made))
