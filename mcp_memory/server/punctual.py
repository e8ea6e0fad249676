"""The HTTP protocol of uvicorn, with an end to connections that never finish asking."""

import asyncio
import socket
from typing import Any, ClassVar, Self

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

WAITING_SHARE = 8
"""One address may hold this part of all connections open without asking for anything on them."""


class PunctualProtocol(H11Protocol):
    """Closes a connection whose request headers are not whole within `header_seconds`.

    Of one address only so many may wait at a time, whether for a first request or for the next:
    the one that has waited for longest makes room. So nobody keeps all others out by opening more.
    """

    header_seconds: ClassVar[float] = 20.0
    most_waiting: ClassVar[int] = 64
    waiting: ClassVar[dict[str, dict["PunctualProtocol", None]]] = {}
    """Those that wait, by address, longest first."""
    _late: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, seconds: float, *, connections: int) -> type[Self]:
        """The same protocol with another limit, of a server that takes so many connections."""
        told = {
            "header_seconds": seconds,
            "most_waiting": max(4, connections // WAITING_SHARE),
            "waiting": {},
        }
        return type(cls.__name__, (cls,), told)

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request; what is answered is sent at once."""
        super().connection_made(transport)
        # asyncio does so only for sockets that name their protocol, which `create_server`'s do not:
        # an answer's second part then waits 40 ms for the client to acknowledge the first.
        taken = transport.get_extra_info("socket")
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()
        self._stand_in_line()

    def data_received(self, data: bytes) -> None:
        """Wait on while headers are incomplete: a trickle does not put the end off."""
        super().data_received(data)
        if self._asking and not self.transport.is_closing():
            self._wait()
        else:
            self._stop_waiting()
            self._leave_line()

    def on_response_complete(self) -> None:
        """Stand in line again: a connection that is kept alive waits for its next request."""
        super().on_response_complete()
        if self._asking and not self.transport.is_closing():
            self._stand_in_line()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        self._leave_line()
        super().connection_lost(exc)

    @property
    def _asking(self) -> bool:
        return bool(self.conn.their_state is h11.IDLE)

    @property
    def _address(self) -> str:
        return str(self.client[0]) if self.client else ""

    def _stand_in_line(self) -> None:
        line = self.waiting.setdefault(self._address, {})
        line[self] = None
        if len(line) > self.most_waiting:
            longest = next(iter(line))
            del line[longest]
            longest.transport.close()

    def _leave_line(self) -> None:
        line = self.waiting.get(self._address, {})
        line.pop(self, None)
        if not line:
            self.waiting.pop(self._address, None)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.header_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        if self._asking and not self.transport.is_closing():
            self.transport.close()
