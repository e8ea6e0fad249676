"""Undoing: changes of files that were taken back, to be known when they are made again; pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.hooks import lines
from mcp_memory.hooks.ready import Undone
from mcp_memory.trajectories.changes import Changed
from mcp_memory.trajectories.entries import Entry

LEAST_CHARS = 24
"""Letters of lines by which a change is known again."""
MOST_OF_FILE, MOST_FILES = 4, 200
SURE = 0.8
_PART = " / "


def changes(entries: Sequence[Entry]) -> Iterator[tuple[str, tuple[Undone, ...]]]:
    """File to the changes that were taken back and never made again, newest first."""
    ordered = sorted(entries, key=lambda one: (one.started, one.id), reverse=True)
    kept: set[tuple[str, str]] = set()
    found: dict[str, list[Undone]] = defaultdict(list)
    for entry in ordered:
        for one in reversed(entry.changes):
            if not one.undone:
                kept.add((one.path, one.new))
            elif (one.path, one.new) not in kept and (made := _undone(entry, one)):
                found[one.path].append(made)
    for path in list(found)[:MOST_FILES]:
        yield path, tuple(found[path][:MOST_OF_FILE])


def _undone(entry: Entry, one: Changed) -> Undone | None:
    known = tuple(part.strip() for part in one.new.split(_PART))
    if "\u2026" in one.new or " more lines" in one.new or sum(map(len, known)) < LEAST_CHARS:
        return None
    ref = refs.span(entry.id, one.step, one.undone)
    was = f"`{lines.flat(one.new, 120)}` was put in here (#{one.step})"
    text = f"{one.day}: {was} and taken back (#{one.undone})"
    line = lines.marked(text, SourceClass.AGENT, ref)
    if not lines.fit(line):
        return None
    said = lines.said("this very change was made before and taken back", "edit", [line])
    return Undone(known, said._replace(sure=SURE))
