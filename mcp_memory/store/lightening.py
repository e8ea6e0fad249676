"""Lightening: when what the library keeps of indexes that are gone is worth being let go of."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.store.shelf import Shelf

MOST_DEAD = 48
"""Open files of this store that are deleted: each round of upkeep leaves some for every word index."""
MOST_ROUNDS = 24
"""Rounds of this process, where the system does not tell which files are open."""
LOOKS_SECONDS = 20.0
_OPEN = Path("/proc/self/fd")
_GONE = " (deleted)"


@dataclass(slots=True)
class Lightening:
    """Counts what gathers in a process that goes on for long, at most every twenty seconds."""

    _looked: float = 0.0
    _rounds: int = 0

    def round(self) -> None:
        """Upkeep replaced indexes, and what was kept of the former ones is of no use."""
        self._rounds += 1

    def due(self, shelf: Shelf) -> bool:
        """Whether tables are worth being opened anew; blocking, a millisecond where it looks."""
        if shelf.root is None or time.monotonic() - self._looked < LOOKS_SECONDS:
            return False
        self._looked = time.monotonic()
        found = dead(shelf)
        if self._rounds < MOST_ROUNDS if found is None else found < MOST_DEAD:
            return False
        self._rounds = 0
        return True


def dead(shelf: Shelf) -> int | None:
    """How many files of a store are open here and gone; None where the system does not tell."""
    try:
        handles = list(_OPEN.iterdir())
    except OSError:
        return None
    return sum(_is_dead(handle, f"{shelf.root}/") for handle in handles)


def _is_dead(handle: Path, below: str) -> bool:
    try:
        told = str(handle.readlink())
    except OSError:
        return False
    return told.endswith(_GONE) and told.startswith(below)


def indexes_size(shelf: Shelf) -> int:
    """Bytes of the indexes of a folder's tables; 0 at an address, where they are not looked through."""
    size = 0
    for file in shelf.root.glob("*.lance/_indices/*/*") if shelf.root else ():
        with suppress(OSError):  # one that a round of upkeep has just removed
            size += file.stat().st_size
    return size
