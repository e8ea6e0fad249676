"""Counts: how often memories were shown and opened, and which steps were searched for; refs, never text."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Literal, get_args

import orjson
from filelock import FileLock, Timeout

from mcp_memory.domain.replacing import replace

What = Literal["shown", "opened", "sought"]
FILE, LOCK = "counts.jsonl", "counts.lock"
FOLDED_BYTES = 256_000
"""From this size on the lines are summed up into one."""
MOST_FILES = 64
"""Stores whose counts are kept, as many as banks are open."""
MOST_SOUGHT = 2_000
"""Spans of steps whose counts are kept when lines are summed up, those searched for most."""


def note(store: Path, what: What, refs: Iterable[str]) -> None:
    """One more of each ref; one short append, so that writers do not disturb each other. Blocking.

    Raises:
        OSError: the disk takes nothing more.
    """
    named = list(dict.fromkeys(refs))
    if not named:
        return
    line = orjson.dumps({what: dict.fromkeys(named, 1)}) + b"\n"
    file = store / FILE
    place = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(place, line)
        size = os.fstat(place).st_size
    finally:
        os.close(place)
    if size > FOLDED_BYTES:
        _fold(store)


@dataclass(slots=True)
class _Sums:
    """What was read of one file so far: each search reads the counts, and adds a line to them."""

    file: int = -1
    """Its number on the disk: a folded file is another one."""
    size: int = 0
    told: dict[str, Counter[str]] = field(default_factory=lambda: _summed(b""))


_SUMS: dict[Path, _Sums] = {}
_AT_IT = Lock()


def read(store: Path) -> Mapping[str, Mapping[str, int]]:
    """`shown`, `opened` and `sought`, each ref to its number; empty where nothing was noted. Blocking."""
    with _AT_IT:
        try:
            return {what: dict(counts) for what, counts in _read_on(store / FILE).items()}
        except OSError:
            return {}


def _read_on(file: Path) -> Mapping[str, Mapping[str, int]]:
    """What was read before with the whole lines that were written since."""
    with file.open("rb") as opened:
        state = os.fstat(opened.fileno())
        sums = _SUMS.get(file)
        if sums is None or sums.file != state.st_ino or sums.size > state.st_size:
            while len(_SUMS) >= MOST_FILES:
                del _SUMS[next(iter(_SUMS))]
            sums = _SUMS[file] = _Sums(state.st_ino)
        if sums.size < state.st_size:
            opened.seek(sums.size)
            fresh = opened.read()
            whole = fresh.rfind(b"\n") + 1
            sums.size += whole
            _add(sums.told, fresh[:whole])
        return sums.told


def _summed(data: bytes) -> dict[str, Counter[str]]:
    told: dict[str, Counter[str]] = {what: Counter() for what in get_args(What)}
    _add(told, data)
    return told


def _add(told: Mapping[str, Counter[str]], data: bytes) -> None:
    for line in data.splitlines():
        try:
            for what, counts in orjson.loads(line).items():
                told[what].update(counts)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a line that a kill cut off counts nothing


def _fold(store: Path) -> None:
    """All lines summed up; what is appended meanwhile goes into the new file or is lost as a count."""
    file = store / FILE
    try:
        with FileLock(store / LOCK, timeout=0):
            told = _summed(file.read_bytes())
            told["sought"] = Counter(dict(told["sought"].most_common(MOST_SOUGHT)))
            replace(file, orjson.dumps(told) + b"\n")
    except (Timeout, OSError):
        return  # somebody else is at it
