"""Electing by leases: what locked files do in a folder, for processes on many machines.

A writer renews its own lease while it writes. A lock is held by a writer, and is free when that
writer's time has passed and whoever comes next has finished what it left. So a writer that stood
still cannot write late: what it had not committed was taken back, and it learns so before it
acknowledges anything.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import anyio

from mcp_memory.domain.errors import Busy, CameTooLate, MemoryBankError
from mcp_memory.store.leases import Lease, LeaseTable
from mcp_memory.store.locking import PREFIX, Alive, Mend

logger = logging.getLogger(__name__)

SECONDS = 30.0
"""How long a sign of life holds; who stood still for longer may be taken for dead."""
SKEW = 1 / 3
"""Of that time, what clocks of machines may differ by: so much longer others wait."""
_PAUSE = 0.25
_END_SECONDS = 5.0
_life: ContextVar[int] = ContextVar("life", default=-1)
"""In which of this process's lives the lock was taken that is held where this is asked."""


async def _nothing(owner: str) -> None:
    del owner


class Leases:
    """The locks of a bank that many machines share."""

    def __init__(self, table: LeaseTable, owner: str, *, seconds: float = SECONDS) -> None:
        self.table = table
        self.seconds = seconds
        self._turns: dict[str, anyio.Semaphore] = {}
        self._sign = Sign(self, owner)
        self.finish: Mend = _nothing
        """Brings to its end what a dead writer began; known once the tables are open."""

    @asynccontextmanager
    async def elected(self, name: str, *, seconds: float, work: str) -> AsyncIterator[None]:
        """One process at a time; who comes after a dead one finishes first what that began.

        Raises:
            Busy: another one is at it.
            CameTooLate: this process stood still for so long that others went on without it.
        """
        deadline = anyio.current_time() + seconds
        async with self._in_turn(name, seconds, work), self._sign.writing():
            held = await self._taken(name, deadline, Busy(work, seconds))
            before = _life.set(self._sign.life)
            try:
                yield
            finally:
                with suppress(ValueError):  # left in another task than it was entered in
                    _life.reset(before)
                with anyio.CancelScope(shield=True), suppress(MemoryBankError):
                    await self.table.change(held, held.passed(""))

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Alive]:
        """The process as a writer, until the block is left."""
        try:
            yield self._sign
        finally:
            # What a store that does not answer keeps of it lapses by itself.
            with anyio.move_on_after(_END_SECONDS, shield=True):
                await self._sign.end()

    async def still(self) -> None:
        """Make sure that a lock is held yet that was taken where this is asked."""
        async with self._sign.writing():
            return

    async def any_dead(self) -> bool:
        """No power cut leaves half an object behind."""
        return False

    async def mend(self, finish: Mend) -> None:
        """Finish what writers began whose time has passed."""
        self.finish = finish
        for lease in (await self.table.all()).values():
            if lease.name.startswith(PREFIX) and self.expired(lease):
                await self._mended(lease)

    async def others_alive(self) -> bool:
        """Always: readers leave no sign, and versions that they look at must stay for a while."""
        return True

    async def living(self) -> set[str]:
        """Writers that have a lease, also one that has passed and that nobody has looked after."""
        return {name for name in await self.table.all() if name.startswith(PREFIX)}

    def until(self) -> datetime:
        """How long a sign of life holds that is given now."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def expired(self, lease: Lease) -> bool:
        """Whether its owner is to be taken for dead, however the clocks differ."""
        late = timedelta(seconds=self.seconds * SKEW)
        return lease.until + late < datetime.now(UTC)

    @asynccontextmanager
    async def _in_turn(self, name: str, seconds: float, work: str) -> AsyncIterator[None]:
        """The tasks of this process one after another."""
        turn = self._turns.setdefault(name, anyio.Semaphore(1))
        try:
            turn.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(seconds) as waited:
                await turn.acquire()
            if waited.cancelled_caught:
                raise Busy(work, seconds) from None
        try:
            yield
        finally:
            turn.release()

    async def _taken(self, name: str, deadline: float, busy: Busy) -> Lease:
        while True:
            leases = await self.table.all()
            lease, owner = leases[name], self._sign.owner
            holder = leases.get(lease.owner)
            free = holder is None or lease.owner == owner
            if holder is not None and not free and self.expired(holder):
                free = await self._mended(holder)
            if free and await self.table.change(lease, fresh := lease.passed(owner)):
                return fresh
            if anyio.current_time() >= deadline:
                raise busy
            await anyio.sleep(_PAUSE)

    async def _mended(self, dead: Lease) -> bool:
        """Finish what a dead writer left; False while somebody else is at it."""
        taken = dead.passed(self._sign.owner, self.until())
        if not await self.table.change(dead, taken):
            return False
        logger.warning("a writer stopped without an end; what it began is finished")
        await self.finish(dead.name)
        await self.table.remove(taken)
        return True


class Sign:
    """A process's own lease: given with its first write, renewed while it writes, let lapse after."""

    def __init__(self, leases: Leases, owner: str) -> None:
        self.owner = owner
        self.unfinished = False
        self.life = 0
        """Raised when others took this process for dead and it came back."""
        self._leases = leases
        self._lease: Lease | None = None
        self._good_until = 0.0
        self._writers = 0
        self._renewing: asyncio.Task[None] | None = None
        self._turn = anyio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Around a change, from before its first row until it may be acknowledged.

        Raises:
            CameTooLate: others took this process for dead since it began, or since it took the
                lock under which it writes.
        """
        await self._signed()
        life = self.life
        if _life.get() not in {-1, life}:
            raise CameTooLate("work that one process does at a time")
        self._writers += 1
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._keep())
        try:
            yield
        finally:
            self._writers -= 1
        if _clock() >= self._good_until:
            await self._signed()
        if self.life != life:
            raise CameTooLate("a change")

    async def end(self) -> None:
        """Take the sign away; with something unfinished, let others find it at once."""
        async with self._turn:
            lease, self._lease = self._lease, None
            if self._renewing is not None:
                self._renewing.cancel()
        if lease is None:
            return
        with suppress(MemoryBankError):
            if self.unfinished:
                await self._leases.table.change(lease, lease.passed(self.owner))
            else:
                await self._leases.table.remove(lease)

    async def _signed(self) -> None:
        """A sign that holds for at least half of its time, given or renewed."""
        # What the store has taken and we were not told of would look like another's doing.
        async with self._turn:
            with anyio.CancelScope(shield=True):
                await self._looked_after()

    async def _looked_after(self) -> None:
        if self._lease is None:
            await self._given()
        elif _clock() > self._good_until - self._leases.seconds / 2:
            await self._renewed()

    async def _given(self) -> None:
        began = _clock()
        lease = Lease(self.owner, self.owner, 1, self._leases.until())
        await self._leases.table.add(lease)
        self._lease, self._good_until = lease, began + self._leases.seconds

    async def _renewed(self) -> None:
        assert self._lease is not None
        began = _clock()
        lease = self._lease.passed(self.owner, self._leases.until())
        if await self._leases.table.change(self._lease, lease):
            self._lease, self._good_until = lease, began + self._leases.seconds
        else:
            await self._come_back()

    async def _come_back(self) -> None:
        """Others took this process for dead: wait until they have finished what it had begun."""
        self.life += 1
        self._lease = None
        logger.warning("this process stood still for so long that others went on without it")
        while (lease := (await self._leases.table.all()).get(self.owner)) is not None:
            taken = lease.passed(self.owner, self._leases.until())
            mine = lease.owner == self.owner or self._leases.expired(lease)
            if mine and await self._leases.table.change(lease, taken):
                await self._leases.table.remove(taken)
                break
            await anyio.sleep(_PAUSE)
        await self._given()
        await self._leases.finish(self.owner)

    async def _keep(self) -> None:
        """Renew it for as long as anything is written."""
        while self._writers:
            await asyncio.sleep(self._leases.seconds / 3)
            try:
                await self._signed()
            except MemoryBankError as error:
                logger.warning("the lease could not be renewed: %s", error)
        self._renewing = None


def _clock() -> float:
    """Seconds that pass also while a process, or the machine, stands still."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
