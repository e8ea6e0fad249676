"""Confidence: how surely a record bears on a question, measured, from what no model is needed for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.text import wording


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over the three features."""

    base: float
    held: float
    similar: float
    unheard: float


WITH_VECTORS = Curve(base=-6.8, held=8.2, similar=6.6, unheard=-7.6)
MEMORIES = Curve(base=-6.6, held=8.2, similar=10.4, unheard=-0.2)
WORDS_ONLY = Curve(base=-4.8, held=9.6, similar=0.0, unheard=-6.5)
"""Fitted to half of 1,650 questions over talks and coding sessions, half of which had no answer there.

The absent ones named what is not there, or were asked of the wrong bank. The other half of them
is what the reliability plot shows. Of another embedding model cosines differ, and so will this.
A memory is a lesson in other words than the task that it is for: its curve was fitted to half of
1,400 tasks over libraries of memories, half of them of another domain.
"""


def holdings(asked: Sequence[str], text: str) -> dict[str, float]:
    """To each term, whether a text holds it: 1, 0.7 for another ending of it, or 0."""
    folded = text.casefold()
    return {term: wording.held(term.casefold(), folded) for term in asked}


def unheard(asked: Sequence[str], held: Sequence[Mapping[str, float]]) -> float:
    """The share of the names asked about that none of the candidates holds; 0 without names."""
    entities = [term for term in asked if wording.is_entity(term)]
    missing = [term for term in entities if not any(one[term] for one in held)]
    return len(missing) / len(entities) if entities else 0.0


def share(held: Mapping[str, float]) -> float:
    """The share of the terms that is held, weighed by how much each says; 0 without terms."""
    weights = {term: wording.weight(term) for term in held}
    whole = math.fsum(weights.values())
    return math.fsum(weights[term] * held[term] for term in held) / whole if whole else 0.0


def confidence(
    held: Mapping[str, float], *, similarity: float | None, unheard: float, memory: bool = False
) -> float:
    """0 to 1: the measured share of such hits whose question has its answer in the bank.

    From the share of the question's informative terms that the record holds (weighed by how much
    each says), the cosine (None while search goes by words only), and the share of names that
    nothing in the bank holds.
    """
    curve = WORDS_ONLY if similarity is None else MEMORIES if memory else WITH_VECTORS
    raised = (
        curve.base + curve.held * share(held) + curve.similar * (similarity or 0.0)
        + curve.unheard * unheard
    )  # fmt: skip
    return round(1 / (1 + math.exp(-raised)), 3)
