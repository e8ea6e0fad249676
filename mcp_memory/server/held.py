"""The held bank: opened once a process, after the handshake, and kept filled in the background."""

import importlib
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from mcp_memory.contract import Bank
from mcp_memory.errors import MemoryBankError
from mcp_memory.settings import Settings

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
"""How long to wait for a host to list the tools before the bank is opened all the same."""


class HeldBank:
    """One bank for all requests; opening it never stands in the way of the handshake."""

    def __init__(self, settings: Settings, cwd: str) -> None:
        self._settings = settings
        self._cwd = cwd
        self._wanted = anyio.Event()
        self._settled = anyio.Event()
        self._bank: Bank | None = None
        self._error: MemoryBankError | None = None

    def warm(self) -> None:
        """Open the bank now, in the background."""
        self._wanted.set()

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

    async def run(self) -> None:
        """Open the bank when it is wanted, then index in the background until cancelled."""
        with anyio.move_on_after(HANDSHAKE_SECONDS):
            await self._wanted.wait()
        # The answer to the handshake is still on its way out: let it go first.
        await anyio.sleep(0.05)
        rooms = await anyio.to_thread.run_sync(importlib.import_module, "mcp_memory.bank")
        try:
            async with rooms.open_bank(self._settings, cwd=self._cwd, actor="server") as bank:
                self._bank = bank
                self._settled.set()
                if self._settings.index_auto:
                    await bank.keep_indexed()
                await anyio.sleep(math.inf)
        except MemoryBankError as error:
            logger.warning("the bank could not be opened: %s", error)
            self._error = error
        finally:
            self._bank = None
            self._settled.set()


@asynccontextmanager
async def open_held(settings: Settings, cwd: str) -> AsyncIterator[HeldBank]:
    """A held bank whose background work ends with the server."""
    held = HeldBank(settings, cwd)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(held.run)
        try:
            yield held
        finally:
            tasks.cancel_scope.cancel()


async def warm_after_listing(
    ctx: ServerRequestContext[HeldBank, Any], call_next: CallNext
) -> HandlerResult:
    """Middleware: a host that has its tool list is through with the handshake."""
    result = await call_next(ctx)
    if ctx.method == "tools/list":
        ctx.lifespan_context.warm()
    return result
