"""Tree: the files of a project's folder as they lie on this disk now; nothing outside of it is looked at."""

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from mcp_memory.memories import repository
from mcp_memory.memories.repository import Deadline, Repository

MOST_FILES, MOST_BYTES = 20_000, 512_000
"""Of a folder without git so many files are known; a larger file is not searched for words."""
HASHED_BYTES = 8_000_000
KEPT_SECONDS = 20
"""So long a folder without git is not walked through again."""
_LEFT_OUT = frozenset(
    {"node_modules", "__pycache__", "venv", "target", "dist", "build", "vendor", "site-packages"}
)
"""Folders of what others wrote or a build made."""


class Lying(NamedTuple):
    """A file on the disk."""

    path: str
    """From the project's folder on, with forward slashes."""
    mtime_ns: int
    size: int


class Tree:
    """One project's folder. Its methods block."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.repository: Repository | None = repository.of(self.root)

    def at(self, path: str) -> Lying | None:
        """The file or folder of this path; None where it is not there, or not inside the folder."""
        try:
            place = Path(os.path.realpath(self.root / path))
            inside = place.relative_to(self.root).as_posix()
            stat = place.stat()
        except (OSError, ValueError):
            return None
        return Lying(inside, stat.st_mtime_ns, stat.st_size)

    def ending(self, path: str) -> tuple[str, ...]:
        """The project's files whose path ends with this one, at a folder's boundary."""
        wanted = path.strip("/")
        named = self._named().get(wanted.rpartition("/")[2], ())
        return tuple(name for name in named if name == wanted or name.endswith(f"/{wanted}"))

    def files(self) -> tuple[str, ...]:
        """The files of the project: those that git tracks, else those that lie there."""
        return tuple(chain.from_iterable(self._named().values()))

    def hash_of(self, lying: Lying) -> str:
        """The hash that git gives a file's content; empty where it cannot be read."""
        return _hashed(str(self.root / lying.path), lying.mtime_ns, lying.size)

    def holding(self, words: Sequence[str], deadline: Deadline) -> Mapping[str, str]:
        """Each of the words that some file has, whole, with the first such file; as far as time reaches."""
        wanted = {word.encode(): word for word in words}
        found: dict[str, str] = {}
        for name in self.files():
            if deadline.over or len(found) == len(wanted):
                break
            left = [word for word in wanted if wanted[word] not in found]
            data = self._read(name)
            for word in left:
                if word in data and _whole(word, data):
                    found[wanted[word]] = name
        return found

    def text(self, path: str) -> str:
        """What a small file says; empty where there is none."""
        return self._read(path).decode("utf-8", "replace")

    def _named(self) -> Mapping[str, Sequence[str]]:
        """The project's files by their last names."""
        tracked = self.repository.tracked() if self.repository else None
        return tracked or _lying(self.root, int(time.monotonic() / KEPT_SECONDS))

    def _read(self, name: str) -> bytes:
        lying = self.at(name)
        if lying is None or lying.size > MOST_BYTES:
            return b""
        try:
            data = (self.root / lying.path).read_bytes()
        except OSError:
            return b""
        return b"" if b"\0" in data[:1024] else data


def of(project: str) -> Tree | None:
    """The tree of a project; None where its folder is not on this machine. Blocking."""
    root = Path(project)
    return Tree(root) if root.is_absolute() and root.is_dir() else None


@lru_cache(maxsize=4096)
def _hashed(path: str, mtime_ns: int, size: int) -> str:
    """The content's hash, by git's rule; read once for each state of the file."""
    del mtime_ns  # a file that changed is another one
    if size > HASHED_BYTES:
        return ""
    try:
        data = Path(path).read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@lru_cache(maxsize=8)
def _lying(root: Path, moment: int) -> Mapping[str, Sequence[str]]:
    """The files of a folder without git by their last names, as they were a moment ago."""
    del moment  # a later moment is another one
    found: dict[str, list[str]] = {}
    for path in islice(_walked(root), MOST_FILES):
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if one[0] != "." and one not in _LEFT_OUT]
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in names)


def _whole(word: bytes, data: bytes) -> bool:
    # The strokes of a flag may stand before it, a hyphen of a longer name may not.
    pattern = rb"(?<!\w)(?<!\w-)" + re.escape(word) + rb"(?![\w-])"
    return re.search(pattern, data) is not None
