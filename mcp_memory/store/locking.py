"""Locks between processes: one upkeeper at a time, and writers that are known to be alive."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import filelock

from mcp_memory.domain.errors import Busy, of_system

PREFIX = "writer-"
OPENING = "opening.lock"
"""Held while a store is made, migrated or joined by a writer."""
MAINTENANCE = "maintenance.lock"
_PAUSE = 0.02


@asynccontextmanager
async def elected(lock: Path, *, seconds: float, work: str) -> AsyncIterator[None]:
    """One process at a time; waiting leaves the event loop free.

    Raises:
        Busy: another one is at it.
        HomeRefused: the lock's file cannot be made.
    """
    held = filelock.FileLock(lock, mode=0o600)
    deadline = anyio.current_time() + seconds
    while not _taken(held):
        if anyio.current_time() >= deadline:
            raise Busy(work, seconds)
        await anyio.sleep(_PAUSE)
    try:
        yield
    finally:
        held.release()


class Alive:
    """A writer's own lock, held for as long as it may write; a kill leaves its file behind."""

    def __init__(self, locks: Path, owner: str) -> None:
        self.owner = owner
        """The lock's name, which the writer's ledger rows carry."""
        self.unfinished = False
        """Whether something was left for the next opening to finish, as after a kill."""
        self._file = locks / f"{owner}.lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it; closed in good order, nothing stays behind."""
        lock = filelock.FileLock(self._file, mode=0o600)
        try:
            lock.acquire()
        except OSError as error:
            raise of_system(error) from error
        try:
            yield
        finally:
            _let_go(lock, self._file, keep=self.unfinished)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the actor of ledger rows, and the lock by which a dead writer is known."""

    actor: str
    alive: Alive
    locks: Path
    busy_seconds: float


def dead_writers(locks: Path) -> Iterator[str]:
    """Names of writers that were killed, each held while it is looked after, then forgotten."""
    for file in sorted(locks.glob(f"{PREFIX}*.lock")):
        lock = filelock.FileLock(file, mode=0o600)
        if not _taken(lock):
            continue
        finished = False
        try:
            yield file.stem
            finished = True
        finally:
            _let_go(lock, file, keep=not finished)


def locks_of_the_dead(locks: Path) -> list[Path]:
    """Locks of writers that were killed, or that the power left, since one closed in good order."""
    found = []
    for file in sorted(locks.glob(f"{PREFIX}*.lock")):
        lock = filelock.FileLock(file, mode=0o600)
        if _taken(lock):
            lock.release()
            found.append(file)
    return found


def others_alive(locks: Path, owner: str) -> bool:
    """Whether another process may be writing just now."""
    for file in locks.glob(f"{PREFIX}*.lock"):
        if file.stem == owner:
            continue
        lock = filelock.FileLock(file, mode=0o600)
        if not _taken(lock):
            return True
        lock.release()
    return False


def _taken(lock: filelock.BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    except OSError as error:
        raise of_system(error) from error
    return True


def _let_go(lock: filelock.BaseFileLock, file: Path, *, keep: bool) -> None:
    # Unlinked while it is held, so that nobody takes the old file for a living writer's;
    # Windows removes no open file, there it goes after the release.
    try:
        if not keep:
            file.unlink(missing_ok=True)
    except PermissionError:
        lock.release()
        file.unlink(missing_ok=True)
    finally:
        lock.release()
