"""The gate: what a request must be before it reaches the protocol, and one log line about each."""

import logging
import math
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.history import wire
from mcp_memory.server.buckets import Buckets

access_log = logging.getLogger("mcp_memory.domain.access")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_PATHS = ("/healthz", "/readyz")
"""What a balancer asks, by whatever name it knows the server; they tell no more than yes or no."""
_ARCHIVE = (wire.HOLDINGS, wire.TRAJECTORIES, wire.FILES, wire.FILE)
KNOWN_PATHS = (*OPEN_PATHS, "/mcp", "/sse", "/messages/", "/view/", *_ARCHIVE)
WELL_KNOWN = "/.well-known/oauth-protected-resource"
MOST_BODIES = 64 * 1024 * 1024
"""Bytes of request bodies held at a time, all callers together."""
STRANGERS_PER_MINUTE = 120
"""Requests a minute without a valid token that one address may make."""
_HOST = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})))(?::\d{1,5})?"
)
_REFUSALS = frozenset({401, 403, 408, 413, 421, 429, 503})


@dataclass(frozen=True, slots=True)
class Names:
    """By what names clients may reach the server, and which web pages may call it."""

    hosts: frozenset[str]
    origins: frozenset[str]


class Doorkeeper:
    """ASGI: refuses other names than the server's own (DNS rebinding), and logs each request.

    A line has method, path, status, time, caller and address: no query, no header, no body.
    """

    def __init__(self, app: ASGIApp, names: Names, draining: anyio.Event) -> None:
        self._app = app
        self._names = names
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 421 (Host) or 403 (Origin)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, answer = time.monotonic(), _Answer(send, closing=self._draining.is_set())
        refusal = self._refusal(scope)
        try:
            await (refusal or self._app)(scope, receive, answer)
            await answer.complete()
        finally:
            spent = (time.monotonic() - started) * 1000
            access_log.info(
                "%s %s %d %.0fms caller=%s from=%s",
                scope["method"] if scope["method"].isalpha() else "?",
                shown_path(scope["path"]),
                answer.status,
                spent,
                caller_of(scope) or "-",
                address_of(scope),
            )

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        named = host_name(hosts[0]) if len(hosts) == 1 else None
        if scope["path"] not in OPEN_PATHS and named not in self._names.hosts:
            return PlainTextResponse("This server is not known by that name.", 421)
        if len(origins) > 1 or (origins and not self._from_here(origins[0])):
            return PlainTextResponse("That page may not call this server.", 403)
        return None

    def _from_here(self, origin: str) -> bool:
        if origin in self._names.origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        here = self._names.hosts & frozenset(LOOPBACK)
        return parts.scheme in {"http", "https"} and host_name(parts.netloc) in here


class _Answer:
    """One answer to one request, complete at its end.

    The SDK's SSE endpoint begins a second answer once its stream is over, and a stream that a stop
    cuts off has no end of its own.
    """

    def __init__(self, send: Send, *, closing: bool) -> None:
        self._send = send
        self._closing = closing
        self._complete = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send a part of it, unless it is one too many."""
        if message["type"] == "http.response.start":
            if self.status:
                await self.complete()
                return
            self.status = message["status"]
            if self._closing or self.status in _REFUSALS:
                # What is left of a body is not waited for; who is told to stop sends callers elsewhere.
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
        elif message["type"] == "http.response.body":
            if self._complete:
                return
            self._complete = not message.get("more_body", False)
        await self._send(message)

    async def complete(self) -> None:
        """End it, where it was begun and not ended."""
        if self.status and not self._complete:
            self._complete = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class BodyLimit:
    """ASGI: reads a request's body whole, within its size, its time and what all may hold.

    A request that has not shown who it is has its body left unread.
    """

    def __init__(self, app: ASGIApp, *, size: int, seconds: float) -> None:
        self._app = app
        self._size = size
        self._seconds = seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 408 (slow), 413 (large) or 503 (too much at a time)."""
        known = caller_of(scope)
        if scope["type"] != "http" or scope["method"] not in {"POST", "PUT", "PATCH"} or not known:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self._size:
            await PlainTextResponse("The request is too large.", 413)(scope, receive, send)
            return
        body = bytearray()
        try:
            refusal = await self._read(receive, body)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            await self._app(scope, _replayed(bytes(body), receive), send)
        except _GoneAwayError:
            return
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray) -> PlainTextResponse | None:
        with anyio.move_on_after(self._seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise _GoneAwayError
                piece = message.get("body", b"")
                if len(body) + len(piece) > self._size:
                    return PlainTextResponse("The request is too large.", 413)
                if self._held + len(piece) > MOST_BODIES:
                    return PlainTextResponse("Busy.", 503, {"retry-after": "1"})
                body.extend(piece)
                self._held += len(piece)
                more = message.get("more_body", False)
            return None
        return PlainTextResponse("The request took too long.", 408)


class _GoneAwayError(Exception):
    """The client closed the connection within its request."""


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class RateLimit:
    """ASGI: so many requests a minute for each caller, fewer for addresses without a valid token."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        per_minute: int,
        buckets: Buckets,
    ) -> None:
        self._app = app
        self._known = per_minute
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 429 with the seconds to wait."""
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            caller = caller_of(scope)
            most = self._known if caller else STRANGERS_PER_MINUTE
            wait = self._buckets.take(caller or address_of(scope), most) if most else 0.0
            if wait:
                refusal = PlainTextResponse(
                    "Too many requests.", 429, {"retry-after": str(math.ceil(wait))}
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def caller_of(scope: Scope) -> str:
    """By what name the authenticated caller is known; empty for nobody."""
    token = getattr(scope.get("user"), "access_token", None)
    return str(token.client_id) if token is not None else ""


def address_of(scope: Scope) -> str:
    """The client's address."""
    client = scope.get("client")
    return str(client[0]) if client else "?"


def shown_path(path: str) -> str:
    """A path fit for a log: one of the server's own, or that it is none."""
    return path if path in KNOWN_PATHS or path == f"{WELL_KNOWN}/mcp" else "(other)"


def host_name(host: str) -> str | None:
    """The name within a Host header, without its port; None where it is not one.

    By RFC 9110 a host and a port, and nothing else: what only begins like a known name is another.
    """
    match = _HOST.fullmatch(host)
    return (match["six"] or match["name"]).casefold() if match else None
