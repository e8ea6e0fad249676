"""Advice: what a team's bank says of a task, made fit to stand beside what this machine gathered."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeVar

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Runbook
from mcp_memory.remote import merging, others
from mcp_memory.rooms import Rooms
from mcp_memory.runbook.asking import Gathered
from mcp_memory.runbook.assembling import MOST_STEPS, SECTIONS, Line
from mcp_memory.text import cutting, guard
from mcp_memory.text.counting import counted

LABEL = "team: "
TITLES: Mapping[str, str] = {"The user decided": "The team decided"}
"""What the users of other machines said is not the word of this one's."""
LEFT_OUT = frozenset({"Where to grep"})
"""Its files are not on this machine."""
OWN_FIRST = 2
"""So many lines of one's own stand before one of the team's."""
UNMET = "nowhere in recorded history"
MOST_LINE, MOST_LINES, MOST_SPANS = 1200, 100, 3
_SUBJECTS = {
    "Commands that work here": re.compile(r"`[^`]+`"),
    "Files it took": re.compile(r"\S+"),
    "Errors on the way": re.compile(r".+?(?= \(`| \u2192|, met in )"),
    "This error before": re.compile(r".+?(?= \(`| \u2192|, met in )"),
}
"""What a line of these is about: two that are about the same say the same."""
_TRUSTED = re.compile(r"\b(user|host|agent|tool|external) ([01]\.\d)\b")
"""How a memory's line tells whose word it is."""
_MARKS = re.compile(r" \([^()]*\)$")

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A line that the team's bank told, before it is known whether it is told on."""

    title: str
    said: str
    ref: str


async def beside(rooms: Rooms, own: Gathered, told: Runbook) -> Gathered:
    """What was gathered here with what the team knows more, labelled; what is held back is counted."""
    lines = [*_lines(told)]
    opened = [span for span in told.spans if others.spelled(span)][:MOST_SPANS]
    known = await others.known_here(rooms, [*(line.ref for line in lines), *opened])
    new = [line for line in lines if line.ref not in known]
    trusting = rooms.trusting()
    held = [line for line in new if others.withheld((line.ref,), line.said, trusting)]
    theirs: dict[str, list[Line]] = {}
    for line in new:
        if line not in held and not _told(line, own):
            theirs.setdefault(line.title, []).append((f"{LABEL}{line.said}", line.ref))
    notes = (f"{counted(len(held), 'line')} of the team's bank held back: of unsure origin.",)
    return replace(
        own,
        lines={
            title: [*woven(own.lines.get(title, ()), theirs.get(title, ()))] for title in SECTIONS
        },
        opened=_opened(own.opened, [span for span in opened if span not in known]),
        doubts=tuple(doubt for doubt in own.doubts if not _settled(doubt, told)),
        notes=(
            *(others.fitting(own.notes) if theirs else own.notes),
            *(notes if held else ()),
        ),
    )


def _lines(told: Runbook) -> Iterator[_Theirs]:
    """Its lines that cite something, as a colleague's words."""
    every = ((section.title, line) for section in told.sections for line in section.lines)
    for _, (title, line) in zip(range(MOST_LINES), every, strict=False):
        said, _, ref = " ".join(line.split()).rpartition(" ")
        if title in SECTIONS and title not in LEFT_OUT and others.spelled(ref):
            if ref.startswith("m:"):
                said = _TRUSTED.sub(_bounded, said)
            yield _Theirs(
                TITLES.get(title, title), cutting.head(guard.neutralise(said), MOST_LINE), ref
            )


def _bounded(found: re.Match[str]) -> str:
    """Whose word it is and how far it is trusted, as of anybody else's."""
    source = "external" if found[1] == "user" else found[1]
    return f"{source} {min(float(found[2]), others.MOST_TRUST):.1f}"


def _told(line: _Theirs, own: Gathered) -> bool:
    """Whether a line of one's own says it already."""
    subject = _subject(line.title, line.said)
    words = _words(line.said)
    return any(
        (subject and subject == _subject(title, said)) or merging.same(words, _words(said))
        for title, each in own.lines.items()
        for said, _ in each
        if title == line.title or line.ref.startswith("m:")
    )


def _subject(title: str, said: str) -> str:
    found = _SUBJECTS[title].match(said) if title in _SUBJECTS else None
    return found[0] if found else ""


def _words(said: str) -> str:
    return _MARKS.sub("", said).casefold()


def woven(own: Sequence[One], theirs: Sequence[One]) -> Iterator[One]:
    """One's own first, and room for the team's among them."""
    groups = [own[at : at + OWN_FIRST] for at in range(0, len(own), OWN_FIRST)]
    for group, line in zip_longest(groups, theirs):
        yield from group or ()
        if line:
            yield line


def _opened(own: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Spans to open, at most `MOST_STEPS` together."""
    kept, left = [], MOST_STEPS
    for span in (*own, *theirs):
        steps = _steps(span)
        if steps <= left:
            kept.append(span)
            left -= steps
    return tuple(kept)


def _steps(span: str) -> int:
    try:
        ref = refs.parse(span)
    except InvalidInput:
        return MOST_STEPS
    return (ref.last or ref.first) - ref.first + 1 if ref.first else MOST_STEPS


def _settled(doubt: str, told: Runbook) -> bool:
    """Whether a name that this machine's history never had is no doubt of the team's."""
    return doubt.endswith(UNMET) and doubt not in told.premises
