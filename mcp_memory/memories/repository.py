"""Repository: what git knows of a project's files, read in this process: no git is run, nothing written."""

import atexit
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

SIMILAR = 0.5
"""From so many lines in common on, git's own measure, a file that came is the one that went."""
MOST_COMPARED, MOST_BYTES = 100, 256_000
"""So many of the files that came are read, those first that are named alike."""
SOON_SECONDS = 12 * 3600
_OPENED, MOST_HELD = 8, 200_000


@dataclass(frozen=True, slots=True)
class Fate:
    """The commit that took a file away, and where it went."""

    commit: str
    day: str
    subject: str
    renamed: str = ""


@dataclass(frozen=True, slots=True)
class _Commit:
    at: int
    id: bytes
    tree: bytes
    parent: bytes | None


class Deadline:
    """A moment after which nothing more is read."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._end


P = ParamSpec("P")
T = TypeVar("T")


def _unless_broken(method: Callable[P, T]) -> Callable[P, T | None]:
    """A method that answers None where its repository cannot be read."""

    @wraps(method)
    def call(*given: P.args, **named: P.kwargs) -> T | None:
        try:
            return method(*given, **named)
        except Exception:  # noqa: BLE001 what is amiss in another's files shows in any way
            return None

    return call


class Repository:
    """One repository as of its HEAD; what was read is kept, so that the next question costs little.

    Its methods block and may be called from several threads.
    """

    def __init__(self, repo: Any, head: bytes) -> None:
        self._repo, self._store = repo, repo.object_store
        self.head = head
        self._lock = threading.Lock()
        self._chain: list[_Commit] = []
        self._held: dict[tuple[bytes, bytes], bytes | None] = {}
        self._fates: dict[str, Fate | None] = {}
        self._tracked: tuple[int, dict[str, list[str]]] = (0, {})

    @_unless_broken
    def tracked(self) -> Mapping[str, Sequence[str]]:
        """The files that the index holds, by their last names."""
        from dulwich.index import Index

        with self._lock:
            path = Path(self._repo.index_path())
            stamp = path.stat().st_mtime_ns if path.exists() else 0
            if stamp != self._tracked[0]:
                found: dict[str, list[str]] = {}
                for name in Index(str(path)):
                    file = name.decode("utf-8", "replace")
                    found.setdefault(file.rpartition("/")[2], []).append(file)
                self._tracked = (stamp, found)
            return self._tracked[1]

    @_unless_broken
    def contents(self, path: str, at: datetime, deadline: Deadline) -> tuple[str, ...] | None:
        """The hashes that a file had around a time: in the last commit before it, and soon after.

        What was done at that time was most likely committed next. None where the time that may be
        taken does not reach back so far; empty where the file was not there.
        """
        moment = int(_aware(at).timestamp())
        with self._lock:
            place = self._place(moment, deadline)
            if place is None:
                return None
            around = self._chain[max(0, place - 1) : place + 1]
            held = (self._blob(one, path) for one in around if one.at <= moment + SOON_SECONDS)
            return tuple(blob.decode() for blob in held if blob is not None)

    @_unless_broken
    def fate(self, path: str, deadline: Deadline) -> Fate | None:
        """What took a file away that HEAD has not; None where none of the commits read had it."""
        with self._lock:
            if path not in self._fates:
                fate = self._fate(path, deadline)
                if deadline.over:
                    return fate
                self._fates[path] = fate
            return self._fates[path]

    @_unless_broken
    def took_out(self, words: Sequence[str], deadline: Deadline) -> dict[str, Fate]:
        """To each word the newest commit that left a file without it, as far back as time reaches."""
        from dulwich.diff_tree import tree_changes

        wanted, found = {word: word.encode() for word in words}, dict[str, Fate]()
        with self._lock:
            newer: _Commit | None = None
            for one in self._commits(deadline):
                if newer is not None:
                    for change in tree_changes(self._store, one.tree, newer.tree):
                        if change.type in ("modify", "delete") and change.old is not None:
                            for word in self._lost(change, wanted):
                                found.setdefault(word, self._told(newer))
                newer = one
                if deadline.over or len(found) == len(wanted):
                    break
        return found

    def close(self) -> None:
        """Let go of its files."""
        with self._lock:
            self._repo.close()

    def _place(self, moment: int, deadline: Deadline) -> int | None:
        """The first commit of the chain, newest first, that is not newer than a moment."""
        for place, one in enumerate(self._commits(deadline)):
            if one.at <= moment:
                return place
        whole = bool(self._chain) and self._chain[-1].parent is None
        return len(self._chain) if whole else None

    def _fate(self, path: str, deadline: Deadline) -> Fate | None:
        last = self._last_with(path, deadline)
        if last is None or last == 0:
            return None
        before, gone = self._chain[last], self._chain[last - 1]
        return self._told(gone, self._renamed(path, before, gone, deadline))

    def _last_with(self, path: str, deadline: Deadline) -> int | None:
        """The newest commit with the file; one may have had it for a short time only."""
        for place, one in enumerate(self._commits(deadline)):
            if self._blob(one, path) is not None:
                return place
        return None

    def _commits(self, deadline: Deadline) -> Iterator[_Commit]:
        """First parents from HEAD on; those that were read before cost nothing."""
        yield from list(self._chain)
        while not deadline.over:
            wanted = self._chain[-1].parent if self._chain else self.head
            if wanted is None or wanted not in self._store:
                return
            commit = self._store[wanted]
            parent = commit.parents[0] if commit.parents else None
            self._chain.append(_Commit(commit.commit_time, wanted, commit.tree, parent))
            yield self._chain[-1]

    def _blob(self, commit: _Commit, path: str) -> bytes | None:
        if len(self._held) > MOST_HELD:
            self._held.clear()
        return self._within(commit.tree, path.encode())

    def _within(self, folder: bytes, path: bytes) -> bytes | None:
        """What a folder holds at a path; one that is as it was in another commit is not read again."""
        key = (folder, path)
        if key not in self._held:
            name, _, rest = path.partition(b"/")
            entry = self._entry(folder, name)
            self._held[key] = self._within(entry, rest) if entry and rest else entry
        return self._held[key]

    def _entry(self, folder: bytes, name: bytes) -> bytes | None:
        if folder not in self._store:
            return None
        tree = self._store[folder]
        if tree.type_name != b"tree" or name not in tree:
            return None
        sha: bytes = tree[name][1]
        return sha

    def _renamed(self, path: str, before: _Commit, gone: _Commit, deadline: Deadline) -> str:
        """Where a commit put a file that it took away; empty for nowhere."""
        from dulwich.diff_tree import tree_changes

        lost = self._blob(before, path)
        came = {
            change.new.path.decode("utf-8", "replace"): change.new.sha
            for change in tree_changes(self._store, before.tree, gone.tree)
            if change.type == "add" and change.new is not None and change.new.path
        }
        same = next((name for name, sha in came.items() if sha == lost), "")
        if same or lost is None:
            return same
        told, best, near = self._lines(lost), "", SIMILAR
        for name in sorted(came, key=lambda name: (_unlike(path, name), name))[:MOST_COMPARED]:
            if deadline.over:
                break
            share = _shared(told, self._lines(came[name]))
            if share >= near:
                best, near = name, share
        return best

    def _lost(self, change: Any, wanted: Mapping[str, bytes]) -> Iterator[str]:
        """The words that a change took out of a file."""
        old = self._data(change.old.sha)
        new = self._data(change.new.sha) if change.type == "modify" else b""
        return (name for name, word in wanted.items() if word in old and word not in new)

    def _told(self, commit: _Commit, renamed: str = "") -> Fate:
        message = self._store[commit.id].message.decode("utf-8", "replace")
        day = datetime.fromtimestamp(commit.at, UTC).date().isoformat()
        return Fate(commit.id.decode()[:9], day, message.partition("\n")[0], renamed)

    def _lines(self, blob: bytes) -> Counter[bytes]:
        return Counter(self._data(blob).split(b"\n"))

    def _data(self, blob: bytes) -> bytes:
        """A file's content; of a large one, or one of another repository, nothing."""
        if blob not in self._store:
            return b""
        data: bytes = getattr(self._store[blob], "data", b"")
        return data if len(data) <= MOST_BYTES else b""


def _unlike(path: str, other: str) -> tuple[bool, bool, bool]:
    """How unlike two paths are: by name, by its stem anywhere in the other, by ending."""
    mine, theirs = path.rpartition("/")[2], other.rpartition("/")[2]
    stem, _, ending = mine.rpartition(".")
    return mine != theirs, (stem or mine) not in other, not theirs.endswith(f".{ending}")


def _shared(one: Counter[bytes], other: Counter[bytes]) -> float:
    """The share of lines that two texts have in common, empty ones left out."""
    both = (one & other).total() - min(one[b""], other[b""])
    whole = (one.total() - one[b""] + other.total() - other[b""]) / 2
    return both / whole if whole else 0.0


_opened: dict[str, Repository] = {}
_opening = threading.Lock()


@atexit.register
def _close() -> None:
    """What is left open, dulwich closes too late to do it silently."""
    while _opened:
        _opened.popitem()[1].close()


def of(root: Path) -> Repository | None:
    """The repository whose top a folder is; None where there is none that can be read. Blocking."""
    if not (root / ".git").exists():
        return None
    key = str(root)
    with _opening:
        try:
            from dulwich.repo import (
                Repo,  # loads in a tenth of a second: only where it is asked for
            )

            repo = Repo(key)
            head = repo.head()
        except Exception:  # noqa: BLE001 as above; a repository without a commit has no head
            return None
        known = _opened.get(key)
        if known is not None and known.head == head:
            repo.close()
            return known
        if known is not None:
            _opened.pop(key).close()
        while len(_opened) >= _OPENED:
            _opened.pop(next(iter(_opened))).close()
        _opened[key] = Repository(repo, head)
        return _opened[key]


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
