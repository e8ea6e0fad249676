"""Reaching: a remote bank's address, the token that opens it, and requests that come through or say why."""

import logging
import os
import re
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx2
import orjson
from pydantic import BaseModel, ValidationError

from mcp_memory.domain import teams
from mcp_memory.domain.errors import CannotReach, InvalidInput, NotAllowed, UnknownRef
from mcp_memory.domain.models import Draft, Retained
from mcp_memory.history import wire
from mcp_memory.settings import TOKEN_VARIABLE

logger = logging.getLogger(__name__)


LONGEST_TOKEN = 16_384
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRIES = 6
LONGEST_PAUSE = 60.0
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 180.0
"""A server may wait for its indexer before it answers."""
LONGEST_REASON = 400
_ENDINGS = ("/mcp", "/sse")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u024f]+")
_BUSY = frozenset({429, 502, 503, 504})

Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a remote bank is."""

    base: str
    """Scheme, host, port and what a proxy puts before the server's paths; no slash at its end."""
    loopback: bool

    @property
    def mcp(self) -> str:
        """Its endpoint of the protocol."""
        return f"{self.base}/mcp"


def address_of(url: str, *, insecure: bool = False) -> Address:
    """The address that a URL names, with or without `/mcp` at its end.

    Raises:
        InvalidInput: it is none, or secrets and history would cross the network unencrypted.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not host or not plain:
        raise InvalidInput(
            "That is not the address of a remote bank.",
            next_step="Write it as https://memory.example.org, the token apart from it.",
        )
    loopback = host in LOOPBACK
    if parts.scheme == "http" and not (loopback or insecure):
        raise InvalidInput(
            f"{host} would be reached unencrypted: token and history could be read on the way.",
            next_step="Use https, or allow it with --insecure (MCP_MEMORY_REMOTE_INSECURE).",
        )
    path = parts.path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return Address(f"{parts.scheme}://{parts.netloc}{path}", loopback)


def token_of(file: Path | None) -> str:
    """The token from a file, else from `MCP_MEMORY_REMOTE_TOKEN`; empty where there is none.

    Raises:
        InvalidInput: the file cannot be read, or holds no token.
    """
    if file is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        return _checked(token, TOKEN_VARIABLE) if token else ""
    try:
        with file.expanduser().open("rb") as stream:
            token = stream.read(LONGEST_TOKEN + 1).decode("ascii", "replace").strip()
            mode = os.fstat(stream.fileno()).st_mode
    except OSError as error:
        raise InvalidInput(
            f"The token file {file} cannot be read ({error.strerror}).",
            next_step="Put the token alone into it, readable by you only.",
        ) from error
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        logger.warning("others on this machine can read %s; `chmod 600` it", file)
    return _checked(token, str(file))


def _checked(token: str, where: str) -> str:
    if not _TOKEN.fullmatch(token) or len(token) > LONGEST_TOKEN:
        raise InvalidInput(
            f"What stands in {where} is not a token.",
            next_step="`mcp-memory token make NAME` on the server prints one.",
        )
    return token


@asynccontextmanager
async def open_remote(address: Address, token: str) -> AsyncIterator["Remote"]:
    """The remote bank at an address; nothing is sent before it is asked something."""
    async with client_of(address, token, answer_seconds=ANSWER_SECONDS) as client:
        yield Remote(client)


def client_of(
    address: Address,
    token: str,
    *,
    answer_seconds: float,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """A client that shows the token to this address only: it follows no redirect."""
    return httpx2.AsyncClient(
        base_url=address.base,
        headers={"authorization": f"Bearer {token}"} if token else {},
        timeout=httpx2.Timeout(answer_seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        transport=transport,
        # A proxy in the environment is for the network: it would see what stays on this machine.
        trust_env=not address.loopback,
    )


class Remote:
    """A bank elsewhere; every request may be made again, so what is cut off is tried again.

    Every method may raise `CannotReach` and `NotAllowed` (the token does not reach so far).
    """

    def __init__(self, client: httpx2.AsyncClient, *, tries: int = 0) -> None:
        self._client = client
        self._tries = tries

    async def holdings(self, ids: tuple[str, ...]) -> wire.Holdings:
        """How far these sessions are held, and how large a request may be."""
        body = wire.Asked(ids=ids).model_dump_json().encode()
        return await self._asked(wire.Holdings, "POST", wire.HOLDINGS, content=body)

    async def deliver(self, parts: list[wire.Part]) -> wire.Receipt:
        """Send pieces of sessions."""
        body = orjson.dumps({"parts": [part.model_dump(mode="json") for part in parts]})
        return await self._asked(wire.Receipt, "POST", wire.TRAJECTORIES, content=body)

    async def listing(self, project: str | None) -> wire.Listing:
        """The files of a project's archive.

        Raises:
            InvalidInput: it has no such project.
        """
        params = {"project": project} if project else {}
        return await self._asked(wire.Listing, "GET", wire.FILES, params=params)

    async def file(self, project: str, listed: wire.ListedFile) -> bytes | None:
        """The bytes of a file; None where it is there no more."""
        try:
            return await self._answered(
                "GET",
                wire.FILE,
                most=listed.size,
                params={"project": project, "path": listed.path},
            )
        except UnknownRef:
            return None

    async def answer(self, question: teams.Question, kind: type[Told]) -> Told:
        """What it answers to a reading question."""
        body = question.model_dump_json(exclude_defaults=True).encode()
        return await self._asked(kind, "POST", teams.QUESTIONS, content=body)

    async def propose(self, draft: Draft) -> Retained:
        """Send a memory as a proposal."""
        body = teams.Proposed(draft=draft).model_dump_json(exclude_defaults=True).encode()
        return await self._asked(Retained, "POST", teams.PROPOSE, content=body)

    async def proposals(self, project: str | None) -> teams.Proposals:
        """What waits there for a decision."""
        params = {"project": project} if project else {}
        return await self._asked(teams.Proposals, "GET", teams.PROPOSALS, params=params)

    async def audit(self, since: datetime | None) -> list[teams.Entry]:
        """Who did what when to which refs there, oldest first; for an administrator."""
        every: list[teams.Entry] = []
        params = {"since": since.isoformat()} if since else {}
        while True:
            asked = {**params, "start": str(len(every))}
            told = await self._asked(teams.Audited, "GET", teams.AUDIT, params=asked)
            every += told.entries
            if not (told.more and told.entries):
                return every

    async def decide(self, decision: teams.Decision) -> Retained:
        """Approve or decline a proposal.

        Raises:
            UnknownRef: it has no such memory within the token's reach.
            InvalidInput: it is no proposal that waits.
        """
        body = decision.model_dump_json().encode()
        try:
            return await self._asked(Retained, "POST", teams.DECISIONS, content=body)
        except UnknownRef as error:
            raise UnknownRef(decision.ref) from error

    async def _asked(self, kind: type[Told], method: str, path: str, **sent: Any) -> Told:
        answer = await self._answered(method, path, most=wire.LARGEST_ANSWER, **sent)
        try:
            return kind.model_validate_json(answer)
        except ValidationError as error:
            raise CannotReach(
                "what answers is no bank that this version understands.",
                next_step="Check the address, and that both sides run the same version.",
            ) from error

    async def _answered(self, method: str, path: str, *, most: int, **sent: Any) -> bytes:
        """The body of a good answer; busy and broken ones are tried again for a while."""
        reason = ""
        headers = {"accept-encoding": "identity"}
        if "content" in sent:
            headers["content-type"] = "application/json"
        tries = self._tries or TRIES
        for number in range(tries):
            pause = min(2.0**number / 2, LONGEST_PAUSE)
            try:
                async with self._client.stream(method, path, headers=headers, **sent) as answer:
                    body = await _body(answer, most)
                    if answer.status_code not in _BUSY:
                        return _judged(answer.status_code, body)
                    reason = f"it is busy ({answer.status_code})."
                    pause = _told_pause(answer.headers, pause)
            except httpx2.TransportError as error:
                reason = f"the connection failed ({type(error).__name__})."
            if number + 1 < tries:
                await anyio.sleep(pause)
        raise CannotReach(reason, next_step="Run the same command again: it goes on from there.")


async def _body(answer: httpx2.Response, most: int) -> bytes:
    """The body, as long as it is no longer than was to be expected."""
    room = max(most, wire.LARGEST_ANSWER >> 6) if answer.status_code != httpx2.codes.OK else most
    body = bytearray()
    async for piece in answer.aiter_raw():  # as it came: what unpacks itself has no bounds
        body.extend(piece)
        if len(body) > room:
            raise CannotReach(
                "it sent more than it had said.", next_step="Nothing of it was written; try again."
            )
    return bytes(body)


def _judged(status: int, body: bytes) -> bytes:
    if status == httpx2.codes.OK:
        return body
    reason = _reason(body)
    match status:
        case 401:
            raise NotAllowed(
                "the remote bank does not know the token.",
                next_step="Give a live one with --token-file or MCP_MEMORY_REMOTE_TOKEN.",
            )
        case 403:
            what, step = _said(reason.removeprefix("Not allowed: "))
            raise NotAllowed(
                f"the remote bank said: {what}",
                next_step=step or "Ask its owner for another token.",
            )
        case 400:
            what, step = _said(reason)
            raise InvalidInput(
                f"The remote bank said: {what}", next_step=step or "Name something else."
            )
        case 404 if reason:
            raise UnknownRef("that file")
    raise CannotReach(
        f"it answered {status}{f': {reason}' if reason else '.'}",
        next_step="Check that the address is that of `mcp-memory serve`, of this version or later.",
    )


def _said(reason: str) -> tuple[str, str]:
    """What went wrong there, and the next step that its message ends with."""
    what, _, step = reason.partition(" Nothing was changed. ")
    return what, step


def _reason(body: bytes) -> str:
    """What the server says went wrong, as one printable line; empty where it says nothing."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    text = told.get("error") if isinstance(told, dict) else None
    return _UNPRINTABLE.sub(" ", text)[:LONGEST_REASON] if isinstance(text, str) else ""


def _told_pause(headers: Mapping[str, str], otherwise: float) -> float:
    told = headers.get("retry-after", "")
    return min(float(told), LONGEST_PAUSE) if told.isdigit() else otherwise
