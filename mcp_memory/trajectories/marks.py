"""Marks: words of an index that tie records together: the files that they changed, the errors met."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from mcp_memory.domain import refs
from mcp_memory.domain.models import Step
from mcp_memory.text import identifiers, signatures

MOST_FOLDERS = 6
"""How much of a path is told apart: `a.py`, `src/a.py`, and so on."""
MOST_ASKED = 4
_FILE = re.compile(r"(?:[\w.@+~-]+/)*[\w.@+~-]*\.[A-Za-z]\w{0,9}|(?:[\w.@+~-]+/){2,}[\w.@+~-]+")


def of_steps(steps: Iterable[Step]) -> tuple[str, ...]:
    """Which files steps changed, under every ending of their paths, and which errors they met."""
    made: dict[str, None] = {}
    for step in steps:
        changed = (path for call in step.calls if call.edits for path in call.paths)
        made |= dict.fromkeys(chain.from_iterable(map(_endings, changed)))
        failed = (seen.text for seen in step.observations if seen.failed or seen.exit_code)
        made |= dict.fromkeys(map(_met, chain.from_iterable(map(signatures.errors, failed))))
    return tuple(made)


def first_met(steps: Iterable[Step]) -> list[tuple[str, ...]]:
    """The marks of each step of a session that none before it has."""
    known: set[str] = set()
    made = []
    for step in steps:
        new = tuple(mark for mark in of_steps((step,)) if mark not in known)
        known.update(new)
        made.append(new)
    return made


def asked(text: str) -> tuple[str, ...]:
    """The marks of what a question names: its files, and its lines that name an error."""
    files = (name for name in identifiers.names(text) if _FILE.fullmatch(name))
    named = (_changed(_parts(name)[-MOST_FOLDERS:]) for name in files)
    errors = map(_met, signatures.named_errors(text))
    return tuple(dict.fromkeys(chain(named, errors)))[:MOST_ASKED]


def _endings(path: str) -> Iterator[str]:
    parts = _parts(path)
    for length in range(1, min(len(parts), MOST_FOLDERS) + 1):
        yield _changed(parts[-length:])


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part]


def _changed(parts: Sequence[str]) -> str:
    return f"changed:{refs.short_hash(*parts)}"


def _met(error: str) -> str:
    return f"met:{refs.short_hash(error)}"
