"""Looking: one named thing after another looked for in a project's folder, and how it is now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from mcp_memory.memories import scripts
from mcp_memory.memories.grounds import Ground
from mcp_memory.memories.repository import Deadline
from mcp_memory.memories.tree import Lying, Tree

State = Literal["fresh", "changed", "gone", "unknown"]
QUICK, THOROUGH = 0.003, 0.4
"""Seconds that may be read of a repository: beside a search, and where one thing is looked at."""
_WORST: Mapping[State, int] = {"gone": 0, "changed": 1, "unknown": 2, "fresh": 3}


class Looked(NamedTuple):
    """One thing that is named, and how it is now."""

    name: str
    state: State
    detail: str = ""
    """Where it went, or which commit took it away."""

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.name} {self.state}" + (f": {self.detail}" if self.detail else "")


def look(
    tree: Tree,
    named: Sequence[Ground],
    at: datetime | None,
    deadline: Deadline,
    *,
    seen: Mapping[str, str] | None = None,
) -> tuple[Looked, ...]:
    """How each of the things is now; blocking. Flags and symbols are left to `premises`.

    `at`: when they were spoken of; `seen`: to files the hashes that they had then.
    """
    told = []
    for one in named:
        if one.kind == "file":
            told.append(_file(tree, one, at, deadline, (seen or {}).get(one.name, "")))
        elif one.kind == "command":
            told.append(_command(tree, one.name))
    return tuple(told)


def worst(looked: Sequence[Looked]) -> State:
    """The state of a memory: that of what fares worst of all that it names."""
    return min((one.state for one in looked), key=_WORST.__getitem__, default="unknown")


def _file(tree: Tree, one: Ground, at: datetime | None, deadline: Deadline, stamp: str) -> Looked:
    lying = tree.at(one.name)
    if lying is None:
        return _missing(tree, one, deadline)
    if at is None or (tree.root / lying.path).is_dir():
        return Looked(one.name, "fresh" if at else "unknown")
    if stamp:
        return Looked(one.name, "fresh" if tree.hash_of(lying) == stamp else "changed")
    return Looked(one.name, _since(tree, lying, at, deadline))


def _missing(tree: Tree, one: Ground, deadline: Deadline) -> Looked:
    """A path that is not there: the end of another one, gone, or never heard of."""
    ending = tree.ending(one.name)
    if ending:
        return Looked(one.name, "unknown", "" if len(ending) > 1 else f"it is {ending[0]}")
    fate = tree.repository.fate(one.name, deadline) if tree.repository else None
    if fate is None:
        return Looked(one.name, "gone" if one.sure else "unknown")
    where = f"renamed to {fate.renamed}" if fate.renamed else "deleted"
    return Looked(one.name, "gone", f"{where} in {fate.commit} ({fate.day})")


def _since(tree: Tree, lying: Lying, at: datetime, deadline: Deadline) -> State:
    """Whether a file is other than it was; a checkout gives every file a new time, so git is asked."""
    if lying.mtime_ns <= at.timestamp() * 1e9:
        return "fresh"
    if tree.repository is None:
        return "changed"
    held = tree.repository.contents(lying.path, at, deadline)
    if not held:
        return "unknown"
    return "fresh" if tree.hash_of(lying) in held else "changed"


def _command(tree: Tree, line: str) -> Looked:
    defined = scripts.defines(tree, line)
    if defined is None:
        return Looked(line, "unknown")
    return Looked(line, "fresh" if defined else "gone", "" if defined else "no such target now")
