"""Shelf: where files of a bank lie, by names below its root; here a folder, in `bucket` an object store."""

import shutil
import stat
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import of_system
from mcp_memory.domain.replacing import FRESH, replace

CHUNK = 1 << 22
_ABANDONED_SECONDS = 600.0
"""A half-written file so old was left by a kill; a younger one may be another process at work."""


class Item(NamedTuple):
    """One file, by its name below the root."""

    name: str
    size: int
    changed: float


class Shelf(Protocol):
    """Few verbs over files; all of them block: call them in a worker thread."""

    @property
    def root(self) -> Path | None:
        """The folder, where a program of this machine can open its files; else None."""
        ...

    def __str__(self) -> str:
        """How it is told to a person."""
        ...

    def there(self) -> bool:
        """Whether it is to be had at all."""
        ...

    def contains(self, name: str) -> bool:
        """Whether a name stays below the root; no link on the way may leave it."""
        ...

    def is_link(self, name: str) -> bool:
        """Whether the name is a link to another."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def put(self, name: str, content: bytes) -> bool:
        """Put bytes in place in one step; False for a file that holds them already.

        Raises:
            MemoryBankError: it took no more; the older file is whole.
        """
        ...

    def remove(self, name: str) -> bool:
        """Remove a file; whether it was there."""
        ...

    def drop(self, folder: str) -> bool:
        """Remove a folder with all in it; whether it was there."""
        ...

    def drop_empty(self, folder: str) -> None:
        """Remove a folder that holds nothing."""
        ...

    def drop_abandoned(self, folder: str) -> None:
        """Remove what a kill left half-written in a folder."""
        ...

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders in a folder, in order, links left out; none where it is not there."""
        ...

    def listed(self, folder: str = "") -> Iterator[Item]:
        """All files below a folder."""
        ...

    def lines(self, name: str, first: int, last: int) -> tuple[bytes, ...]:
        """Lines of a file, both ends included; none where it is not there."""
        ...

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's bytes, some at a time.

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def local(self, name: str) -> Path:
        """Where a program of this machine can open the file; of an object store, a copy of it.

        Raises:
            FileNotFoundError: there is none.
        """
        ...


class FolderShelf:
    """A folder of this machine. Files are replaced whole; a reader sees the old or the new one."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    def __str__(self) -> str:
        """Its path."""
        return str(self._root)

    def there(self) -> bool:
        """Whether the folder is there."""
        return self._root.is_dir()

    def contains(self, name: str) -> bool:
        """Whether a name, its links resolved, stays below the root."""
        places = self._root
        for part in PurePosixPath(name).parts:
            places /= part
            if part == ".." or places.is_symlink():
                return self._place(name).resolve().is_relative_to(self._root.resolve())
        return True

    def is_link(self, name: str) -> bool:
        """Whether the name is a link to another."""
        return self._place(name).is_symlink()

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._place(name).exists()

    def put(self, name: str, content: bytes) -> bool:
        """Put bytes in place in one step; False for a file that holds them already.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            HomeRefused: it may not be written.
        """
        file = self._place(name)
        if _holds(file, content):
            return False
        try:
            privacy.make(file.parent)
            replace(file, content)
        except OSError as error:
            raise of_system(error) from error
        return True

    def remove(self, name: str) -> bool:
        """Remove a file; whether it was there."""
        place = self._place(name)
        there = place.is_file()
        place.unlink(missing_ok=True)
        return there

    def drop(self, folder: str) -> bool:
        """Remove a folder with all in it; whether it was there."""
        place = self._place(folder)
        there = place.is_dir()
        if there:
            shutil.rmtree(place)
        return there

    def drop_empty(self, folder: str) -> None:
        """Remove a folder that holds nothing."""
        place = self._place(folder)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()

    def drop_abandoned(self, folder: str) -> None:
        """Remove what a kill left half-written in a folder."""
        for left in self._place(folder).glob(f"{FRESH}*"):
            try:
                old = time.time() - left.lstat().st_mtime > _ABANDONED_SECONDS
            except FileNotFoundError:
                continue
            if old:
                left.unlink(missing_ok=True)

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders in a folder, in order, links left out; none where it is not there."""
        place = self._place(folder)
        if not place.is_dir():
            return []
        found = (each for each in place.iterdir() if each.is_dir() and not each.is_symlink())
        return sorted(each.name for each in found)

    def listed(self, folder: str = "") -> Iterator[Item]:
        """All files below a folder; what goes meanwhile is passed over."""
        for path in self._place(folder).rglob("*"):
            try:
                if path.is_file():
                    told = path.stat()
                    name = path.relative_to(self._root).as_posix()
                    yield Item(name, told.st_size, told.st_mtime)
            except FileNotFoundError:
                continue

    def lines(self, name: str, first: int, last: int) -> tuple[bytes, ...]:
        """Lines of a file, both ends included; none where it is not there."""
        try:
            with self._place(name).open("rb") as lines:
                return tuple(islice(lines, max(0, first - 1), max(0, last)))
        except FileNotFoundError:
            return ()

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's bytes, some at a time.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._place(name).open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece

    def local(self, name: str) -> Path:
        """The file itself."""
        return self._place(name)

    def _place(self, name: str) -> Path:
        return self._root / PurePosixPath(name)


def _holds(file: Path, content: bytes) -> bool:
    try:
        told = file.lstat()
        same_size = stat.S_ISREG(told.st_mode) and told.st_size == len(content)
        return same_size and file.read_bytes() == content
    except FileNotFoundError:
        return False
