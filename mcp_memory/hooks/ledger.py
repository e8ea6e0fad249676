"""Ledger of hooks: what was injected, opened and used, and what it cost; refs only, no contents."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mcp_memory.domain import privacy
from mcp_memory.hooks.ready import folder, short

NAME = "ledger.jsonl"
MOST_BYTES = 4_000_000
"""A fuller ledger becomes the older one, in place of the one before it."""
EVENTS = (
    "session-start",
    "prompt",
    "before-edit",
    "tool-failed",
    "before-compaction",
    "session-end",
)


# No dataclasses here: a hook appends to the ledger, and they take as long to import as all the rest.
class Tally:
    """What one event came to: calls of its hook, and texts that were injected, opened, used.

    `tokens` are estimated, of all that was injected.
    """

    __slots__ = ("calls", "injected", "opened", "silent", "tokens", "used")

    def __init__(self) -> None:
        self.calls = self.silent = self.injected = self.opened = self.used = self.tokens = 0

    def counts(self) -> dict[str, int]:
        """The counts by name, in the order in which they come about."""
        names = ("calls", "silent", "injected", "opened", "used", "tokens")
        return {name: getattr(self, name) for name in names}


def called(home: Path, event: str, *, session: str, refs: Iterable[str] = (), tokens: int) -> None:
    """Note one call of a hook, and what it said; without refs it was silent.

    Raises:
        OSError: it cannot be noted.
    """
    line: dict[str, object] = {"e": event, "s": short(session)}
    told = list(refs)
    if told:
        line |= {"r": told, "n": tokens}
    _append(home, line)


class Book:
    """The ledger of one bank as a process follows it: only what others appended is read again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = folder(home) / NAME
        self._read = 0
        self._inode = 0
        self._injected: set[str] = set()
        """Records that any session was shown."""
        self._sessions: dict[str, set[str]] = {}
        """Session to the refs that it was shown."""

    def note(self, what: str, refs: Iterable[str]) -> None:
        """Note that refs were `opened` or `used`, as far as a hook had shown them."""
        self._follow()
        shown = [ref for ref in dict.fromkeys(refs) if record_of(ref) in self._injected]
        if shown:
            _append(self._home, {"e": what, "r": shown})

    def named(self, session: str, words: Iterable[str]) -> None:
        """Note as used what a session was shown and its agent then named in its own words."""
        self._follow()
        shown = self._sessions.get(short(session))
        if not shown:
            return
        said = "\n".join(words)
        used = sorted(ref for ref in shown if ref in said)
        if used:
            _append(self._home, {"e": "used", "s": short(session), "r": used})

    def watched(self, session: str) -> bool:
        """Whether this session was shown anything."""
        self._follow()
        return short(session) in self._sessions

    def _follow(self) -> None:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return
        if status.st_ino != self._inode or status.st_size < self._read:
            self._inode, self._read = status.st_ino, 0
        if status.st_size == self._read:
            return
        with self._file.open("rb") as stream:
            stream.seek(self._read)
            fresh = stream.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in _lines(whole):
            if line.event in EVENTS:
                for ref in line.refs:
                    self._injected.add(record_of(ref))
                    self._sessions.setdefault(line.session, set()).add(ref)


def summary(home: Path) -> Mapping[str, Tally]:
    """Event to what it came to.

    Opened and used count once a text that was injected, at the event that showed it last.
    """
    tallies = {event: Tally() for event in EVENTS}
    shown: dict[str, _Shown] = {}
    for line in _all(home):
        if line.event not in tallies:
            for one in {id(s): s for r in line.refs if (s := shown.get(record_of(r)))}.values():
                fresh = line.event not in one.seen
                one.seen.add(line.event)
                tallies[one.event].opened += fresh and line.event == "opened"
                tallies[one.event].used += fresh and line.event == "used"
            continue
        tally = tallies[line.event]
        tally.calls += 1
        tally.silent += not line.refs
        tally.injected += bool(line.refs)
        tally.tokens += line.tokens
        one = _Shown(line.event)
        shown.update((record_of(ref), one) for ref in line.refs)
    return tallies


def as_table(tallies: Mapping[str, Tally]) -> list[dict[str, object]]:
    """One row an event, and a last one for all of them."""
    rows = {name: tally.counts() for name, tally in tallies.items()}
    whole = {name: sum(row[name] for row in rows.values()) for name in Tally().counts()}
    return [{"event": name, **row} for name, row in (*rows.items(), ("all", whole))]


def record_of(ref: str) -> str:
    """The record a ref opens: a span of steps counts as its session."""
    return ref.partition("#")[0].partition("@")[0]


class _Shown:
    """One text that was injected, and what became of it."""

    def __init__(self, event: str) -> None:
        self.event = event
        self.seen: set[str] = set()


class _Line(NamedTuple):
    """One line as it was read."""

    event: str
    session: str
    refs: tuple[str, ...]
    tokens: int


def _append(home: Path, line: Mapping[str, object]) -> None:
    file = folder(home) / NAME
    privacy.make(file.parent)
    told = json.dumps({"t": int(time.time()), **line}, separators=(",", ":")) + "\n"
    # One write to a file opened for appending: hooks of many sessions do not tear each other's lines.
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, told.encode())
        full = os.fstat(handle).st_size > MOST_BYTES
    finally:
        os.close(handle)
    if full:
        file.replace(file.with_name(f"older-{NAME}"))


def _all(home: Path) -> Iterator[_Line]:
    for name in (f"older-{NAME}", NAME):
        file = folder(home) / name
        if file.is_file():
            yield from _lines(file.read_bytes())


def _lines(told: bytes) -> Iterator[_Line]:
    """The lines that can be read; a torn one says nothing."""
    for each in told.splitlines():
        try:
            line = json.loads(each)
            refs = tuple(map(str, line.get("r", ())))
            yield _Line(str(line["e"]), str(line.get("s", "")), refs, int(line.get("n", 0)))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
