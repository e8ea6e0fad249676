"""Bearing: whether evidence holds what a text claims, name by name and number by number; pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.text import identifiers, wording

BESIDE, NEAR = 120, 300
"""Characters round a number in which a word of it stands, and round a version in which its name does."""
LEAST_SHARED, LEAST_WORDS = 0.25, 3
"""Share of a sentence's telling words that evidence about it has, and from how many it is asked."""
_QUOTED = re.compile(r"\"([^\"\n]{2,200})\"|`([^`\n]{2,200})`|\u201c([^\u201d\n]{2,200})\u201d")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?=[A-Za-z%]{0,3}(?!\w))")
_LISTED = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+|[\u3002\uff01\uff1f]")
_ERROR = re.compile(
    r"\b(?:[A-Z]{1,8}-?\d{2,8}|E[A-Z]{4,12}|SIG[A-Z]{3,6}|[A-Z]\w*(?:Error|Exception))\b"
)
_FAILS = re.compile(
    r"\b(?:errors?|fail\w*|exceptions?|crash\w*|raises?|panics?|breaks?)\b", re.IGNORECASE
)
_MOST_CODES = 3
"""Error names that all evidence shares; of more nobody can say which one is meant."""
_STEM = 5
_SPELLINGS = (
    frozenset({"github", "gh"}),
    frozenset({"gitlab", "glab"}),
    frozenset({"macos", "darwin", "osx", "os x", "mac os"}),
    frozenset({"postgresql", "postgres", "psql"}),
    frozenset({"javascript", "js"}),
    frozenset({"typescript", "ts", "tsc"}),
    frozenset({"kubernetes", "k8s", "kubectl"}),
    frozenset({"node", "nodejs", "node.js"}),
    frozenset({"vscode", "vs code", "visual studio code"}),
)
"""Names under which one thing is known."""


def claims(text: str) -> tuple[str, ...]:
    """The checkable parts of a text: quoted strings, paths, symbols, error codes, numbers.

    Markers of numbered lists are none.
    """
    quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
    numbers = NUMBER.findall(_LISTED.sub(" ", text))
    return tuple(dict.fromkeys((*quoted, *identifiers.names(text), *numbers)))


def unborne(text: str, spans: Sequence[str]) -> Iterator[str]:
    """Each claim of a text that no span holds, or only as a number of something else."""
    folded = [fold(span) for span in spans]
    for sentence in _SENTENCES.split(_LISTED.sub(" ", text)):
        for claim in claims(sentence):
            if not any(_held(claim, sentence, said) for said in folded):
                yield claim


def unrelated(text: str, spans: Sequence[str]) -> Iterator[str]:
    """Sentences of which no span of the evidence has a name or a quarter of the telling words."""
    folded = [fold(span) for span in spans]
    for sentence in _SENTENCES.split(text):
        words = _telling(sentence)
        if len(words) < LEAST_WORDS:
            continue
        named = [fold(claim) for claim in claims(sentence)]
        if not any(_related(words, named, span) for span in folded):
            yield sentence.strip()


def _related(words: Sequence[str], named: Sequence[str], span: str) -> bool:
    if any(occurs(name, span) for name in named):
        return True
    return sum(_stem(word) in span for word in words) >= LEAST_SHARED * len(words)


def dropped_errors(text: str, spans: Sequence[str]) -> tuple[str, ...]:
    """Names of errors that all evidence shares and a text about a failure does not tell."""
    if len(spans) < 2 or not _FAILS.search(text):  # noqa: PLR2004 two share
        return ()
    shared = set.intersection(*(set(_ERROR.findall(span)) for span in spans))
    told = fold(text)
    if not 0 < len(shared) <= _MOST_CODES or any(fold(name) in told for name in shared):
        return ()
    return tuple(sorted(shared))


def says_nothing(text: str) -> bool:
    """Whether a text names nothing that could be looked up."""
    return not claims(text) and len(_telling(text)) < 2  # noqa: PLR2004 a thing and what of it


def shown(text: str, said: str) -> bool:
    """Whether words bear a text out: all of its claims, or half of its telling words."""
    made = claims(text)
    folded = fold(said)
    if made:
        return all(occurs(fold(claim), folded) for claim in made)
    words = _telling(text)
    return bool(words) and sum(_stem(word) in folded for word in words) * 2 > len(words)


def fold(text: str) -> str:
    """Text as it is compared: case and white space do not count."""
    return " ".join(text.split()).casefold()


def occurs(claim: str, said: str) -> bool:
    """Whether a folded claim stands in folded text and is no mere piece of a longer word."""
    if any(_found(spelling, said) for spelling in _spellings(claim)):
        return True
    # GitHub, git-hub and `git hub` are one; a short name would turn up by chance.
    return (
        claim.isalpha() and len(claim) >= _STEM and claim in re.sub(r"(?<=\w)[-_ ](?=\w)", "", said)
    )


def _spellings(claim: str) -> tuple[str, ...]:
    if re.fullmatch(r"v?\d[\d.,]*\w*", claim):
        bare = claim.removeprefix("v")
        return tuple(dict.fromkeys((bare, bare.replace(",", ""))))
    alike = next((group for group in _SPELLINGS if claim in group), frozenset())
    return (claim, *sorted(alike - {claim}))


def _found(spelling: str, said: str) -> bool:
    return spelling in said and next(_places(spelling, said), None) is not None


def _places(spelling: str, said: str) -> Iterator[int]:
    # A number may carry a unit behind it and a `v` before it, but no digit.
    number = spelling[:1].isdigit()
    after = r"(?!\d|\.\d)" if number else r"(?!\w)"
    before = r"(?<![\w.])v?" if number else r"(?<!\w)(?<!\d\.)" if spelling[:1].isalnum() else ""
    tail = after if spelling[-1:].isalnum() and spelling.isascii() else ""
    pattern = before * spelling.isascii() + re.escape(spelling) + tail
    return (match.start() for match in re.finditer(pattern, said))


def _held(claim: str, sentence: str, said: str) -> bool:
    if NUMBER.fullmatch(claim):
        return _number_held(claim, sentence, said)
    return occurs(fold(claim), said)


def _number_held(number: str, sentence: str, said: str) -> bool:
    """Whether a number stands beside one of the words that its sentence has beside it."""
    words = _beside(number, sentence)
    spots = [at for spelling in _spellings(number) for at in _places(spelling, said)]
    for at in spots:
        window = said[max(0, at - BESIDE) : at + BESIDE]
        if not words or any(_any_spelling(word, window) for word in words):
            return True
    return _version_held(number, sentence, said)


def _beside(number: str, sentence: str) -> tuple[str, ...]:
    """The two telling words before a number and the two after it."""
    place = re.search(rf"(?<![\w.]){re.escape(number)}", sentence)
    if place is None:
        return ()
    telling = [word for word in _telling(sentence) if not word[:1].isdigit()]
    folded = sentence.casefold()
    found = sorted((folded.find(word), word) for word in telling)
    before = [word for at, word in found if 0 <= at < place.start()]
    after = [word for at, word in found if at >= place.end()]
    return (*before[-2:], *after[:2])


def _version_held(number: str, sentence: str, said: str) -> bool:
    """Whether `Node 14` is said of what calls itself v14.16.0, near the name of it."""
    named = re.search(rf"([^\W\d_][\w.+-]+)\s+v?{re.escape(number)}(?![\w.]\d)", sentence)
    if named is None:
        return False
    for match in re.finditer(rf"(?<![\w.])v?{re.escape(number)}\.\d", said):
        if _any_spelling(named[1], said[max(0, match.start() - NEAR) : match.start() + NEAR]):
            return True
    return False


def _any_spelling(word: str, window: str) -> bool:
    folded = fold(word)
    stem = rf"(?<!\w){re.escape(_stem(folded))}" if folded.isascii() else re.escape(folded)
    return re.search(stem, window) is not None or any(
        _found(each, window) for each in _spellings(folded)
    )


def _telling(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.casefold() for term in wording.informative(text)))


def _stem(word: str) -> str:
    return word[:_STEM] if word.isalpha() and word.isascii() else word
