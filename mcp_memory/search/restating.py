"""Restating: which memories a newer one says again with another value, told by their words alone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_memory.domain import validity
from mcp_memory.domain.models import Memory, State
from mcp_memory.text import wording

LEAST_SHARED, MOST_OTHERS = 3, 2
"""Words that both must have beside the value, and words that only the longer one may have."""
MOST_CHARS = 300
_TOKEN = re.compile(r"\S+")
_EDGES = ".,;:!?\"'`()[]\u3002\uff0c\uff1b\uff01\uff1f"
_SENTENCE_END = re.compile(r"[.!?;]\s|[\u3002\uff1b\uff01\uff1f]|\n")
_LAST = 2
"""How near to the end a value stands: `is 30 seconds`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A single sentence that ends with a value: the words that it has beside it, and the value."""

    words: frozenset[str]
    value: str


def claim(text: str) -> Claim | None:
    """The claim that a text of one sentence makes; None where it is longer or ends with no value.

    A value is what has a digit in it: a number, a version, a path or a name with one.
    """
    plain = text.strip()
    return _claim(plain) if len(plain) <= MOST_CHARS else None


@lru_cache(maxsize=1_024)
def _claim(plain: str) -> Claim | None:
    if _SENTENCE_END.search(plain):
        return None
    tokens = [token.strip(_EDGES) for token in _TOKEN.findall(plain)]
    ends = [token for token in tokens[-_LAST:] if any(letter.isdigit() for letter in token)]
    if not ends:
        return None
    value = ends[-1]
    rest = " ".join(token for token in tokens if token != value)
    words = frozenset(term.casefold() for term in wording.informative(rest))
    return Claim(words, value.casefold()) if len(words) >= LEAST_SHARED else None


def restated(memories: Iterable[Memory]) -> Mapping[str, str]:
    """Older to newest ref, where a newer memory makes the same claim with another value.

    Both are of one kind and project; superseded and forgotten memories make no claims, and a
    candidate does not speak against what is established.
    """
    claims = [
        (memory, made)
        for memory in sorted(memories, key=lambda one: one.ref)
        if _counts(memory) and (made := claim(memory.text)) is not None
    ]
    holders: dict[str, list[int]] = {}
    for place, (_, made) in enumerate(claims):
        for word in made.words:
            holders.setdefault(word, []).append(place)
    newest: dict[int, int] = {}
    for place, (_, made) in enumerate(claims):
        # Whoever has all of its words has its rarest one.
        rarest = min(made.words, key=lambda word: len(holders[word]))
        for other in holders[rarest]:
            if _says_otherwise(claims[place], claims[other]):
                old, new = _in_time(place, other, claims)
                known = newest.get(old, new)
                if claims[new][0].outweighs(claims[old][0]):
                    newest[old] = _in_time(new, known, claims)[1]
    return {claims[old][0].ref: claims[new][0].ref for old, new in newest.items()}


def _in_time(one: int, other: int, claims: Sequence[tuple[Memory, Claim]]) -> tuple[int, int]:
    """Two places, that of what tells of an earlier time first."""
    later = validity.is_newer(claims[one][0], claims[other][0])
    return (other, one) if later else (one, other)


def _counts(memory: Memory) -> bool:
    return memory.state is State.LIVE and not memory.superseded_by


def _says_otherwise(one: tuple[Memory, Claim], other: tuple[Memory, Claim]) -> bool:
    """Whether the other has all words of the one, hardly more, and another value."""
    (a, mine), (b, theirs) = one, other
    return (
        mine.value != theirs.value
        and mine.words <= theirs.words
        and len(theirs.words) - len(mine.words) <= MOST_OTHERS
        and (a.kind, a.project) == (b.kind, b.project)
        and not validity.apart(a, b)
    )
