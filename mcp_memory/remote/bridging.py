"""Bridging: a remote bank for hosts that speak only stdio; every message is passed on as it is."""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.server.stdio import stdio_server
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp.types import (
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from mcp_memory.domain.errors import CannotReach
from mcp_memory.remote import reaching
from mcp_memory.remote.reaching import Address

logger = logging.getLogger(__name__)

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
LARGEST_EVENT = 32 * 1024 * 1024
ANSWER_SECONDS = 600.0
GRACE_SECONDS = 10.0
"""How long calls under way may take once the host has closed the input."""
TRIES = 3
PARSE_ERROR, OUT_OF_REACH = -32700, -32001
SESSION = "mcp-session-id"


class Reading(Protocol):
    """Messages that come in."""

    def __aiter__(self) -> AsyncIterator[SessionMessage | Exception]:
        """One after the other, until the other side has closed."""
        ...


class Writing(Protocol):
    """Where messages go."""

    async def send(self, item: SessionMessage, /) -> None:
        """Pass one on."""
        ...


async def bridge(address: Address, token: str) -> None:
    """Serve a remote bank over this process's stdin and stdout until the host closes the input.

    A bank that is out of reach is an error of each call; the next call tries again.
    """
    async with (
        stdio_server() as (inward, outward),
        inward,
        outward,
        open_wire(address, token) as (answers, questions),
    ):
        await Bridge(outward, questions).run(inward, answers)


@asynccontextmanager
async def open_wire(address: Address, token: str) -> AsyncIterator[tuple[Reading, Writing]]:
    """The remote bank's end of the bridge."""
    transport = Reconnecting(httpx2.AsyncHTTPTransport(trust_env=not address.loopback))
    client = reaching.client_of(address, token, answer_seconds=ANSWER_SECONDS, transport=transport)
    async with (
        client,
        streamable_http_client(
            address.mcp, http_client=client, max_sse_event_size=LARGEST_EVENT
        ) as (answers, questions),
    ):
        yield answers, questions


class Bridge:
    """Passes messages between a host and a bank, and knows what the host still waits for."""

    def __init__(self, host: Writing, bank: Writing) -> None:
        self._host = host
        self._bank = bank
        self._version: str | None = None
        self._waiting: dict[RequestId, str] = {}
        self._settled = anyio.Event()

    async def run(self, from_host: Reading, from_bank: Reading) -> None:
        """Pass messages on until the host has closed its end and its calls are answered.

        Raises:
            CannotReach: the bank's end broke.
        """
        over = False
        async with anyio.create_task_group() as tasks:

            async def inward() -> None:
                nonlocal over
                await self._inward(from_bank)
                over = True
                tasks.cancel_scope.cancel()

            tasks.start_soon(inward)
            await self._outward(from_host)
            with anyio.move_on_after(GRACE_SECONDS):
                await self._answered(*set(self._waiting.values()))
            tasks.cancel_scope.cancel()
        if over:
            raise CannotReach("the connection broke.", next_step="Start the bridge again.")

    async def _outward(self, messages: Reading) -> None:
        async for each in messages:
            if isinstance(each, Exception):
                await self._host.send(_error(None, PARSE_ERROR, "That line is no JSON-RPC."))
                continue
            message = each.message
            if isinstance(message, JSONRPCRequest):
                self._waiting[message.id] = message.method
            told = ClientMessageMetadata(headers=self._headers(message))
            await self._bank.send(SessionMessage(message, told))
            # What follows a handshake needs what it agreed on.
            await self._answered("initialize")

    async def _answered(self, *methods: str) -> None:
        """Wait until no call of these methods is under way."""
        while any(method in methods for method in self._waiting.values()):
            self._settled = anyio.Event()
            await self._settled.wait()

    async def _inward(self, messages: Reading) -> None:
        async for each in messages:
            if isinstance(each, Exception):
                logger.warning("an answer could not be read: %s", type(each).__name__)
                continue
            message = each.message
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                method = self._waiting.pop(message.id, "") if message.id is not None else ""
                if method == "initialize" and isinstance(message, JSONRPCResponse):
                    self._version = str(message.result.get("protocolVersion") or "") or None
            await self._host.send(SessionMessage(message))
            self._settled.set()

    def _headers(self, message: JSONRPCMessage) -> dict[str, str]:
        """What HTTP wants said outside the message, which over stdio stands in it alone."""
        if not isinstance(message, JSONRPCRequest | JSONRPCNotification):
            return self._agreed()
        params: Mapping[str, Any] = message.params or {}
        meta = params.get("_meta")
        version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        if not isinstance(version, str):
            return {} if message.method == "initialize" else self._agreed()
        headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: message.method}
        name = params.get(NAME_BEARING_METHODS.get(message.method, ""))
        if isinstance(name, str):
            headers[MCP_NAME_HEADER] = encode_header_value(name)
        return headers

    def _agreed(self) -> dict[str, str]:
        return {MCP_PROTOCOL_VERSION_HEADER: self._version} if self._version else {}


class Reconnecting(httpx2.AsyncBaseTransport):
    """HTTP that answers in the protocol's words when the bank cannot, and renews a lost session.

    A server that was started again knows no session: its host's own handshake is made once more.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self._handshake: httpx2.Request | None = None
        self._renewed: dict[str, str] = {}
        self._lock = anyio.Lock()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, or one that says why there is none."""
        try:
            if _method(request) == "initialize":
                self._handshake = request
            answer = await self._sent(request)
            if answer.status_code == httpx2.codes.NOT_FOUND and SESSION in request.headers:
                answer = await self._again(request, answer)
            return await _readable(request, answer)
        except httpx2.TransportError as error:
            logger.warning("the remote bank is out of reach: %s", type(error).__name__)
            reason = f"The remote bank is out of reach ({type(error).__name__})."
            return _refusal(request, 502, f"{reason} Nothing was lost; call again in a while.")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        session = request.headers.get(SESSION, "")
        if session in self._renewed:
            request.headers[SESSION] = self._renewed[session]
        for number in range(1, TRIES + 1):
            try:
                return await self._inner.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if number == TRIES:  # nothing was sent: trying again is safe
                    raise
                await anyio.sleep(number / 4)
        raise AssertionError

    async def _again(self, request: httpx2.Request, lost: httpx2.Response) -> httpx2.Response:
        """The request once more, in a session that takes the lost one's place."""
        old = request.headers[SESSION]
        async with self._lock:
            if self._renewed.get(old, old) == old and not await self._renew(old):
                return lost
        await lost.aclose()
        request.headers[SESSION] = self._renewed[old]
        return await self._inner.handle_async_request(request)

    async def _renew(self, old: str) -> bool:
        if self._handshake is None:
            return False
        headers = {k: v for k, v in self._handshake.headers.items() if k != SESSION}
        begun = await self._inner.handle_async_request(
            httpx2.Request(
                "POST", self._handshake.url, headers=headers, content=self._handshake.content
            )
        )
        await begun.aread()
        await begun.aclose()
        fresh = begun.headers.get(SESSION)
        if begun.status_code != httpx2.codes.OK or not fresh:
            return False
        logger.warning("the remote bank was started again; its session is renewed")
        said = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        headers = {**headers, SESSION: fresh, "content-length": str(len(said))}
        done = await self._inner.handle_async_request(
            httpx2.Request("POST", self._handshake.url, headers=headers, content=said)
        )
        await done.aclose()
        for session, now in list(self._renewed.items()):
            if now == old:
                self._renewed[session] = fresh
        self._renewed[old] = fresh
        return True


async def _readable(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
    """The answer; one that is not in the protocol's words is put into them."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream" or answer.status_code == httpx2.codes.ACCEPTED:
        return answer
    await answer.aread()  # a connection that breaks in the middle breaks here
    if answer.status_code < 400 or _is_error(answer):  # noqa: PLR2004 where HTTP's errors begin
        return answer
    reasons = {
        401: "the token is missing, wrong, expired or revoked. Give the bridge a live one.",
        403: "the token does not reach so far. Ask the bank's owner for another one.",
        404: "there is none at this address. Check the bridge's URL.",
        413: "the request is too large. Send less at a time.",
        429: "too many requests. Wait a minute.",
    }
    why = reasons.get(answer.status_code, f"it answered {answer.status_code}. Call again later.")
    return _refusal(request, answer.status_code, f"The remote bank: {why} Nothing was changed.")


def _is_error(answer: httpx2.Response) -> bool:
    try:
        told = json.loads(answer.content)
    except ValueError:
        return False
    return isinstance(told, dict) and isinstance(told.get("error"), dict)


def _refusal(request: httpx2.Request, status: int, text: str) -> httpx2.Response:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": OUT_OF_REACH, "message": text}}
    return httpx2.Response(status, json=error, request=request)


def _method(request: httpx2.Request) -> str:
    """The method of the call that a request carries; empty for none."""
    if request.method != "POST":
        return ""
    try:
        told = json.loads(request.content)
    except ValueError:
        return ""
    return str(told.get("method", "")) if isinstance(told, dict) else ""


def _error(id_: RequestId | None, code: int, text: str) -> SessionMessage:
    return SessionMessage(
        JSONRPCError(jsonrpc="2.0", id=id_, error=ErrorData(code=code, message=text))
    )
