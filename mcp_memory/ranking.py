"""Ranking: how queries are read, and hits weighed, shared between questions and cut."""

import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, pairwise
from typing import TypeVar

from mcp_memory.fusion import Fused
from mcp_memory.identifiers import is_name, names
from mcp_memory.models import Outcome, SourceClass, Standing

T = TypeVar("T")

QUERY_CHARS, QUERY_TERMS, QUERY_PIECE = 400, 64, 130
_QUESTION_MARKS = "?\uff1f\u061f"
MOST_TRIES, HALF_LIFE_DAYS = 50, 42.0

_ASKING = (
    "a an the of in on at to for from by with and or as it its this that these those i you he she we"
    " they me my your his her our their what when where who whom whose which why how do does did is"
    " are was were be been being am has have had can could would should will shall may might there"
)
ASKING_WORDS = frozenset(_ASKING.split())
"""English words that ask rather than say; other languages lose nothing by them."""
_EDGES = "?!.,;:\"'()[]"
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_CJK_RUN = re.compile(rf"[{_CJK}]+")
_SENTENCE = re.compile(r"(?:^|[.!?:]\s{1,4}|\n[ \t]{0,40})([A-Z])(?=[a-z]+\b)")
_FAULT = re.compile(r"[\w.:]{0,80}[A-Z]\w{0,80}(?:\[\w+\])?:\s+\S")


def clean_query(query: str) -> str:
    """A query of at most 400 characters and 64 words that still says what is looked for.

    Of a pasted prompt, a stack trace or a block of code stay the last question, the last line
    of the shape `Name: message`, the last and the first line, and the names met last.
    """
    flat = " ".join(query.split())
    if len(flat) <= QUERY_CHARS and len(flat.split()) <= QUERY_TERMS:
        return flat
    lines = [line.strip() for line in query.splitlines() if line.strip(" \t`~#=-*_>")]
    asked = next((line for line in reversed(lines) if line[-1] in _QUESTION_MARKS), "")
    fault = next((line for line in reversed(lines) if _FAULT.match(line)), "")
    pieces = [_piece(line) for line in dict.fromkeys((asked, fault, *lines[-1:], *lines[:1]))]
    known = " ".join(pieces)
    return _fitting((*pieces, *(name for name in reversed(names(query)) if name not in known)))


def content_words(query: str) -> str:
    """The query without the words that only ask; the query itself where nothing else is in it."""
    kept = [word for word in query.split() if word.strip(_EDGES).casefold() not in ASKING_WORDS]
    return " ".join(kept) or query


def _piece(line: str) -> str:
    """The end of a long line for a question, its head otherwise."""
    flat = " ".join(line.split())
    if len(flat) <= QUERY_PIECE:
        return flat
    if flat[-1] in _QUESTION_MARKS:
        return flat[-QUERY_PIECE:].partition(" ")[2] or flat[-QUERY_PIECE:]
    return flat[:QUERY_PIECE].rpartition(" ")[0] or flat[:QUERY_PIECE]


def _fitting(pieces: Iterable[str]) -> str:
    kept = ""
    for piece in pieces:
        longer = f"{kept} {piece}".strip()
        if len(longer) <= QUERY_CHARS and len(longer.split()) <= QUERY_TERMS:
            kept = longer
    return kept


def terms(query: str) -> tuple[str, ...]:
    """The names and words of a query, each once, as they were written, at most 64.

    The capital that only opens a sentence is dropped; runs of CJK are cut into pairs.
    """
    plain = _SENTENCE.sub(lambda match: match[0][:-1] + match[1].lower(), query)
    made = chain(names(query), *(_pairs(word) for word in _WORD.findall(plain)))
    once: dict[str, str] = {}
    for term in made:
        once.setdefault(term.casefold(), term)
    return tuple(islice((term for term in once.values() if len(term) > 1), QUERY_TERMS))


def _pairs(word: str) -> Iterator[str]:
    cut = _CJK_RUN.fullmatch(word) and word[1:]
    yield from (a + b for a, b in pairwise(word)) if cut else (word,)


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a record besides its rank."""

    text: str = ""
    """Its words and its context."""
    identifiers: str = ""
    """Its identifiers, separated by spaces."""
    similarity: float = 0.0
    """Cosine to the query; 0 where there is none."""
    source: SourceClass = SourceClass.AGENT
    outcome: Outcome = Outcome.UNKNOWN
    standing: Standing | None = None
    superseded: bool = False
    used: tuple[int, int] = (0, 0)
    """How often it was used, and how often with success."""
    at: datetime | None = None


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

    Each prior is bounded (0.85 to 1.15; superseded 0.4), so none of them hides a hit.
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
        "trust": 0.9 + 0.15 * known.source.trust,
        "reinforcement": _reinforcement(*known.used),
        "recency": _recency(known.at, now),
        "superseded": 0.4 if known.superseded else 1.0,
    }
    return {name: round(weight, 3) for name, weight in made.items()}


def _reinforcement(used: int, succeeded: int) -> float:
    """0.85 to 1.15: the share of successes, the surer the more uses there were."""
    share = (succeeded + 1) / (used + 2)
    return 1.0 + 0.3 * (share - 0.5) * used / (used + 2)


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


def confidence(
    asked: Sequence[str],
    known: Features,
    *,
    frequencies: Mapping[str, int] | None = None,
    total: int = 0,
) -> float:
    """0 to 1: how surely a record is about what was asked, from what is knowable without a model.

    The share of the query's informative terms (`terms`) that the record holds, raised by cosine
    above 0.5. Terms weigh by inverse document frequency (`frequencies` of `total` records, by
    casefolded term), or else by shape and length: names most, short words nearly nothing.
    A record without any of the query's names stays below 0.3; one without its weightiest word is
    damped. At the default floor of 0.35 about a third of what identifies the query is there.
    """
    weights = {term: _weight(term, frequencies, total) for term in asked}
    whole = math.fsum(weights.values())
    if not whole:
        return round(_nearness(known.similarity), 3)
    text = f"{known.text}\n{known.identifiers}".casefold()
    held = {term: _held(term.casefold(), text) for term in asked}
    share = math.fsum(weights[term] * held[term] for term in asked) / whole
    score = 1 - (1 - share) * (1 - _nearness(known.similarity))
    named = [term for term in asked if is_name(term)]
    if named and not any(held[term] for term in named):
        return round(min(score, 0.3 * share + 0.1), 3)
    if not held[max(asked, key=lambda term: weights[term])]:
        score *= 0.75
    return round(score, 3)


def _nearness(similarity: float) -> float:
    """Cosine as a share of certainty: nothing below 0.5, never more than 0.6."""
    return 0.6 * min(1.0, max(0.0, (similarity - 0.5) / 0.4))


def _weight(term: str, frequencies: Mapping[str, int] | None, total: int) -> float:
    if frequencies is not None and total:
        count = min(total, frequencies.get(term.casefold(), 0))
        return math.log1p((total - count + 0.5) / (count + 0.5)) / math.log1p(2 * total + 1)
    if is_name(term) or any(letter.isdigit() for letter in term):
        return 1.5
    length = min(len(term), 10) / 10
    if _CJK_RUN.match(term):
        return 0.5
    return max(length * length, 0.4 if term[0].isupper() else 0.0)


def _held(term: str, text: str) -> float:
    """1 where the text has the term as a word, 0.7 where another ending of it."""
    if _found(term, text, whole=True):
        return 1.0
    stem = term[: max(4, math.ceil(len(term) * 0.7))]
    return 0.7 * (term.isalpha() and stem != term and _found(stem, text, whole=False))


def _found(term: str, text: str, *, whole: bool) -> bool:
    place, tries = text.find(term), 0
    while place >= 0 and tries < MOST_TRIES:
        before, after = text[place - 1 : place], text[place + len(term) : place + len(term) + 1]
        if not term[0].isascii() or not (before.isalnum() or (whole and after.isalnum())):
            return True
        place, tries = text.find(term, place + 1), tries + 1
    return False


def snippet(text: str, asked: Sequence[str], chars: int) -> str:
    """At most `chars` characters of a text round its densest match, with its cuts marked."""
    if len(text) <= chars:
        return text
    room = max(1, chars - 2)
    start = _densest(text, asked, room)
    end = min(len(text), start + room)
    if start and (gap := text.find(" ", start, start + 20)) >= 0:
        start = gap + 1
    if end < len(text) and (gap := text.rfind(" ", end - 20, end)) > start:
        end = gap
    return f"{'…' * (start > 0)}{text[start:end].strip()}{'…' * (end < len(text))}"


def _densest(text: str, asked: Sequence[str], room: int) -> int:
    """Where the window starts that holds most of the terms' weight, a little before its first."""
    weights = {term.lower(): _weight(term, None, 0) for term in asked}
    ordered = sorted(weights, key=len, reverse=True)
    if not ordered:
        return 0
    pattern = re.compile("|".join(re.escape(term) for term in ordered), re.IGNORECASE)
    places = [(m.start(), m[0].lower()) for m in islice(pattern.finditer(text), 2_000)]
    best, where = 0.0, 0
    for first, (start, _) in enumerate(places):
        inside = {
            term for place, term in places[first : first + 40] if place < start + room * 3 // 4
        }
        weight = math.fsum(weights.get(term, 0.0) for term in inside)
        if weight > best:
            best, where = weight, start
    return min(max(0, where - room // 8), len(text) - room)
