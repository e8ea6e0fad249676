"""Locks between processes: one upkeeper at a time, and writers that are known to be alive.

In a folder they are locked files; at an address they are leases in the store (`leases`).
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import anyio
import anyio.to_thread
import filelock
import orjson
from pydantic import JsonValue

from mcp_memory.domain import privacy, refs
from mcp_memory.domain.access import acting
from mcp_memory.domain.errors import Busy, MemoryBankError, of_system
from mcp_memory.store.arrears import Arrears
from mcp_memory.store.rows import LedgerRow, Phase

logger = logging.getLogger(__name__)

PREFIX = "writer-"
OPENING = "opening.lock"
"""Held while a store is made, migrated or joined by a writer."""
MAINTENANCE = "maintenance.lock"
_PAUSE = 0.02
_JOIN_SECONDS = 10.0
"""How long another process is waited for by one that is about to write its first."""
Mend = Callable[[str], Awaitable[object]]
"""Finishes what a writer of this name began and left."""


class Alive(Protocol):
    """A writer's own sign of life, held for as long as it may write; a kill leaves it behind."""

    owner: str
    """The sign's name, which the writer's ledger rows carry."""
    unfinished: bool
    """Whether something was left for the next opening to finish, as after a kill."""

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Held by each change, from before its first row until it is acknowledged.

        Raises:
            CameTooLate: the process was paused for so long that others went on without it.
        """
        ...


class Locks(Protocol):
    """What keeps the processes that share a bank out of each other's way."""

    def elected(self, name: str, *, seconds: float, work: str) -> AbstractAsyncContextManager[None]:
        """One process at a time; waiting leaves the event loop free.

        Raises:
            Busy: another one is at it.
        """
        ...

    def alive(self) -> AbstractAsyncContextManager[Alive]:
        """The process as a writer, until the block is left; closed in good order, nothing stays behind."""
        ...

    async def still(self) -> None:
        """Make sure, between two steps under a lock, that it is held yet.

        Raises:
            CameTooLate: this process stood still for so long that others took it.
        """
        ...

    async def any_dead(self) -> bool:
        """Whether a writer was killed, or the power left it, since one closed in good order."""
        ...

    async def mend(self, finish: Mend) -> None:
        """Finish what dead writers began, each held while it is looked after, then forgotten."""
        ...

    async def others_alive(self) -> bool:
        """Whether another process may be writing just now."""
        ...

    async def living(self) -> set[str]:
        """Writers that hold their sign of life; who left one and died is among them until it is mended."""
        ...


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the actor of ledger rows, and the sign by which a dead writer is known."""

    actor: str
    alive: Alive
    locks: Locks
    busy_seconds: float
    arrears: Arrears

    def entry(  # PLR0913: a ledger row is made of all that is known of a change
        self,
        phase: Phase,
        op: str,
        named: Sequence[str],
        hashes: Sequence[str],
        inverse: Mapping[str, JsonValue] | None,
        batch: str = "",
    ) -> LedgerRow:
        """A row of the ledger, by this writer and as of now."""
        return LedgerRow(
            batch=batch or f"b:{refs.short_hash(uuid4().hex)}",
            phase=phase,
            op=op,
            refs=tuple(named),
            hashes=tuple(hashes),
            actor=acting.get() or self.actor,
            owner=self.alive.owner,
            at=datetime.now(UTC),
            inverse=orjson.dumps(dict(inverse or {})).decode(),
            effects="[]",
        )


class FolderLocks:
    """Locked files in a folder of this machine."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._owner = owner

    def elected(self, name: str, *, seconds: float, work: str) -> AbstractAsyncContextManager[None]:
        """One process at a time."""
        return elected(self._folder / name, seconds=seconds, work=work)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Alive]:
        """The process as a writer, whose file is locked until the block is left.

        Where it cannot be made now, it is made before the first change.
        """
        alive = _AliveFile(self._folder, self._owner)
        async with alive.held():
            yield alive

    async def still(self) -> None:
        """It is: the system takes it from no living process."""

    async def any_dead(self) -> bool:
        """Whether an abandoned writer's file is there."""
        return bool(await anyio.to_thread.run_sync(locks_of_the_dead, self._folder))

    async def mend(self, finish: Mend) -> None:
        """Finish what dead writers began; without an abandoned file nothing is read."""
        for owner in dead_writers(self._folder):
            await finish(owner)

    async def others_alive(self) -> bool:
        """Whether another process holds a writer's file."""
        return await anyio.to_thread.run_sync(others_alive, self._folder, self._owner)

    async def living(self) -> set[str]:
        """Writers whose files are there."""
        return {file.stem for file in self._folder.glob(f"{PREFIX}*.lock")}


@asynccontextmanager
async def elected(lock: Path, *, seconds: float, work: str) -> AsyncIterator[None]:
    """One process of this machine at a time; waiting leaves the event loop free.

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


class _AliveFile:
    """A writer's own locked file."""

    def __init__(self, locks: Path, owner: str) -> None:
        self.owner = owner
        self.unfinished = False
        self._file = locks / f"{owner}.lock"
        self._lock = filelock.FileLock(self._file, mode=0o600)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Sees to the file: who could not make it when it opened the store makes it now.

        After that nothing is to do: the system itself lets go of a dead process's file, and of no
        paused one's.
        """
        if not self._lock.is_locked:
            opening = self._file.with_name(OPENING)
            await anyio.to_thread.run_sync(_folder_of, opening)
            async with elected(opening, seconds=_JOIN_SECONDS, work="opening the store"):
                await self._take()
        yield

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold it, where it can be made; closed in good order, nothing stays behind."""
        try:
            await self._take()
        except MemoryBankError as error:
            logger.warning("this process only reads for now: %s", error)
        try:
            yield
        finally:
            if self._lock.is_locked:
                _let_go(self._lock, self._file, keep=self.unfinished)

    async def _take(self) -> None:
        # Its name is this process's own: only who looks for dead writers may hold it, for a moment.
        deadline = anyio.current_time() + _JOIN_SECONDS
        while not self._lock.is_locked and not _taken(self._lock):
            if anyio.current_time() >= deadline:
                raise Busy("what dead writers left", _JOIN_SECONDS)
            await anyio.sleep(_PAUSE)


def _folder_of(lock: Path) -> None:
    try:
        privacy.make(lock.parent)
    except OSError as error:
        raise of_system(error) from error


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
    except OSError:
        lock.release()
        # On a disk that became read-only it stays, and is looked after as a dead writer's.
        with suppress(OSError):
            file.unlink(missing_ok=True)
    finally:
        lock.release()
