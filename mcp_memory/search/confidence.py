"""Confidence: how surely a record bears on a question, measured, from what no model is needed for."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.text import wording

HELD, SIMILAR = 0.1, 0.1
"""What the words it holds and its cosine add to a record's place, whose best is 1.

On the choosing half of LoCoMo this order finds .831 where the place alone finds .822; with .2 for the
words .838, but BEAM less.
"""
LARGE, LARGE_CHARS = 2_000, 1_500_000
"""From so many records, or characters in them, on, a word that none holds tells all that it can.

Small banks lack many words; 1,200 steps of a coding session hold more of them than 2,000 turns of talk.
"""
SHORT = 6
"""A question of so many terms names what it looks for; a longer one tells of it in words of its own,
for which the number of records counts and not how much they say."""
LEAST_ASKED = 4
"""Terms of a question's beginning that are a question by themselves: names after it are premises."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_EITHER = re.compile(r"(\w[\w.-]*)(?:\s*/\s*|\s+or\s+)(\w[\w.-]*)")
"""Two names of which a question asks for either."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells, without a model, whether a record bears on a question; each 0 to 1."""

    ahead: float
    """Its rank's score as a share of the best of its table."""
    held: float
    """The share of the question's terms that it holds, weighed by how much each says."""
    similar: float | None
    """The cosine; None while search goes by words only."""
    reread: bool = False
    """Whether a model has read it with the question: then nothing is added to its place."""

    @property
    def place(self) -> float:
        """Where it stands among the others; what they are ordered by."""
        if self.reread:
            return self.ahead
        return self.ahead + HELD * self.held + SIMILAR * (self.similar or 0.0)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a question asks for and history does not hold."""

    gone: float = 0.0
    """The share of the terms that no record holds, as far as the bank's size lets it tell."""
    unheard: float = 0.0
    """The share of the names that no candidate holds, of what the question begins with.

    One that another record holds counts less: it is no name of something that never was.
    """
    unknown: tuple[str, ...] = ()
    """Names that nothing holds, wherever they stand."""
    scattered: bool = False
    """Whether its words are all held somewhere, and no record holds them together or is like it."""


EVIDENCE = (-4.6, 3.9)
"""A logistic curve over the place: fitted with what is lacking to half of 1,650 questions, of talks
and coding sessions, of which 350 had no answer there: names replaced, or short ones about things
that the project never had."""
GONE, UNHEARD = -12.2, -3.2
ELSEWHERE = 0.5
"""What a name counts that no candidate holds and another record does. Where it counted whole, 7 of 415
questions that agents asked of what they then found were silent (a release by its number, a menu's
name), with half 1; of 120 absent ones in their own project 112 are silent for 115. With none, the same."""
TOGETHER, SCATTERED = 0.9, -4.0
"""What the best record must have of a short question, words held and cosine added, where the history
is large; and what it costs if none has. Of 43 short questions about what two projects had, the least
had 1.04, of 55 titles 1.11, of 97 subjects of commits two had less; of 15 answered questions about
things that they never had, 8 had less."""
MEMORY = (-4.5, 8.2, 8.3, -0.2)
"""Over words held, cosine and names unheard. A memory is a lesson in other words than the task that
it is for: fitted to half of 1,400 tasks over libraries of memories, half of them of another domain,
and carried over to the cosines of the model that is bundled now (.8 of them and .2 are the former)."""
MEMORY_STEP = 4.0
"""How fast memories behind the best one lose."""


def telling(rows: int, chars: float, *, terms: int) -> float:
    """0 to 1: what a word tells that none of so many records holds, of so many characters each."""
    large = rows / LARGE
    return min(1.0, max(large, rows * chars / LARGE_CHARS) if terms <= SHORT else large)


def lacking(
    question: str, held: Sequence[Mapping[str, float]], gone: frozenset[str], *, tells: float
) -> Lacking:
    """What none of the candidates hold of a question; `gone` are terms that none of all rows does.

    `tells`: what such a word tells, 0 to 1.
    """
    terms = wording.informative(question)
    nowhere = {term for term in terms if not any(one.get(term) for one in held)}
    names = [term for term in terms if wording.is_entity(term)]
    begun = set(_beginning(question)) - _spared(question, set(names), nowhere)
    premises = [name.casefold() for name in names if name not in begun and name in nowhere]
    asked = [t for t in terms if not any(t.casefold() in premise for premise in premises)]
    first = [term for term in names if term in begun]
    lost = [1.0 if term in gone else ELSEWHERE for term in first if term in nowhere]
    share_gone = len(gone & nowhere & set(asked)) / len(asked) if asked else 0.0
    return Lacking(
        gone=share_gone * max(tells, share_gone),
        unheard=sum(lost) / len(first) if first else 0.0,
        unknown=_whole([term for term in names if term in nowhere & gone]),
    )


def _spared(question: str, names: set[str], nowhere: set[str]) -> set[str]:
    """Names that nothing holds and that stand beside one that is held: `VS Code/Zed`, `Bun or Deno`."""
    pairs = [set(pair) for pair in _EITHER.findall(question)]
    return {
        lost
        for pair in pairs
        for lost in pair & nowhere & names
        if pair <= names and len(pair - nowhere) == 1
    }


def _whole(names: Sequence[str]) -> tuple[str, ...]:
    """The names without those that are part of another."""
    return tuple(n for n in names if not any(n != other and n in other for other in names))


def scattered(question: str, signs: Sequence[Signs]) -> bool:
    """Whether a short question has no record that holds its words together, or is like it.

    Of pairs of CJK letters, and without vectors, it cannot be told.
    """
    terms = wording.informative(question)
    if len(terms) > SHORT or any(map(wording.is_pair, terms)):
        return False
    if any(one.similar is None for one in signs):
        return False
    return max((one.held + (one.similar or 0.0) for one in signs), default=TOGETHER) < TOGETHER


def missing(question: str, held: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The terms of a question that none of the candidates hold."""
    terms = wording.informative(question)
    return tuple(term for term in terms if not any(one.get(term) for one in held))


def _beginning(question: str) -> tuple[str, ...]:
    """The terms of the first sentences that are a question by themselves."""
    begun = ""
    for sentence in _SENTENCE.split(question):
        begun = f"{begun} {sentence}".strip()
        if len(wording.informative(begun)) >= LEAST_ASKED:
            break
    return wording.informative(begun)


def holdings(asked: Sequence[str], text: str) -> dict[str, float]:
    """To each term, whether a text holds it: 1, 0.7 for another ending of it, or 0."""
    folded = text.casefold()
    return {term: wording.held(term.casefold(), folded) for term in asked}


def share(held: Mapping[str, float]) -> float:
    """The share of the terms that is held, weighed by how much each says; 0 without terms."""
    weights = {term: wording.weight(term) for term in held}
    whole = math.fsum(weights.values())
    return math.fsum(weights[term] * held[term] for term in held) / whole if whole else 0.0


def of_evidence(signs: Sequence[Signs], without: Lacking) -> list[float]:
    """To each record, 0 to 1, how surely it bears on the question; in the order of their places."""
    base, rise = EVIDENCE
    base += GONE * without.gone + UNHEARD * without.unheard + SCATTERED * without.scattered
    return [_curve(base + rise * one.place) for one in signs]


def of_memories(signs: Sequence[Signs], without: Lacking) -> list[float]:
    """The same of memories: the best is as sure as the surest, the others as they stand behind it."""
    base, held, similar, unheard = MEMORY
    best = max((held * one.held + similar * (one.similar or 0.0) for one in signs), default=0.0)
    first = max((one.place for one in signs), default=0.0)
    whole = base + best + unheard * without.unheard
    return [_curve(whole - MEMORY_STEP * (first - one.place)) for one in signs]


def _curve(raised: float) -> float:
    return 1 / (1 + math.exp(-raised))
