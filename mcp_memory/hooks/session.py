"""Session: what one session was told and went by, as marks in a folder of its own; hooks alone write it."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mcp_memory.domain import privacy
from mcp_memory.hooks.ready import folder, short

KEPT_DAYS = 14
"""How long it is remembered what a session was told."""
IGNORED = 2
"""After so many sayings of a kind that nothing followed, the session hears no more of it."""
_DAY = 86_400
_FOLLOWED, _HUSHED = ".followed", "hushed-"


class Session:
    """One session's marks. Of two hooks at once only one is the first to say a thing."""

    def __init__(self, home: Path, name: str) -> None:
        self._folder = _told(home) / short(name)

    def first_time(self, what: str, kind: str = "", follows: Iterable[str] = ()) -> bool:
        """Whether the session is told this for the first time; from now on it was.

        Raises:
            OSError: it cannot be noted.
        """
        privacy.make(self._folder)
        mark = self._folder / short(what)
        try:
            handle = os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return False
        try:
            os.write(handle, json.dumps({"kind": kind, "follows": list(follows)}).encode())
        finally:
            os.close(handle)
        return True

    def was_told(self, what: str) -> bool:
        """Whether the session was told this already."""
        return (self._folder / short(what)).exists()

    def forget(self) -> None:
        """The model has forgotten what it was told: all of it may be said again, but what it ignored."""
        for kind in {kind for _, kind, _ in self._marks()}:
            if kind and self.ignores(kind):
                (self._folder / f"{_HUSHED}{kind}").touch(mode=0o600)
        for mark in list(self._all()):
            if not mark.name.startswith(_HUSHED):
                mark.unlink(missing_ok=True)

    def ignores(self, kind: str) -> bool:
        """Whether the session went by none of the last sayings of a kind that could be followed."""
        if (self._folder / f"{_HUSHED}{kind}").exists():
            return True
        told = [mark for mark, one, follows in self._marks() if one == kind and follows]
        return len(told) >= IGNORED and not any(_followed(mark).exists() for mark in told)

    def follow(self, goes_by: Callable[[str], bool]) -> list[str]:
        """Note what the session now goes by; the kinds of it."""
        kinds = []
        for mark, kind, follows in self._marks():
            if any(map(goes_by, follows)) and not _followed(mark).exists():
                _followed(mark).touch(mode=0o600)
                kinds.append(kind)
        return kinds

    def _marks(self) -> Iterator[tuple[Path, str, list[str]]]:
        for mark in self._all():
            if "." in mark.name or mark.name.startswith(_HUSHED):
                continue
            try:
                told = json.loads(mark.read_bytes())
                yield mark, str(told["kind"]), list(map(str, told["follows"]))
            except (OSError, ValueError, LookupError, TypeError):
                continue

    def _all(self) -> Iterator[Path]:
        try:
            yield from sorted(self._folder.iterdir())
        except OSError:
            return


def prune(home: Path) -> None:
    """Take away what sessions long gone were told."""
    oldest = time.time() - KEPT_DAYS * _DAY
    for session in _told(home).glob("*"):
        if session.is_dir() and session.stat().st_mtime < oldest:
            for mark in session.iterdir():
                mark.unlink(missing_ok=True)
            session.rmdir()


def _told(home: Path) -> Path:
    return folder(home) / "told"


def _followed(mark: Path) -> Path:
    return mark.with_name(mark.name + _FOLLOWED)
