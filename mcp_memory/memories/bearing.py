"""Bearing: whether evidence holds what a text claims, name by name and number by number; pure."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.memories import faults
from mcp_memory.text import identifiers, wording

CLOSE, BESIDE, NEAR = 40, 120, 300
"""Characters round a number in which its next word stands, or two of its words, and round a version."""
LEAST_SHARED, LEAST_WORDS, LEAST_WORD = 0.25, 3, 2
"""Share of a sentence's telling words that evidence about it has, from how many it is asked, and letters."""
SAME = 0.8
"""Share of a sentence's telling words in a line that says the same."""
_QUOTED = re.compile(r"\"([^\"\n]{2,200})\"|`([^`\n]{2,200})`|\u201c([^\u201d\n]{2,200})\u201d")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?=[A-Za-z%]{0,3}(?!\w))")
_LISTED = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_PLACES = re.compile(
    r"^\s*\d+(?:\u2192|\t|:(?!\d)|[.)]\s| {2,})|(?<=\w):\d+(?::\d+)?(?=[:\s)\],.]|$)|#\d+\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2})?\b|\d{4}-\d{2}-\d{2}",
    re.MULTILINE,
)
"""Numbers of lines, of list items, of steps, and times: they stand beside every word."""
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+|[\u3002\uff01\uff1f]")
_GENERAL = frozenset(
    {"again", "all", "always", "any", "anything", "applicable", "appropriate", "attempt", "be", "bug",
     "careful", "case", "cases", "change", "changed", "changes", "check", "checked", "code", "correct",
     "correctly", "done", "each", "error", "errors", "every", "everything", "fail", "failed", "fails",
     "failure", "feature", "file", "files", "fine", "fix", "fixed", "fixes", "good", "help", "helpful",
     "here", "if", "implementation", "important", "issue", "issues", "job", "kind", "make", "matter",
     "mended", "mind", "necessary", "needed", "needs", "nice", "now", "ok", "once", "pass", "passed",
     "passes", "possible", "problem", "problems", "project", "proper", "properly", "relevant",
     "required", "result", "results", "right", "run", "running", "runs", "should", "similar",
     "situation", "solution", "solved", "some", "something", "sometimes", "step", "steps", "sure",
     "task", "tasks", "test", "tested", "tests", "thing", "things", "thorough", "time", "twice",
     "update", "updated", "useful", "verified", "verify", "way", "whenever", "work", "worked",
     "working", "works", "wrong"}
)  # fmt: skip
"""Words that fit any project: a text of these alone says nothing."""
_WHILE, _SUBJECT = frozenset({"until", "after", "before", "once"}), 2
"""Words that only say how long; words by which a thing is called that fails."""
_MEASURING = frozenset(
    {
        "about",
        "after",
        "all",
        "at",
        "before",
        "every",
        "exactly",
        "least",
        "most",
        "only",
        "over",
        "to",
        "under",
        "within",
    }
)
"""Words that stand beside any number."""
_PROPER = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?![\w.])")
"""A word with a capital inside a sentence is a name."""
_VALUE = re.compile(
    r"(?:\b(?:is|are|was|were)\s+(?!\w+(?:ed|ing|en)\b)"
    r"|(?:\b(?:called|named|in|on|with|from|uses?|via)|[=:])\s+)"
    r"(?:the\s+|an?\s+)?([^\W\d_][\w-]{2,})\s*[.;,)]?\s*$",
    re.IGNORECASE,
)
"""The word at the end of a sentence that says what something is, or where."""
_HAPPENED = frozenset(
    {"built", "cut", "done", "found", "gone", "held", "hit", "kept", "left", "lost", "made", "met",
     "put", "read", "rerun", "run", "sent", "set", "shut", "split", "sought", "told", "understood"}
)  # fmt: skip
"""Irregular participles: `until it was run` says that it happened, and gives no value."""
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
    counted = [fold(_PLACES.sub(" ", span)) for span in spans]
    for sentence in _SENTENCES.split(_LISTED.sub(" ", text)):
        made = claims(sentence)
        for claim in made:
            read = counted if _counts(claim, sentence) else folded
            if not any(_held(claim, sentence, said) for said in read):
                yield claim
        for word in _PROPER.findall(sentence):
            if word not in made and not any(_any_spelling(word, said) for said in folded):
                yield word


def _counts(claim: str, sentence: str) -> bool:
    """Whether a claim is a number that counts something, and not that of a line, an issue, a step."""
    if not NUMBER.fullmatch(claim):
        return False
    told = re.escape(claim)
    placed = rf"(?i)\blines?\W+{told}\b|[:#/]{told}\b|\d, {told}\b"
    return re.search(placed, sentence) is None


def unsaid(text: str, spans: Sequence[str]) -> Iterator[str]:
    """What a sentence says that something is, or where, in a plain word that no span has."""
    folded = [fold(span) for span in spans]
    for sentence in _SENTENCES.split(text):
        last = _VALUE.search(sentence.strip())
        word = last[1] if last is not None else ""
        if not word or word.casefold() in _HAPPENED or _is_general(word.casefold()):
            continue
        if not any(_any_spelling(word, said) for said in folded):
            yield word


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


def says_nothing(text: str) -> bool:
    """Whether a text names nothing that could be looked up: no name, and only words that fit anything."""
    if claims(text):
        return False
    telling = _telling(text)
    return len(telling) < 2 or all(_is_general(word) for word in telling)  # noqa: PLR2004 a thing and what of it


def only_fails(text: str) -> bool:
    """Whether a text says of something that it fails, and not how."""
    found = faults.FAILS.search(text)
    if found is None or faults.names(text) or _QUOTED.search(text):
        return False
    what, how = _specific(text[: found.start()]), _specific(text[found.end() :])
    return not how and len(what) <= _SUBJECT


def _specific(text: str) -> list[str]:
    """The words of a text beside its names that do not fit just anything."""
    for claim in claims(text):
        text = text.replace(claim, " ")
    words = (word for word in _telling(text) if len(word) > 2)  # noqa: PLR2004 `go`, `rm`
    return [word for word in words if not _is_general(word) and word not in _WHILE]


def tells_situation(text: str) -> bool:
    """Whether a condition says when: a name, or a word that does not fit any situation."""
    return bool(claims(text)) or any(
        len(word) >= LEAST_WORD and not _is_general(word) for word in _telling(text)
    )


def touches(text: str, said: str) -> bool:
    """Whether a span shows anything of a text: one of its names, or a quarter of its telling words."""
    folded = fold(said)
    made = [claim for claim in claims(text) if not NUMBER.fullmatch(claim)]
    if any(occurs(fold(claim), folded) for claim in made):
        return True
    words = _telling(text)
    return not words or sum(_stem(word) in folded for word in words) >= LEAST_SHARED * len(words)


def said_in(text: str, lines: Sequence[str]) -> bool:
    """Whether each sentence of a text stands in one of these lines: its claims, and nearly all its words."""
    folded = [fold(line) for line in lines]
    return all(
        any(_says(sentence, line) for line in folded)
        for sentence in _SENTENCES.split(text)
        if sentence.strip()
    )


def _says(sentence: str, line: str) -> bool:
    words = _telling(sentence)
    told = sum(_stem(word) in line for word in words) >= SAME * len(words)
    return told and all(occurs(fold(claim), line) for claim in claims(sentence))


def _is_general(word: str) -> bool:
    return word in _GENERAL or (len(word) > _STEM and word[:-1] in _GENERAL)


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
    before, after = _beside(number, sentence)
    spots = [at for spelling in _spellings(number) for at in _places(spelling, said)]
    for at in spots:
        if not before and not after:
            return True
        near = said[max(0, at - CLOSE) : at + CLOSE]
        if any(_any_spelling(word, near) for word in (*before[-1:], *after[:1])):
            return True
        unit = re.match(r"[\d.,]*([a-z%]{1,3})\b", said[at : at + 12])
        if unit and any(word.startswith(unit[1]) for word in after[:1]):
            return True
        window = said[max(0, at - BESIDE) : at + BESIDE]
        if sum(_any_spelling(word, window) for word in (*before, *after)) > 1:
            return True
    return _version_held(number, sentence, said)


def _beside(number: str, sentence: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two telling words before a number and the two after it, in their order."""
    place = re.search(rf"(?<![\w.]){re.escape(number)}", sentence)
    if place is None:
        return (), ()
    telling = [w for w in _telling(sentence) if not w[:1].isdigit() and w not in _MEASURING]
    folded = sentence.casefold()
    found = sorted((folded.find(word), word) for word in telling)
    before = [word for at, word in found if 0 <= at < place.start()]
    after = [word for at, word in found if at >= place.end()]
    return tuple(before[-2:]), tuple(after[:2])


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
