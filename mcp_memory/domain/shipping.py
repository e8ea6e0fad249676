"""Shipping: whether a repository carries a file, so that whoever cloned it holds others' words there."""

import os
from functools import lru_cache
from pathlib import Path

from mcp_memory.domain.projects import git_folder

_MOST_INDEX = 256 << 20
_PREFIXED, _TAIL = 4, 8
"""The version of git's index that spells names by what they share; so much of a name is looked for then."""


def carries(path: Path) -> bool:
    """Whether the repository that a file lies in has it under version control.

    Git's index is read as a file; no git is run. A folder of settings that is its user's home is no
    repository that somebody clones.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100 no link is followed: the name below the root counts
    root = next((each for each in place.parents if (each / ".git").exists()), None)
    if root is None or root == Path.home():
        return False
    try:
        index = git_folder(root / ".git") / "index"
        told = index.stat()
        raw = _read(index, told.st_mtime_ns, told.st_size)
    except OSError:
        return False
    name = os.fsencode(place.relative_to(root).as_posix())
    prefixed = int.from_bytes(raw[4:8], "big") >= _PREFIXED
    return (name[-_TAIL:] if prefixed else name) + b"\0" in raw


@lru_cache(maxsize=2)
def _read(index: Path, mtime_ns: int, size: int) -> bytes:
    """An index as it was at a time: a folder of transcripts asks for one again and again."""
    del mtime_ns, size
    with index.open("rb") as file:
        return file.read(_MOST_INDEX)
