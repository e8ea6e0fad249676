"""Changes: what each edit of a session took out of a file and put in, short, and what became of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mcp_memory.domain.models import Frozen, Step
from mcp_memory.text import cutting
from mcp_memory.trajectories import edits
from mcp_memory.trajectories.told import day

OLD_CHARS, NEW_CHARS = 200, 320
MOST_CHANGES = 400
"""Of one session; the last ones are kept: they are what the files became."""
_MOST_LINES = 400
_WHOLE = {"delete": "(the file was deleted)", "move": "(moved to {})"}
_EVERY = "."
"""What git restores when it is given the whole folder."""
_WORD = re.compile(r"\w")


class Written(NamedTuple):
    """What one edit took out of a file and put in, whole lines, and by which step."""

    path: str
    step: int
    old: tuple[str, ...]
    new: tuple[str, ...]


class Changed(Frozen):
    """One change of one file by one step."""

    path: str
    step: int
    day: str
    old: str = ""
    new: str = ""
    undone: int = 0
    """The later step of the session that took it back; 0 where none did."""


def written(steps: Iterable[Step], *, path: Callable[[str], str]) -> Iterator[Written]:
    """Every edit that did not fail, in order; `path` names a file as the archive does.

    Only lines that differ are told; an edit that only moves lines or blanks is none.
    """
    for edit in edits.of_steps(steps):
        name = path(edit.path)
        gone, come = _difference(edit.old, edit.new)
        if edit.kind in _WHOLE:
            gone, come = (), (_WHOLE[edit.kind].format(path(edit.new) if edit.new else ""),)
        if name and edit.kind != "restore" and (gone or come):
            yield Written(name, edit.step, gone, come)


def changed(steps: Sequence[Step], *, path: Callable[[str], str]) -> tuple[Changed, ...]:
    """The changes of a session, in order."""
    days = {step.number: day(step.at) for step in steps}
    made = list(written(steps, path=path))
    restored = [
        (one.step, path(one.path)) for one in edits.of_steps(steps) if one.kind == "restore"
    ]
    undone = _undone(made, restored)
    return tuple(
        Changed(
            path=one.path,
            step=one.step,
            day=days[one.step],
            old=_shown(one.old, OLD_CHARS),
            new=_shown(one.new, NEW_CHARS),
            undone=undone.get(place, 0),
        )
        for place, one in enumerate(made)
    )[-MOST_CHANGES:]


def _difference(old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines that only one of two texts has, without indentation."""
    before, after = _lines(old), _lines(new)
    had, has = set(before), set(after)
    gone = tuple(line for line in before if line not in has)
    return gone, tuple(line for line in after if line not in had)


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines()[:_MOST_LINES])
    return [line for line in lines if _WORD.search(line)]


def _shown(lines: Sequence[str], chars: int) -> str:
    """The first lines on one, and how many are left out."""
    told = ""
    for place, line in enumerate(lines):
        joined = f"{told} / {line}" if told else line
        if len(joined) > chars:
            more = len(lines) - place
            return f"{told} / and {more} more lines" if told else cutting.head(joined, chars + 1)
        told = joined
    return told


def _undone(made: Sequence[Written], given_up: Sequence[tuple[int, str]]) -> dict[int, int]:
    """Place of a change to the step that took it back: word for word, or by git."""
    found: dict[int, int] = {}
    waiting: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = {}
    for place, one in enumerate(made):
        earlier = waiting.pop((one.path, one.new, one.old), None)
        if earlier is not None and one.old:
            found[earlier] = one.step
        waiting[one.path, one.old, one.new] = place
    for step, path in given_up:
        for place, one in enumerate(made):
            if one.step < step and place not in found and path in (one.path, _EVERY):
                found[place] = step
    return found
