"""Privacy: what lies in the home is its user's alone, whichever library wrote it (POSIX)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077
_turn = threading.Lock()
_within: list[int] = []
"""The umask of before, once for each block that is open: the first to enter changes it."""


@contextmanager
def private() -> Iterator[None]:
    """What this process makes until the block is left is for its user alone.

    The store's library writes in threads of its own and knows no modes: only the process's umask
    reaches it. Elsewhere than on POSIX the user's profile protects the home.
    """
    if os.name != "posix":
        yield
        return
    with _turn:
        _within.append(_within[0] if _within else os.umask(_OTHERS))
    try:
        yield
    finally:
        with _turn:
            before = _within.pop()
            if not _within:
                os.umask(before)


def make(folder: Path) -> None:
    """The folder and those above it that are missing, for the user alone.

    Raises:
        OSError: it cannot be made.
    """
    for each in reversed(list(takewhile(_lacks, (folder, *folder.parents)))):
        each.mkdir(mode=FOLDER, exist_ok=True)


def _lacks(folder: Path) -> bool:
    return not folder.exists()


def open_to_others(root: Path) -> list[Path]:
    """What lies in a folder, and the folder itself, that others than its owner may use; in order."""
    if os.name != "posix":
        return []
    return [place for place in (root, *sorted(root.rglob("*"))) if is_open(place)]


def close(places: list[Path]) -> int:
    """Take the rights of others away; how many places that was. What is gone meanwhile needs none."""
    done = 0
    for place in places:
        try:
            place.chmod(FOLDER if place.is_dir() else FILE)
        except FileNotFoundError:
            continue
        done += 1
    return done


def is_open(place: Path) -> bool:
    """Whether others than its owner may use it; what is not there, or a link, nobody can."""
    try:
        return not place.is_symlink() and bool(place.stat().st_mode & _OTHERS)
    except FileNotFoundError:
        return False
