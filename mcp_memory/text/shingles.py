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


class Heard:
    """What others wrote, in the order in which it came; each is folded once, and only if asked for."""

    def __init__(self, sources: Iterable[str] = ()) -> None:
        self._sources: list[str] = []
        self._folded: dict[int, str] = {}
        self.add(sources)

    def add(self, sources: Iterable[str]) -> None:
        """What was written after all that is known."""
        self._sources += filter(None, sources)

    def repeated(self, text: str) -> bool:
        """Whether a text is made of these words: an address of theirs, or half of its runs of words."""
        newest = list(self._newest())
        addresses = list(_addresses(text)) if newest else ()
        if any(a in self._sources[place][:most] for a in addresses for place, most in newest):
            return True
        runs = list(_runs(text)) if newest else ()
        folded = [self._words_of(place, most) for place, most in newest] if runs else ()
        found = sum(any(run in source for source in folded) for run in runs)
        return bool(runs) and found >= REPEATED * len(runs)

    def _newest(self) -> Iterator[tuple[int, int]]:
        """The newest, as far as they are compared with: which, and how many letters of it."""
        left = MOST_CHARS
        for place in reversed(range(len(self._sources))):
            if left <= 0:
                return
            yield place, left
            left -= len(self._sources[place])

    def _words_of(self, place: int, most: int) -> str:
        source = self._sources[place]
        if len(source) > most:
            return " ".join(words(source[:most]))
        if place not in self._folded:
            self._folded[place] = " ".join(words(source))
        return self._folded[place]


def repeats(text: str, sources: Iterable[str]) -> bool:
    """Whether a text is made of others' words."""
    return Heard(sources).repeated(text)


def _addresses(text: str) -> Iterator[str]:
    return (found[0].rstrip(".,:") for found in _ADDRESS.finditer(text))


def words(text: str) -> list[str]:
    """The words of a text in small letters, as texts are compared by them."""
    # Lowered as a whole: a call for each word was a third of the time.
    return (
        _WORD.findall(text.lower()) if text.isascii() else [w.lower() for w in _WORD.findall(text)]
    )


def _runs(text: str) -> Iterator[str]:
    told = words(text)
    if len(told) < _LEAST_WORDS:
        # A short command is another's as a whole, or it is one's own.
        if len(told) > 1:
            yield " ".join(told)
        return
    for at in range(0, len(told) - RUN + 1, 2):
        yield " ".join(told[at : at + RUN])
