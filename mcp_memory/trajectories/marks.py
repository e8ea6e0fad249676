"""Marks: words of an index that tie records together: the files that they changed, the errors met."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from mcp_memory.domain import refs
from mcp_memory.text import identifiers, signatures
from mcp_memory.trajectories.failures import Failure

MOST_FOLDERS = 6
"""How much of a path is told apart: `a.py`, `src/a.py`, and so on."""
MOST_ASKED = 4
_FILE = re.compile(r"(?:[\w.@+~-]+/)*[\w.@+~-]*\.[A-Za-z]\w{0,9}|(?:[\w.@+~-]+/){2,}[\w.@+~-]+")


def by_step(
    written: Mapping[int, Sequence[str]], met: Iterable[Failure]
) -> dict[int, tuple[str, ...]]:
    """Step to its marks: of the files that it wrote, and of the errors that it met.

    An error is known by its cause, and by each line that names one alone.
    """
    made = {step: [*chain.from_iterable(map(_endings, paths))] for step, paths in written.items()}
    for failure in met:
        seen = failure.made.seen
        alone = () if seen is None or failure.verdict.looks else signatures.named_errors(seen.text)
        made.setdefault(failure.made.step.number, []).extend(map(_met, (*failure.errors, *alone)))
    return {step: tuple(dict.fromkeys(tied)) for step, tied in made.items()}


def first_met(marks: Mapping[int, Sequence[str]]) -> list[tuple[str, ...]]:
    """The marks of each step of a session, in order, that none before it has."""
    known: set[str] = set()
    made = []
    for tied in marks.values():
        new = tuple(mark for mark in tied if mark not in known)
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
