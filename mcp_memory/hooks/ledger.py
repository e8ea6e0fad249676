"""Ledger of hooks: what was said, opened, used and followed, and what it cost; refs only, no contents."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mcp_memory.hooks import diary
from mcp_memory.hooks.ready import folder, short
from mcp_memory.text import tokens

NAME = "ledger.jsonl"
MOST_BYTES = 4_000_000
"""A fuller ledger becomes the older one, in place of the one before it."""
EVENTS = (
    "session-start",
    "prompt",
    "before-edit",
    "before-command",
    "tool-failed",
    "before-compaction",
    "session-end",
)
KINDS = ("briefing", "prompt", "error", "edit", "command")
CAME = ("opened", "used", "followed")
UNUSED = 12
"""So many sayings of a kind of which nobody opened, used or followed one: it may as well be silent."""


# No dataclasses here: a hook appends to the ledger, and they take as long to import as all the rest.
class Tally:
    """What one event, or one kind of saying, came to: calls, and texts said, opened, used, followed.

    `tokens` are estimated, of all that was said.
    """

    __slots__ = ("calls", "followed", "injected", "opened", "silent", "tokens", "used")

    def __init__(self) -> None:
        self.calls = self.silent = self.injected = self.tokens = 0
        self.opened = self.used = self.followed = 0

    def counts(self) -> dict[str, int]:
        """The counts by name, in the order in which they come about."""
        names = ("calls", "silent", "injected", "opened", "used", "followed", "tokens")
        return {name: getattr(self, name) for name in names}

    @property
    def idle(self) -> bool:
        """Whether much was said and nothing came of it."""
        return self.injected >= UNUSED and not (self.opened or self.used or self.followed)


def called(home: Path, event: str, *, session: str) -> None:
    """Note one call of a hook that said nothing.

    Raises:
        OSError: it cannot be noted.
    """
    _append(home, {"e": event, "s": short(session)})


def said(home: Path, event: str, entry: diary.Entry) -> None:
    """Note one call of a hook, and what it said; the words go into the diary alone.

    Raises:
        OSError: it cannot be noted.
    """
    diary.note(home, entry)
    line: dict[str, object] = {"e": event, "s": entry.session, "k": entry.kind}
    line |= {"r": list(entry.refs), "n": tokens.estimate(entry.text)}
    _append(home, line)


def followed(home: Path, session: str, kinds: Iterable[str]) -> None:
    """Note that a session went by what it was told, by kind.

    Raises:
        OSError: it cannot be noted.
    """
    for kind in kinds:
        _append(home, {"e": "followed", "s": short(session), "k": kind})


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


def summary(home: Path, *, by_kind: bool = False) -> Mapping[str, Tally]:
    """Event, or kind of saying, to what it came to.

    Opened and used count once a text that was said, at the event that showed it last.
    """
    tallies = {name: Tally() for name in (KINDS if by_kind else EVENTS)}
    shown: dict[str, _Shown] = {}
    told: dict[tuple[str, str], str] = {}
    for line in _all(home):
        if line.event not in EVENTS:
            for tally in _reached(line, shown, tallies, told, by_kind=by_kind):
                setattr(tally, line.event, getattr(tally, line.event) + 1)
            continue
        name = line.kind if by_kind else line.event
        if name not in tallies:
            continue
        tally = tallies[name]
        tally.calls += 1
        tally.silent += not line.tokens
        tally.injected += bool(line.tokens)
        tally.tokens += line.tokens
        told[line.session, line.kind] = line.event
        one = _Shown(name)
        shown.update((record_of(ref), one) for ref in line.refs)
    return tallies


def _reached(
    line: "_Line",
    shown: "Mapping[str, _Shown]",
    tallies: Mapping[str, Tally],
    told: Mapping[tuple[str, str], str],
    *,
    by_kind: bool,
) -> Iterator[Tally]:
    """What a line counts for: once a text that it reached, or the kind that was followed."""
    if line.event == "followed":
        name = line.kind if by_kind else told.get((line.session, line.kind), "")
        if name in tallies:
            yield tallies[name]
        return
    if line.event not in CAME:
        return
    for one in {id(s): s for r in line.refs if (s := shown.get(record_of(r)))}.values():
        if line.event not in one.seen:
            one.seen.add(line.event)
            yield tallies[one.name]


def as_table(tallies: Mapping[str, Tally], named: str = "event") -> list[dict[str, object]]:
    """One row an event or kind, and a last one for all of them."""
    rows = {name: tally.counts() for name, tally in tallies.items()}
    whole = {name: sum(row[name] for row in rows.values()) for name in Tally().counts()}
    return [{named: name, **row} for name, row in (*rows.items(), ("all", whole))]


def record_of(ref: str) -> str:
    """The record a ref opens: a span of steps counts as its session."""
    return ref.partition("#")[0].partition("@")[0]


class _Shown:
    """One text that was said, and what became of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: set[str] = set()


class _Line(NamedTuple):
    """One line as it was read."""

    event: str
    session: str
    kind: str
    refs: tuple[str, ...]
    tokens: int


def _append(home: Path, line: Mapping[str, object]) -> None:
    told = json.dumps({"t": int(time.time()), **line}, separators=(",", ":"))
    diary.append(folder(home) / NAME, told, MOST_BYTES)


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
            session, kind = str(line.get("s", "")), str(line.get("k", ""))
            yield _Line(str(line["e"]), session, kind, refs, int(line.get("n", 0)))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
