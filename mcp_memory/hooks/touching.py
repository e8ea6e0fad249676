"""Touching: for each file of a project the session that changed it last, and how many did; pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from mcp_memory.domain import refs
from mcp_memory.hooks import lines
from mcp_memory.hooks.lines import Line
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.entries import Entry

MOST_FILES = 800
LATELY = 7
"""Days before the newest session in which a file must have been changed: the same work then goes on."""
WHY_CHARS, SUBJECT_CHARS = 90, 70


def changed(entries: Sequence[Entry]) -> Iterator[tuple[str, tuple[str, str]]]:
    """File that was changed lately to what is said of it, and its ref; `entries` newest first."""
    roots: dict[str, set[str]] = defaultdict(set)
    last: dict[str, tuple[Entry, int]] = {}
    newest = entries[0].day if entries else ""
    for entry in entries:
        if _days(entry.day, newest) > LATELY:
            break
        for file in entry.files:
            if file.marked:
                roots[file.name].add(entry.parent or entry.id)
                last.setdefault(file.name, (entry, file.marked[-1]))
    for name in list(last)[:MOST_FILES]:
        line = _line(name, *last[name], len(roots[name]))
        if lines.fit(line):
            yield name, (line.text, line.ref)


def _days(day: str, until: str) -> int:
    """Days between two days; many where one of them is not known."""
    try:
        return (date.fromisoformat(until) - date.fromisoformat(day)).days
    except ValueError:
        return LATELY + 1


def _line(name: str, entry: Entry, step: int, sessions: int) -> Line:
    ref = refs.span(entry.id, step)
    goal = lines.goal(entry.goal, WHY_CHARS)
    commit = next(
        (one.subject for one in entry.landed if one.hash and not one.undone and one.step >= step),
        "",
    )
    became = f", committed \u201c{lines.flat(commit, SUBJECT_CHARS)}\u201d" if commit else ""
    often = f" (in {counted(sessions, 'session')})" if sessions > 1 else ""
    return Line(f"`{name}`: last changed{often} {entry.day}, for: {goal}{became} {ref}", ref)
