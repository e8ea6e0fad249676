"""Wording: what a query says and what it only asks with, and whether a text holds its terms."""

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice, pairwise

from mcp_memory.text.identifiers import is_name, names

QUERY_CHARS, QUERY_TERMS, QUERY_PIECE = 400, 64, 130
_QUESTION_MARKS = "?\uff1f\u061f"
MOST_TRIES = 50

_ASKED_WITH = (
    "a an the of in on at to for from by with and or as it its this that these those i you he she we"
    " they me my your his her our their what when where who whom whose which why how do does did is"
    " are was were be been being am has have had can could would should will shall may might there"
)
ASKING_WORDS = frozenset(_ASKED_WITH.split())
"""English words that ask rather than say; other languages lose nothing by them."""
_CJK_ASKED_WITH = frozenset(
    "\u7684\u5f97\u4e86\u7740\u8fc7\u5417\u5462\u5427\u554a\u5440\u54e6\u4e48\u5565\u4ec0\u54ea\u8c01\u600e\u591a\u5c11\u51e0"
    "\u662f\u5728\u6709\u548c\u4e0e\u53ca\u6216\u4f46\u800c\u88ab\u628a\u7ed9\u5bf9\u4e3a\u4ece\u5230\u6211\u4f60\u60a8\u4ed6\u5979\u5b83\u4eec"
    "\u8fd9\u90a3\u4e9b\u4e2a\u5c31\u90fd\u4e5f\u8fd8\u5f88\u6765\u53eb\u53e6\u8bf7"
    "\u3092\u306f\u304c\u306e\u306b\u3067\u3068\u3082\u304b\u3088\u306d\u4f55\u8ab0"
)
"""Chinese particles, pronouns and question words, and Japanese particles: a pair with one says little."""
_CALENDAR = (
    "january february march april may june july august september october november december jan feb"
    " mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"
)
CALENDAR_WORDS = frozenset(_CALENDAR.split())
_UNTELLING = ASKING_WORDS | CALENDAR_WORDS
_DATED = re.compile(r"(?:19|20)\d\d|\d{1,2}(?:st|nd|rd|th)?")
_NOW = re.compile(
    r"\b(?:now|nowadays|today|current(?:ly)?|latest|newest|finally|in the end|end up|ended up"
    r"|still|any ?more|these days|at present"
    r"|last(?! (?:night|week|month|year|spring|summer|autumn|fall|winter|weekend|\w+day)\b))\b",
    re.IGNORECASE,
)
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


def informative(query: str) -> tuple[str, ...]:
    """The terms that say what is looked for: no words that only ask, and no dates.

    A date tells when something was said, and seldom stands in the text itself.
    """
    told = tuple(
        term
        for term in terms(query)
        if term.casefold() not in _UNTELLING and not _DATED.fullmatch(term)
    )
    return tuple(term for term in told if _CJK_ASKED_WITH.isdisjoint(term)) or told


def asks_for_now(query: str) -> bool:
    """Whether a question asks how things stand: now, current, last, still, by now."""
    return _NOW.search(query) is not None


def is_entity(term: str) -> bool:
    """Whether a term names something: an identifier, or a word with a capital."""
    return is_name(term) or term[0].isupper()


def is_pair(term: str) -> bool:
    """Whether a term is of CJK letters, and so perhaps no word but a piece of some."""
    return _CJK_RUN.match(term) is not None


def _pairs(word: str) -> Iterator[str]:
    cut = _CJK_RUN.fullmatch(word) and word[1:]
    yield from (a + b for a, b in pairwise(word)) if cut else (word,)


@lru_cache(maxsize=1 << 12)
def weight(term: str) -> float:
    """How much a term says, by its shape and length: names most, short words nearly nothing."""
    if is_name(term) or any(letter.isdigit() for letter in term):
        return 1.5
    length = min(len(term), 10) / 10
    if _CJK_RUN.match(term):
        return 0.5
    return max(length * length, 0.4 if term[0].isupper() else 0.0)


def held(term: str, text: str) -> float:
    """1 where the text has the term as a word, 0.7 where another ending of it."""
    stem = _stem(term)
    if stem not in text:
        return 0.0
    if _found(term, text, whole=True):
        return 1.0
    return 0.7 * (term.isalpha() and stem != term and _found(stem, text, whole=False))


@lru_cache(maxsize=1 << 12)
def _stem(term: str) -> str:
    """As much of a term as its other endings share; a question asks for it of every record."""
    return term[: max(4, math.ceil(len(term) * 0.7))]


def _found(term: str, text: str, *, whole: bool) -> bool:
    place, tries = text.find(term), 0
    while place >= 0 and tries < MOST_TRIES:
        before, after = text[place - 1 : place], text[place + len(term) : place + len(term) + 1]
        if not term[0].isascii() or not (before.isalnum() or (whole and after.isalnum())):
            return True
        place, tries = text.find(term, place + 1), tries + 1
    return False
