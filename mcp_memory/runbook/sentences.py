"""Sentences: what a request or an answer says in prose, whole sentences only, most telling first."""

import re
from collections.abc import Iterator, Sequence

from mcp_memory.search import confidence
from mcp_memory.text import identifiers, signatures

READ_CHARS = 6_000
LONGEST = 320
"""A sentence that is longer is not told: it would have to be cut."""
_LEAST_WORDS, _TELLS = 3, 5
_HELD = 0.1
"""Share of a task's words from which a sentence with a name tells of it; one without needs twice that."""
_CLOSED = re.compile(r"[.!][\"'`)]*$| (?:-|\u2013|\u2014|\u2192) |: ")
"""A sentence that ends, or an item that says something of what it names."""
_MOST_TOLD = 2
_WRAPPED = 60
"""From so many letters on a line may have been wrapped, and go on in the next one."""
_FENCE = re.compile(
    r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[^\S\n]*$|\Z)", re.DOTALL | re.MULTILINE
)
_TAG = re.compile(r"</?[a-z][\w-]{2,40}>")
_MARKER = re.compile(r"\s*(?:(?:#{1,6}|[-*+\u2022\u276f>]|\d{1,2}[.)]|\[[ xX]\])\s+)+")
_LINK = re.compile(r"!?\[([^\]\n]{1,200})\]\([^)\s]{1,400}\)")
_TABLE = re.compile(r"\s*[|\u2502\u2503\u250c\u2514\u251c]|[\s|:+=_*~#.-]*$")
_OUTPUT = re.compile(
    r"\s*(?:={3,}|-{3,}|\$ |\u279c|\[[\w:./-]+\] |\d{4}[-/]\d\d[-/]\d\d[T ]|at \S+ \(|ok\s+\S+/"
    r"|(?:\S+/)?[\w.-]+\.\w{1,5}:\d+|[A-Z]+\s{2,}|\d{1,5}\s+[+-]\s|[+-] {2,})"
)
"""How lines begin that a program printed."""
_END = re.compile(r"(?<=[.!?])[\"')\]*]*\s+(?=[\"'(\[`*]*[A-Z0-9])")
_LETTER = re.compile(r"[^\W\d_]")
_OPENS_PLAN = re.compile(r"[^.!?\n]{0,80}:\s*\n+\s*#{1,3}\s+(?P<title>[^\n]{3,240})")
"""A request that only hands over a plan is told by the plan's title."""


def of(text: str) -> tuple[str, ...]:
    """The sentences of a text in order; what is code, a table, a heading of one word or printed is none."""
    return tuple(dict.fromkeys(_told(text[:READ_CHARS])))


def request(text: str, terms: Sequence[str], chars: int) -> str:
    """What a request asks for, by its first whole sentences within so many characters.

    Of a plan that it hands over the title, and what bears on the terms; of a paste without prose the
    error in it, or its first line.
    """
    if plan := _OPENS_PLAN.match(text.lstrip()):
        title = _plain(plan["title"])
        body = telling(text.lstrip()[plan.end() :], terms, chars)
        return f"{title.rstrip('.')}. {body}" if body else title
    told = [one for one in of(text) if not one.endswith(":")]
    if not told and (errors := signatures.named_errors(text)):
        return f"(pasted) {errors[0]}"
    if not told:
        lines = (" ".join(line.split()) for line in text.splitlines() if not _OUTPUT.match(line))
        told = [line for line in lines if 0 < len(line) <= LONGEST and _LETTER.search(line)]
    return _fitting(told or ("(pasted output)",), chars)


def telling(text: str, terms: Sequence[str], chars: int) -> str:
    """The sentences of an answer that tell most of what is asked, in their order.

    Where none does, its first one that names anything: answers begin with what they come to.
    """
    told = [one for one in of(text) if not one.endswith((":", "?")) and _says(one)]
    worth = {one: _worth(one, terms) for one in told}
    if not any(worth.values()):
        return next((one for one in told if identifiers.names(one) and len(one) < chars), "")
    kept: list[str] = []
    left = chars
    for one in sorted(told, key=lambda one: -worth[one]):
        if worth[one] > 0 and len(one) < left and len(kept) < _MOST_TOLD:
            kept.append(one)
            left -= len(one) + 1
    chosen = [one for one in told if one in kept]
    ends = [one if one.endswith((".", "!", ")")) else f"{one}." for one in chosen[:-1]]
    return " ".join((*ends, *chosen[-1:]))


def pieces(text: str) -> tuple[str, ...]:
    """All of a text in order: its lines, long ones between sentences; nothing is left out."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(piece for line in lines if line for piece in _END.split(line))


def first(text: str, chars: int) -> str:
    """The first whole sentences of a text within so many characters; the first one in any case."""
    return _fitting(of(text) or (" ".join(text.split()),), chars)


def _worth(sentence: str, terms: Sequence[str]) -> float:
    """How much of the terms a sentence holds; a little more, where it names anything."""
    held = confidence.share(confidence.holdings(terms, sentence))
    named = bool(identifiers.names(sentence))
    # A word of the task alone may stand in any sentence: "all tests pass".
    return held + 0.05 * named if held >= (_HELD if named else 2 * _HELD) else 0.0


def _says(sentence: str) -> bool:
    return len(sentence.split()) >= _TELLS and (_CLOSED.search(sentence) is not None)


def _fitting(told: Sequence[str], chars: int) -> str:
    kept = ""
    for one in told:
        longer = f"{kept} {one}".strip()
        if kept and len(longer) > chars:
            break
        kept = longer
    return kept


def _told(text: str) -> Iterator[str]:
    for paragraph in _paragraphs(_TAG.sub(" ", _FENCE.sub("\n", text))):
        for sentence in _END.split(paragraph):
            plain = _plain(sentence)
            if len(plain) <= LONGEST and len(plain.split()) >= _LEAST_WORDS:
                yield plain


def _plain(sentence: str) -> str:
    """Without the marks of Markdown that mean nothing on one line."""
    marked = _MARKER.match(sentence)
    bare = _LINK.sub(r"\1", sentence[marked.end() :] if marked else sentence)
    return " ".join(bare.replace("**", "").replace("__", "").split())


def _paragraphs(text: str) -> Iterator[str]:
    """Lines of prose, those joined again that were wrapped."""
    held = ""
    for line in (*text.splitlines(), ""):
        prose = bool(line.strip()) and not _TABLE.match(line) and not _OUTPUT.match(line)
        goes_on = prose and held and _continues(held, line)
        if held and not goes_on:
            yield held
            held = ""
        if prose and _mostly_letters(line):
            held = f"{held} {line.strip()}" if held else line.strip()


def _continues(before: str, line: str) -> bool:
    if _MARKER.match(line) or before.endswith((".", "!", "?", ":")):
        return False
    return len(before) >= _WRAPPED or line.lstrip()[:1].islower()


def _mostly_letters(line: str) -> bool:
    bare = line.replace(" ", "")
    return len(_LETTER.findall(bare)) * 2 >= len(bare)
