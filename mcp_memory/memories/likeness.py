"""Likeness: what a memory near a draft is to it: the same, otherwise, or only alike; pure."""

import re
from difflib import SequenceMatcher

from mcp_memory.memories import users_word
from mcp_memory.memories.bearing import NUMBER, claims, fold
from mcp_memory.text import wording

SAME, PARAPHRASED, CLOSE = 0.95, 0.9, 0.85
"""Cosine from which a neighbour is a duplicate, is one when it makes the same claims, and is named."""
SHARED = 0.5
"""Share of the other words that two texts have in common when they give a thing two values."""

_SPOKEN = re.compile(r"[\w./-]*\w")
_SHORT, _MOST_WORDS, _LEAST_ALIKE, _STEM = 3, 2, 3, 4


def otherwise(text: str, other: str) -> str:
    """In what one text contradicts another that is much like it; empty where in nothing."""
    if users_word.refuses(text) != users_word.refuses(other):
        return "one of them says not"
    mine, theirs = _values(text), _values(other)
    left, right = mine - theirs, theirs - mine
    if not left or not right:
        return _one_word(text, other)
    words, others = _words(text, left), _words(other, right)
    if len(words & others) < SHARED * min(len(words), len(others)):
        return ""
    return f"{' '.join(sorted(left))} against {' '.join(sorted(right))}"


def _one_word(text: str, other: str) -> str:
    """The words of two sentences that differ in their second half only, behind a short word.

    `is kept in Redis`, `is kept in Postgres`; another verb is only another way to say it.
    """
    mine, theirs = _SPOKEN.findall(text.casefold()), _SPOKEN.findall(other.casefold())
    parts = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    changed = [part for part in parts if part[0] != "equal"]
    if len(changed) != 1 or changed[0][0] != "replace":
        return ""
    _, first, last, start, end = changed[0]
    short = first > 0 and len(mine[first - 1]) <= _SHORT and first * 2 >= len(mine)
    few = last - first <= _MOST_WORDS and end - start <= _MOST_WORDS
    if not (short and few) or len(mine) - (last - first) < _LEAST_ALIKE:
        return ""
    left, right = " ".join(mine[first:last]), " ".join(theirs[start:end])
    inflected = left[:_STEM] == right[:_STEM]
    return "" if inflected else f"{left} against {right}"


def restates(text: str, other: str, similarity: float) -> bool:
    """Whether two texts that contradict in nothing are one memory."""
    if similarity >= SAME:
        return True
    made = {fold(claim) for claim in claims(text)}
    return similarity >= PARAPHRASED and bool(made) and made == {fold(c) for c in claims(other)}


def _values(text: str) -> frozenset[str]:
    """Numbers, and names with a digit or a folder in them."""
    named = (claim for claim in claims(text) if NUMBER.fullmatch(claim) or _is_value(claim))
    return frozenset(fold(claim) for claim in named)


def _is_value(claim: str) -> bool:
    return " " not in claim and ("/" in claim or any(letter.isdigit() for letter in claim))


def _words(text: str, values: frozenset[str]) -> frozenset[str]:
    """The telling words beside some values and their parts."""
    plain = fold(text)
    for value in sorted(values, key=len, reverse=True):
        plain = plain.replace(value, " ")
    return frozenset(fold(term) for term in wording.informative(plain))
