"""Restating: which memories a newer one says again with another value, told by their words alone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from mcp_memory import wording

LEAST_SHARED, MOST_OTHERS = 3, 2
"""Words that both must have beside the value, and words that only the longer one may have."""
MOST_CHARS = 300
_TOKEN = re.compile(r"\S+")
_EDGES = ".,;:!?\"'`()[]\u3002\uff0c\uff1b\uff01\uff1f"
_SENTENCE_END = re.compile(r"[.!?;]\s|[\u3002\uff1b\uff01\uff1f]|\n")
_LAST = 2
"""How near to the end a value stands: `is 30 seconds`."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a memory says, when, and where it counts."""

    ref: str
    text: str
    at: datetime
    scope: tuple[str, ...] = ()
    """Kind and project: only within one of them one memory can say another's thing again."""


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
    if len(plain) > MOST_CHARS or _SENTENCE_END.search(plain):
        return None
    tokens = [token.strip(_EDGES) for token in _TOKEN.findall(plain)]
    ends = [token for token in tokens[-_LAST:] if any(letter.isdigit() for letter in token)]
    if not ends:
        return None
    value = ends[-1]
    rest = " ".join(token for token in tokens if token != value)
    words = frozenset(term.casefold() for term in wording.informative(rest))
    return Claim(words, value.casefold()) if len(words) >= LEAST_SHARED else None


def restated(told: Iterable[Said]) -> Mapping[str, str]:
    """To each ref whose claim a newer one makes with another value, the newest such ref."""
    claims = [(said, made) for said in told if (made := claim(said.text)) is not None]
    ordered = sorted(claims, key=lambda one: (one[0].at, one[0].ref))
    return {
        old.ref: new.ref
        for (old, before), (new, after) in combinations(ordered, 2)
        if old.scope == new.scope and before.value != after.value and _same(before, after)
    }


def _same(before: Claim, after: Claim) -> bool:
    shorter, longer = sorted((before.words, after.words), key=len)
    return shorter <= longer and len(longer) - len(shorter) <= MOST_OTHERS
