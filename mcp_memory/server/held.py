"""The held banks: each opened once a process, after the handshake, and kept filled in the background."""

import importlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from pydantic import BaseModel

from mcp_memory.domain.access import AccessTokens, TokenRecord
from mcp_memory.domain.contract import Bank
from mcp_memory.domain.errors import Busy, MemoryBankError, of_system
from mcp_memory.server import collecting
from mcp_memory.server.buckets import Buckets
from mcp_memory.server.door import answer_at_door
from mcp_memory.settings import Settings

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
"""How long to wait for a host to list the tools before the bank is opened all the same."""
IDLE_SECONDS = 300.0
"""So long after the last question the embedding model is held; loading it again takes 0.1 s."""
AGAIN_SECONDS = 30.0
"""Until what failed in the background is begun again."""
WRITES_BETWEEN = 8
"""Writes between two rounds of upkeep; each leaves two small files."""
MOST_READING, MOST_WRITING = max(4, 2 * (os.cpu_count() or 1)), 2
"""Calls of one bank that are carried out at a time, by whether they write; others wait in order.

More than two a core only take each other's time. Writers wait for each other in the store: in one
line with readers they keep them out, or wait for all of them.
"""
MOST_WAIT = 25.0
"""How long a call waits for the bank and its turn: with a lock after that it is less than the minute in
which most hosts give a call up."""
MOST_OPEN = 64
"""Banks of tenants that are open at a time; the one idle for longest makes room."""

Work = Callable[[], Awaitable[None]]


class HeldBank:
    """One bank for all requests; opening it never stands in the way of the handshake."""

    def __init__(self, settings: Settings, cwd: str | None) -> None:
        self._settings = settings
        self._cwd = cwd
        self._wanted = anyio.Event()
        self._settled = anyio.Event()
        self._scope = anyio.CancelScope()
        self._bank: Bank | None = None
        self._error: MemoryBankError | None = None
        self._untidy = anyio.Event()
        self._writes = 0
        self.borrowers = 0
        self.reading = anyio.CapacityLimiter(MOST_READING)
        self.writing = anyio.CapacityLimiter(MOST_WRITING)

    def warm(self) -> None:
        """Open the bank now, in the background."""
        self._wanted.set()

    @property
    def ready(self) -> bool:
        """Whether the bank is open."""
        return self._bank is not None

    @property
    def failed(self) -> bool:
        """Whether it could not be opened; what was in the way may be gone by now."""
        return self._error is not None

    async def bank(self) -> Bank:
        """The open bank, as soon as it is open.

        Raises:
            MemoryBankError: it cannot be opened; the message says why and what to do.
        """
        self.warm()
        await self._settled.wait()
        if self._bank is None:
            raise self._error or MemoryBankError("The bank is closed; start the server again.")
        return self._bank

    @asynccontextmanager
    async def in_turn(self, *, writes: bool = False) -> AsyncIterator[Any]:
        """The open bank, for one of the calls that are carried out at a time.

        Raises:
            MemoryBankError: it cannot be opened.
            Busy: neither that nor a turn came in the time that a host waits for an answer.
        """
        work = "opening the memory"
        async with AsyncExitStack() as taken:
            with anyio.move_on_after(MOST_WAIT) as waiting:
                bank = await self.bank()
                work = "other calls"
                await taken.enter_async_context(self.writing if writes else self.reading)
            if waiting.cancelled_caught:
                raise Busy(work, MOST_WAIT)
            yield bank

    def wrote(self) -> None:
        """Count a write: so many of them leave files that slow every search down."""
        self._writes += 1
        if self._writes >= WRITES_BETWEEN:
            self._untidy.set()

    async def _keep_tidy(self, bank: Any) -> None:
        """Compact and index after so many writes, and once at the beginning."""
        while True:
            self._untidy, self._writes = anyio.Event(), 0
            try:
                await bank.maintain()
            except (MemoryBankError, OSError) as error:
                logger.warning("upkeep stopped for now: %s", error)
            await self._untidy.wait()

    async def _keep_light(self, bank: Any) -> None:
        """Let go of the model when nobody has asked anything for a while."""
        while True:
            await anyio.sleep(IDLE_SECONDS / 4)
            await bank.rest(IDLE_SECONDS)

    async def _read(self, name: str, asked: dict[str, Any]) -> BaseModel:
        """What a command of this user reads, in its turn among the calls."""
        # What commands alone ask of a server is not loaded before one does.
        reads = await anyio.to_thread.run_sync(importlib.import_module, "mcp_memory.server.reads")
        async with self.in_turn() as bank:
            answer: BaseModel = await reads.read(bank, name, asked)
            return answer

    def close(self) -> None:
        """Close the bank in the background."""
        self._scope.cancel()

    async def run(self) -> None:
        """Open the bank when it is wanted, then index in the background until cancelled."""
        with self._scope:
            with anyio.move_on_after(HANDSHAKE_SECONDS):
                await self._wanted.wait()
            # The answer to the handshake is still on its way out: let it go first.
            await anyio.sleep(0.05)
            await self._hold()

    async def _hold(self) -> None:
        opening = await _opening(self._settings)
        try:
            async with opening(self._settings, cwd=self._cwd, actor="server") as bank:
                if self._settings.address:
                    await bank.rooms.warm_up()  # a balancer sends calls as soon as this is ready
                collecting.opened()
                self._bank = bank
                self._settled.set()
                async with anyio.create_task_group() as tasks:
                    for what, work in self._kept_up(bank):
                        tasks.start_soon(lasting, what, work)
        except Exception as error:  # BLE001: whatever it is: callers are told, and the server lives
            self._error = _told(error)
            logger.warning("the bank could not be opened: %s", self._error, exc_info=True)
        finally:
            self._bank = None
            self._settled.set()

    def _kept_up(self, bank: Any) -> Iterator[tuple[str, Work]]:
        """What goes on beside the calls for as long as the bank is open."""
        yield "upkeep", partial(self._keep_tidy, bank)
        yield "resting", partial(self._keep_light, bank)
        yield "making digests", bank.keep_ready
        home = self._settings.home
        if self._cwd is not None:
            yield "answering hooks", partial(answer_at_door, home, bank.still_holds, self._read)
        if self._settings.index_auto:
            yield "indexing", bank.keep_indexed
        if self._settings.push_url and self._cwd is not None:
            yield "pushing", partial(_keep_pushed, self._settings, self._cwd)


async def lasting(what: str, work: Work) -> None:
    """Do what goes on in the background; where it fails it begins again, and takes nothing with it."""
    while True:
        try:
            await work()
        except Exception as error:  # BLE001: one task's fault leaves no call unanswered
            ours = isinstance(error, MemoryBankError | OSError)
            logger.warning("%s stopped for now: %s", what, error, exc_info=not ours)
        else:
            return
        await anyio.sleep(AGAIN_SECONDS)


def _told(error: Exception) -> MemoryBankError:
    """Why a bank is not open, in words fit for a caller."""
    if isinstance(error, MemoryBankError):
        return error
    if isinstance(error, OSError):
        return of_system(error)
    return MemoryBankError(
        f"The bank could not be opened ({type(error).__name__}). Nothing was changed. Call again, or "
        "let `mcp-memory doctor` look at it; the log in its home says where it stopped."
    )


async def _opening(settings: Settings) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """What opens the bank: alone, or over a team's, which is not loaded where none is set."""
    place, name = "mcp_memory.bank", "open_bank"
    if settings.team_url:
        place, name = "mcp_memory.remote.overlay", "open_overlaid"
    room = await anyio.to_thread.run_sync(importlib.import_module, place)
    opening: Callable[..., AbstractAsyncContextManager[Any]] = getattr(room, name)
    return opening


async def _keep_pushed(settings: Settings, cwd: str) -> None:
    # A client of its own, with all that: not for a server that pushes nothing.
    name = "mcp_memory.remote.background"
    background = await anyio.to_thread.run_sync(importlib.import_module, name)
    await background.keep_pushed(settings, cwd)


class Banks:
    """The banks of this process: its own, and one a tenant, opened when somebody asks."""

    def __init__(self, settings: Settings, cwd: str, *, guarded: bool = False) -> None:
        self.guarded = guarded
        """Whether every caller must have shown who it is."""
        self.reviewed = settings.review
        """Whether what callers write is a proposal, unless they may approve."""
        self.buckets = Buckets()
        self.draining = anyio.Event()
        """Set when the server is told to stop and still answers, while callers go elsewhere."""
        self.stopping = anyio.Event()
        """Set when the server begins to stop: what would go on for ever ends now."""
        self._settings = settings
        self._cwd = cwd
        self._tasks: TaskGroup | None = None
        self._held: dict[str, HeldBank] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Banks"]:
        """Hold the banks until the block is left; inside another such block, only refer to them.

        The SDK enters a server's lifespan once a connection over SSE: the first one holds.
        """
        if self._tasks is not None:
            yield self
            return
        async with anyio.create_task_group() as tasks:
            self._tasks, self.stopping = tasks, anyio.Event()
            self._hold("")
            try:
                yield self
            finally:
                self._tasks = None
                self._held.clear()
                tasks.cancel_scope.cancel()

    def ready(self, tenant: str = "") -> bool:
        """Whether a tenant's bank is open, and calls are to be sent here."""
        open_ = tenant in self._held and self._held[tenant].ready
        return open_ and not self.draining.is_set()

    def warm(self, tenant: str = "") -> None:
        """Open a tenant's bank now, in the background."""
        self._of(tenant).warm()

    def tokens(self, tenant: str) -> list[TokenRecord]:
        """The tokens that reach a tenant's bank; of the server's own, all that it ever gave out."""
        listed = AccessTokens(self._settings.access_dir).listed()
        return [each for each in listed if not tenant or each.tenant == tenant]

    @asynccontextmanager
    async def lent(self, tenant: str = "", *, writes: bool = False) -> AsyncIterator[Bank]:
        """A tenant's open bank, which stays open until the block is left; whether it is written to.

        Raises:
            MemoryBankError: it cannot be opened.
            Busy: as many banks as may be open are all at work, or its turn does not come.
        """
        held = self._of(tenant)
        held.borrowers += 1
        try:
            async with held.in_turn(writes=writes) as bank:
                await bank.fresh()
                yield bank
                if writes:
                    await bank.tell()
        finally:
            held.borrowers -= 1
            if writes:
                held.wrote()

    def _of(self, tenant: str) -> HeldBank:
        held = self._held.pop(tenant, None)
        if held is None or held.failed:
            self._make_room()
            return self._hold(tenant)
        self._held[tenant] = held  # at the end: used last
        return held

    def _hold(self, tenant: str) -> HeldBank:
        if self._tasks is None:
            raise MemoryBankError("The server is stopping; connect again when it is back.")
        held = HeldBank(self._settings.of_tenant(tenant), None if tenant else self._cwd)
        self._held[tenant] = held
        self._tasks.start_soon(held.run)
        return held

    def _make_room(self) -> None:
        if len(self._held) <= MOST_OPEN:
            return
        for tenant, held in self._held.items():
            if tenant and not held.borrowers:
                held.close()
                del self._held[tenant]
                return
        raise Busy("the banks of other tenants", 0)
