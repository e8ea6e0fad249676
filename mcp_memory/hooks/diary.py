"""Diary: every text that hooks said, for the user to see afterwards; a purge takes it away whole."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mcp_memory.domain import privacy
from mcp_memory.hooks.ready import folder, short

NAME = "said.jsonl"
MOST_BYTES = 2_000_000
"""A fuller diary becomes the older one, in place of the one before it."""


class Entry(NamedTuple):
    """One text as it was said."""

    at: int
    kind: str
    session: str
    """Its host's name for it, hashed."""
    project: str
    refs: tuple[str, ...]
    text: str


def note(home: Path, entry: Entry) -> None:
    """Add what was said.

    Raises:
        OSError: it cannot be written.
    """
    append(folder(home) / NAME, json.dumps(entry, ensure_ascii=False), MOST_BYTES)


def entries(home: Path) -> Iterator[Entry]:
    """What was said, oldest first; a torn line says nothing."""
    for name in (f"older-{NAME}", NAME):
        file = folder(home) / name
        for line in file.read_bytes().splitlines() if file.is_file() else ():
            try:
                at, kind, session, project, refs, text = json.loads(line)
                yield Entry(int(at), str(kind), str(session), str(project), tuple(refs), str(text))
            except (ValueError, TypeError):
                continue


def clear(home: Path) -> None:
    """Take all of it away: what was said may hold what is to be gone."""
    for name in (NAME, f"older-{NAME}"):
        (folder(home) / name).unlink(missing_ok=True)


def now(kind: str, text: str, refs: tuple[str, ...], *, session: str, project: str) -> Entry:
    """An entry of this moment."""
    return Entry(int(time.time()), kind, short(session), project, refs, text)


def append(file: Path, line: str, most: int) -> None:
    """One line in one write: hooks of many sessions do not tear each other's lines.

    Raises:
        OSError: it cannot be written.
    """
    privacy.make(file.parent)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode("utf-8", "replace") + b"\n")
        full = os.fstat(handle).st_size > most
    finally:
        os.close(handle)
    if full:
        file.replace(file.with_name(f"older-{file.name}"))
