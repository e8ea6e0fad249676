"""Stamped: a small file of the home, read once for each state that it has."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def read(file: Path, make: Callable[[bytes], T]) -> T:
    """What is made of a file's bytes; the same value while its time and size stay. Blocking.

    Raises:
        OSError: it cannot be read.
    """
    seen = file.stat()
    made: T = _made(file, make, seen.st_mtime_ns, seen.st_size)
    return made


@lru_cache(maxsize=24)
def _made(file: Path, make: Callable[[bytes], T], changed: int, size: int) -> T:
    del changed, size  # a file that changed is another one
    return make(file.read_bytes())
