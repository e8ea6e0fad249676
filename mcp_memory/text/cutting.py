"""Cutting: where a text that is too long for its room ends or begins: between words, and marked."""

import unicodedata

MARK = "\u2026"
_NEAR = 80
"""So far from the cut a space may lie; else it falls beside a mark within what has no spaces."""

_UNSPACED = (
    ("\u0e00", "\u0eff"),
    ("\u1000", "\u109f"),
    ("\u1780", "\u17ff"),
    ("\u2e80", "\U0010ffff"),
)
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, and those of East Asia."""


def end(text: str, at: int, room: int = 0) -> int:
    """Where the beginning of a text ends, at `at` or before.

    Within a word only where that is longer than all the room, of which this may be a part.
    """
    if at >= len(text):
        return len(text)
    if at <= 0:
        return 0
    if text[at].isspace() or text[at - 1].isspace():
        return at
    near = min(_NEAR, max(24, at // 4))
    spaced = next((n for n in range(at - 1, max(0, at - near), -1) if text[n].isspace()), 0)
    first = _first(text, at)
    room = max(room, at)
    return spaced or first if _last(text, at, first + room) - first <= room else _whole(text, at)


def begin(text: str, at: int, room: int = 0) -> int:
    """Where the end of a text begins, at `at` or later; within a word as `end` does."""
    if at <= 0:
        return 0
    if at >= len(text):
        return len(text)
    if text[at - 1].isspace() or text[at].isspace():
        return at
    near = min(_NEAR, max(24, (len(text) - at) // 4))
    room = max(room, len(text) - at)
    spaced = next((n for n in range(at, min(len(text), at + near)) if text[n].isspace()), -1) + 1
    last = _last(text, at, len(text))
    return spaced or last if last - _first(text, at, last - room) <= room else _whole(text, at)


def edge(text: str, at: int) -> int:
    """Where the word ends that a place lies in; between words the place itself."""
    return _last(text, at, len(text))


def head(text: str, chars: int) -> str:
    """The text; of a longer one the beginning, marked where it goes on."""
    if len(text) <= chars:
        return text
    return f"{text[: end(text, chars - 1)].rstrip()}{MARK}"


def tail(text: str, chars: int) -> str:
    """The text; of a longer one the end, marked where it sets in."""
    if len(text) <= chars:
        return text
    return f"{MARK}{text[begin(text, len(text) - chars + 1) :].lstrip()}"


def one_line(text: str, chars: int) -> str:
    """The text on one line; of a longer one so much that `head` can tell that it goes on."""
    some = " ".join(text[: chars * 4].split())
    return some if len(some) > chars or len(text) <= chars * 4 else " ".join(text.split())


def _first(text: str, at: int, most: int = 0) -> int:
    """Where the word begins that a place lies in; `most` and no further is looked at."""
    while at >= max(most, 1) and _within(text, at):
        at -= 1
    return at


def _last(text: str, at: int, most: int) -> int:
    """Where the word ends that a place lies in; `most` and no further is looked at."""
    while at <= min(most, len(text) - 1) and _within(text, at):
        at += 1
    return at


def _whole(text: str, at: int) -> int:
    """The same place, but for a letter's own accents."""
    first = at
    while first > 0 and unicodedata.combining(text[first]):
        first -= 1
    return first or at


def _within(text: str, at: int) -> bool:
    """Whether a place lies between two letters of one word."""
    if at <= 0 or at >= len(text):
        return False
    if unicodedata.combining(text[at]):
        return True
    return _of_word(text[at - 1]) and _of_word(text[at])


def _of_word(letter: str) -> bool:
    """Whether a letter is of a script that puts spaces between words."""
    told = letter.isalnum() or letter == "_" or unicodedata.combining(letter) > 0
    return told and not any(first <= letter <= last for first, last in _UNSPACED)
