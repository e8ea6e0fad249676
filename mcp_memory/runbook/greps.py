"""Greps: where to grep on, each tried before it is offered: how many lines of which index it finds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from mcp_memory.archive.files import INDEXES
from mcp_memory.text import wording
from mcp_memory.text.counting import counted

MOST_BYTES = 4_000_000
MOST_TERMS, MOST = 6, 2
FEW, MANY = 2, 40
"""So many lines are worth a look."""
LIGHT = 0.3
"""A term that says no more than this is in every file."""
_ENDING = re.compile(r"(?<=\w{4})(?:(?<=[sxzh])es|(?<!s)s|ed|ing)$")
ALONE = 0.6
"""What a term must say to be looked for by itself."""
_REF = re.compile(r"\b[tem]:[0-9a-z]{12}\S*")
"""Letters of a ref that happen to be a word of the task tell nothing."""
_SAFE = re.compile(r"[\w./-]{3,40}")
_SEARCHED = tuple(name for name in INDEXES if name != "by-file.md")


@dataclass(frozen=True, slots=True)
class Grep:
    """A search of one index of the archive, and how many lines it finds."""

    pattern: str
    path: str
    lines: int

    @property
    def command(self) -> str:
        """As it is typed."""
        return f"grep -inE '{self.pattern}' {self.path}"


def tried(folder: Path, terms: Sequence[str]) -> tuple[Grep, ...]:
    """The searches that find some lines and not many, two words together before one; blocking.

    None where the folder cannot be read: then there is nothing to grep.
    """
    stems = _stems(terms)
    found: list[Grep] = []
    lines = {name: _lines(folder / name) for name in _SEARCHED}
    alone = [(one,) for one in stems if wording.weight(one) > ALONE]
    for words in (*combinations(stems, 2), *alone):
        best = _best(folder, words, lines)
        if best is not None and not any(best.path == one.path for one in found):
            found.append(best)
        if len(found) == MOST:
            break
    return tuple(found)


def told(one: Grep) -> str:
    """The command, and how many lines it found."""
    return f"{one.command}  # {counted(one.lines, 'line')}"


def _best(folder: Path, words: Sequence[str], lines: Mapping[str, Sequence[str]]) -> Grep | None:
    pattern = _pattern(words)
    looked = re.compile(pattern, re.IGNORECASE)
    found = {name: [line for line in read if looked.search(line)] for name, read in lines.items()}
    made = [
        Grep(pattern, str(folder / name), len(some))
        for name, some in found.items()
        if FEW <= len(some) <= MANY and 2 * _telling(looked, some) > len(some)
    ]
    # The index of episodes is what the attempts are told from already.
    return max(made, key=lambda one: (not one.path.endswith("INDEX.md"), one.lines), default=None)


def _telling(looked: re.Pattern[str], lines: Sequence[str]) -> int:
    """How many of the lines hold it outside the refs in them."""
    return sum(looked.search(_REF.sub("", line)) is not None for line in lines)


def _pattern(words: Sequence[str]) -> str:
    plain = [word.replace(".", r"\.") for word in words]
    return "|".join(dict.fromkeys((".*".join(plain), ".*".join(reversed(plain)))))


def _stems(terms: Sequence[str]) -> tuple[str, ...]:
    """The most telling terms, without their endings, none of which is a part of another."""
    safe = [term for term in terms if _SAFE.fullmatch(term) and wording.weight(term) > LIGHT]
    told = sorted(dict.fromkeys(safe), key=lambda term: -wording.weight(term))[:MOST_TERMS]
    made = (_ENDING.sub("", term) if term.isalpha() else term for term in told)
    kept: list[str] = []
    for stem in (one.lower() for one in made):
        if not any(stem in other or other in stem for other in kept):
            kept.append(stem)
    return tuple(kept)


def _lines(path: Path) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return tuple(_unheaded(stream.read(MOST_BYTES)))
    except OSError:
        return ()


def _unheaded(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))
