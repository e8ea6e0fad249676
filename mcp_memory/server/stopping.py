"""Stopping: a web server that says when it listens, drains where it is told to, and ends in good order."""

import socket
from types import FrameType

import anyio
import uvicorn

from mcp_memory.server.held import Banks
from mcp_memory.server.replicas import Replicas
from mcp_memory.settings import Settings


class Server(uvicorn.Server):
    """A server that says when it listens and when it has ended."""

    def __init__(
        self,
        config: uvicorn.Config,
        banks: Banks,
        settings: Settings,
        replicas: Replicas | None = None,
    ) -> None:
        super().__init__(config)
        self._banks = banks
        self._drain_seconds = settings.drain_seconds
        self._replicas = replicas
        self._told: tuple[int, FrameType | None] | None = None
        self.listens = anyio.Event()
        self.ended = anyio.Event()

    async def run_until_stopped(self, sock: socket.socket) -> None:
        """Serve; a cancellation does not cut off what is under way, `should_exit` ends it."""
        try:
            with anyio.CancelScope(shield=True):
                await self.serve(sockets=[sock])
        finally:
            self.listens.set()
            self.ended.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.listens.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A first signal begins the drain; a second one ends it.

        What streams answers hears of a signal by this method and cuts all of them off at once:
        it must not before the drain is over.
        """
        if self._drain_seconds and not self._banks.draining.is_set():
            self._told = (sig, frame)
            self._banks.draining.set()
        else:
            super().handle_exit(sig, frame)

    async def main_loop(self) -> None:
        """Serve until told to stop, and then for a while that lets a balancer send calls elsewhere."""
        async with anyio.create_task_group() as tasks:
            if self._replicas is not None:
                tasks.start_soon(self._replicas.keep, self._banks.buckets)
            tasks.start_soon(self._drain)
            await super().main_loop()
            if not self._banks.draining.is_set():  # left without a signal
                self._banks.draining.set()
                await anyio.sleep(self._drain_seconds)
            tasks.cancel_scope.cancel()

    async def _drain(self) -> None:
        await self._banks.draining.wait()
        await anyio.sleep(self._drain_seconds)
        if self._told is not None:
            super().handle_exit(*self._told)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests under way end; streams that would not are told to."""
        self._banks.stopping.set()
        await super().shutdown(sockets)
