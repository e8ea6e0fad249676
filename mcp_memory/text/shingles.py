"""Shingles: whether a text repeats another, by runs of its words and by the addresses in it; pure."""

import re
from collections.abc import Iterable, Iterator

RUN = 5
"""Words that stand together in two texts by chance no more."""
REPEATED = 0.5
"""Share of a text's runs from which it is another's words."""
_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(
    r"(?:https?://|git@|ssh://)[^\s\"'`<>|;)\]]{6,300}|(?<![\w.-])(?:[\w-]+\.){1,5}[a-z]{2,12}/[^\s\"'`<>|;)\]]{2,200}"
    r"|\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+=\S{1,40}"
)
_LEAST_WORDS = 6
MOST_CHARS = 4_000_000
"""How much of what came from outside a text is compared with: the newest."""


def repeats(text: str, sources: Iterable[str]) -> bool:
    """Whether a text is made of others' words: an address of theirs, or half of its runs of words."""
    held = [source for source in _newest(sources) if source]
    if not held:
        return False
    if any(address in source for address in _addresses(text) for source in held):
        return True
    runs = list(_runs(text))
    if not runs:
        return False
    folded = [" ".join(_words(source)) for source in held]
    found = sum(any(run in source for source in folded) for run in runs)
    return found >= REPEATED * len(runs)


def _newest(sources: Iterable[str]) -> Iterator[str]:
    left = MOST_CHARS
    for source in reversed(list(sources)):
        if left <= 0:
            return
        yield source[:left]
        left -= len(source)


def _addresses(text: str) -> Iterator[str]:
    return (found[0].rstrip(".,:") for found in _ADDRESS.finditer(text))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _runs(text: str) -> Iterator[str]:
    words = _words(text)
    if len(words) < _LEAST_WORDS:
        # A short command is another's as a whole, or it is one's own.
        if len(words) > 1:
            yield " ".join(words)
        return
    for at in range(0, len(words) - RUN + 1, 2):
        yield " ".join(words[at : at + RUN])
