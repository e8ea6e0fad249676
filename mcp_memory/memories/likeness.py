"""Likeness: what a memory near a draft is to it: the same, otherwise, or only alike; pure."""

from mcp_memory.memories import users_word
from mcp_memory.memories.bearing import NUMBER, claims, fold
from mcp_memory.text import wording

SAME, PARAPHRASED, CLOSE = 0.95, 0.9, 0.85
"""Cosine from which a neighbour is a duplicate, is one when it makes the same claims, and is named."""
SHARED = 0.5
"""Share of the other words that two texts have in common when they give a thing two values."""


def otherwise(text: str, other: str) -> str:
    """In what one text contradicts another that is much like it; empty where in nothing."""
    if users_word.refuses(text) != users_word.refuses(other):
        return "one of them says not"
    mine, theirs = _values(text), _values(other)
    left, right = mine - theirs, theirs - mine
    if not left or not right:
        return ""
    words, others = _words(text) - mine, _words(other) - theirs
    if len(words & others) < SHARED * min(len(words), len(others)):
        return ""
    return f"{' '.join(sorted(left))} against {' '.join(sorted(right))}"


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


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(term) for term in wording.informative(text))
