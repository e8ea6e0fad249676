"""Premises: what a task takes for granted, and neither the disk, git nor history bears out."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain import refs
from mcp_memory.domain.models import Frozen
from mcp_memory.memories.grounds import Ground
from mcp_memory.memories.repository import Deadline, Fate
from mcp_memory.memories.tree import Tree
from mcp_memory.runbook.record import Session

DISK_SECONDS, GIT_SECONDS = 0.4, 0.4
_DELETED = "(the file was deleted)"
_MOVED = re.compile(r"\(moved to (?P<to>[^)]*)\)")
"""How the labels of a session tell that an edit took a whole file away."""


class Sighting(Frozen):
    """Where recorded history has a name."""

    seen: int = 0
    """Records that hold it, superseded memories not counted."""
    superseded: tuple[str, ...] = ()
    """Refs of superseded memories that hold it."""
    last_ref: str = ""
    """The newest record that holds it."""


class Found(NamedTuple):
    """What the project's folder and its git say of a name."""

    here: bool
    looked: bool = True
    """Whether all of the folder was looked through."""
    fate: Fate | None = None


def looked_for(tree: Tree, named: Sequence[Ground]) -> Mapping[str, Found]:
    """Each name looked for on the disk, then in git; blocking, within about a second."""
    words = {one.name: _bare(one) for one in named if one.kind in ("flag", "symbol")}
    disk = Deadline(DISK_SECONDS)
    holding = tree.holding(tuple(words.values()), disk)
    whole = not disk.over
    git = Deadline(GIT_SECONDS)
    told: dict[str, Found] = {}
    for one in named:
        if one.kind == "file":
            here = tree.at(one.name) is not None or bool(tree.ending(one.name))
            told[one.name] = Found(here, fate=None if here else _fate(tree, one.name, git))
        elif one.name in words:
            told[one.name] = Found(words[one.name] in holding, looked=whole)
    lost = {words[name]: name for name, found in told.items() if name in words and not found.here}
    if tree.repository is not None and lost and whole:
        for word, fate in (tree.repository.took_out(tuple(lost), git) or {}).items():
            told[lost[word]] = told[lost[word]]._replace(fate=fate)
    return told


def doubts(
    named: Sequence[Ground],
    found: Mapping[str, Found],
    seen: Mapping[str, Sighting],
    known: Mapping[str, Session],
) -> tuple[str, ...]:
    """What is named and is not there, with where it went or was met last.

    What only another program has, such as a flag of `git`, is in no file of the project and in
    history: it is no doubt. `found` is empty where the project's folder is not on this machine.
    """
    told = (_doubt(one, found.get(one.name), seen.get(one.name), known) for one in named)
    return tuple(doubt for doubt in told if doubt)


def taken_out(one: Ground, known: Mapping[str, Session]) -> str:
    """The newest edit of a session after which a name was in a file no more; empty where none was."""
    last = ""
    for session in sorted(known.values(), key=lambda each: each.entry.started):
        for change in session.entry.changes:
            if change.undone:
                continue
            told = _taken(one, change.path, change.old, change.new)
            if told is not None:
                ref = refs.span(session.entry.id, change.step)
                last = f"{told} in {ref} ({change.day})" if told else ""
    return last


def _taken(one: Ground, path: str, old: str, new: str) -> str | None:
    """What an edit did to a name: how it went, empty where it came, None where neither."""
    if one.kind == "file":
        if path != one.name and not path.endswith(f"/{one.name}"):
            return None
        moved = _MOVED.fullmatch(new)
        if moved is not None:
            return f"moved to {moved['to']}" if moved["to"] else "moved"
        return "deleted" if new == _DELETED else ""
    word = _bare(one)
    if word in new:
        return ""
    return f"taken out of {path}" if word in old else None


def _doubt(
    one: Ground, found: Found | None, sighting: Sighting | None, known: Mapping[str, Session]
) -> str:
    if (found is None and sighting is None) or (found is not None and found.here):
        return ""
    if found is not None and found.fate is not None:
        told = f"not in the project any more, {_gone(found.fate)}"
    else:
        # Without its folder nobody can tell whether other files still have a name.
        knowable = found is not None or one.kind == "file"
        told = taken_out(one, known) if knowable else ""
        told = told or _unseen(one, found, sighting or Sighting())
    return f"{one.name}: {told}" if told else ""


def _unseen(one: Ground, found: Found | None, sighting: Sighting) -> str:
    """What history says of a name that nothing is known to have taken out."""
    if not sighting.seen and sighting.superseded:
        return f"only in superseded memories {' '.join(sighting.superseded)}"
    if not sighting.seen:
        where = "" if found is None or not found.looked else " nor in the project's files"
        return f"nowhere in recorded history{where}"
    if one.kind == "file" and found is not None:
        return f"not on the disk; last in history {sighting.last_ref}"
    return ""


def _gone(fate: Fate) -> str:
    what = f"renamed to {fate.renamed}" if fate.renamed else "taken out"
    return f'{what} by commit {fate.commit} ({fate.day}, "{fate.subject}")'


def _fate(tree: Tree, path: str, deadline: Deadline) -> Fate | None:
    return tree.repository.fate(path, deadline) if tree.repository is not None else None


def _bare(one: Ground) -> str:
    """How a name stands in a file: a flag is often declared without its strokes."""
    return one.name.lstrip("-").removesuffix("()")
