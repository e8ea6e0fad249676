"""Sharing: the routes beside the protocol by which sessions are pushed in and archives pulled out."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import anyio
import orjson
from mcp.server.auth.middleware.bearer_auth import RequireAuthMiddleware
from mcp.server.auth.routes import build_resource_metadata_url
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, request_response
from starlette.types import ASGIApp

from mcp_memory.domain import projects
from mcp_memory.domain.contract import Bank
from mcp_memory.domain.errors import (
    AdmissionRefused,
    Busy,
    GateRefused,
    InvalidInput,
    MemoryBankError,
    NotAllowed,
    OutsideRoot,
    StoreFull,
    UnknownRef,
    only,
)
from mcp_memory.history import wire
from mcp_memory.history.wire import Asked, Holding, Holdings, Listing, Part, Receipt, Refused
from mcp_memory.server.app import Guard
from mcp_memory.server.authentication import LOCAL
from mcp_memory.server.callers import EVERYTHING, Caller, shown_access
from mcp_memory.server.held import Banks

logger = logging.getLogger(__name__)

PIECE = 256 * 1024
"""Bytes of a file that are read at a time."""
AGAIN_SECONDS = 2
_STATUSES: tuple[tuple[type[MemoryBankError], int], ...] = (
    (NotAllowed, 403),
    (UnknownRef, 404),
    (OutsideRoot, 404),
    (InvalidInput, 400),
    (GateRefused, 400),
    (AdmissionRefused, 400),
    (Busy, 503),
    (StoreFull, 507),
    (MemoryBankError, 500),
)

Answer = Callable[[Request], Awaitable[Response]]


class Shared(Bank, Protocol):
    """A bank that sessions are brought to, and whose files are taken from."""

    async def holdings(
        self, ids: Sequence[str], *, within: Sequence[str] | None = None
    ) -> Mapping[str, Holding]:
        """How far sessions are held; those of projects that are not `within` are not told of."""
        ...

    async def receive(self, parts: Sequence[Part], *, sender: str) -> Receipt:
        """Take in pieces of sessions that somebody brings; each is taken or refused for itself.

        Raises:
            Busy: something else brings sessions into this bank.
        """
        ...

    async def files(self, project: str) -> Listing:
        """The files of a project's archive, with their digests.

        Raises:
            InvalidInput: the bank has no such project.
        """
        ...

    async def file(self, project: str, path: str) -> Path:
        """Where a file of a project's archive lies.

        Raises:
            InvalidInput: the bank has no such project.
            UnknownRef: no such file is among the project's.
        """
        ...


class Sharer(Caller):
    """A bank's sessions and files as one caller may bring and take them."""

    async def holdings(self, ids: Sequence[str]) -> Mapping[str, Holding]:
        """Needs `write`: only who may bring sessions is told how far they are held."""
        async with self._entered("write") as lent:
            bank = cast("Shared", lent)
            return await bank.holdings(ids, within=await self._bounds(bank))

    async def receive(self, parts: Sequence[Part]) -> Receipt:
        """Needs `write`; a session of a project out of reach is refused, the others are taken."""
        async with self._entered("write") as lent:
            bank = cast("Shared", lent)
            known = [each.ref for each in await bank.listing("projects")]
            bounds = await self._bounds(bank)
            within: list[Part] = []
            refused: list[Refused] = []
            for part in parts:
                try:
                    project = self._destination(part.project, known, bounds)
                    within.append(part.model_copy(update={"project": project}))
                except NotAllowed as error:
                    refused.append(Refused(id=str(part.head.get("id"))[:80], reason=str(error)))
            sender = (self._access or LOCAL).caller
            receipt = await bank.receive(within, sender=sender)
            return receipt.model_copy(update={"refused": (*refused, *receipt.refused)})

    async def files(self, project: str | None) -> Listing:
        """Needs `read`, and one project."""
        async with self._entered("read") as lent:
            bank = cast("Shared", lent)
            return await bank.files(await self._one(bank, project))

    async def file(self, project: str | None, path: str) -> Path:
        """Needs `read`, and one project."""
        async with self._entered("read") as lent:
            bank = cast("Shared", lent)
            return await bank.file(await self._one(bank, project), path)

    async def _one(self, bank: Bank, asked: str | None) -> str:
        one = await self._readable(bank, asked)
        if not one or one == EVERYTHING:
            raise InvalidInput("No project is named.", next_step="Name one with `project`.")
        return one

    def _destination(self, asked: str, known: Sequence[str], bounds: tuple[str, ...] | None) -> str:
        """The project that sessions go to: as the bank spells it, where it knows it."""
        if bounds is not None:
            return self._within(bounds, asked)
        return projects.resolve(asked, known) or asked


class Sharing:
    """Answers pushes and pulls of a server's banks, each as its caller may."""

    def __init__(self, banks: Banks, *, request_bytes: int) -> None:
        self._banks = banks
        self._request_bytes = request_bytes

    def _caller(self) -> Sharer:
        return Sharer(self._banks, shown_access(self._banks))

    async def holdings(self, request: Request) -> Response:
        """How far the sessions are held that somebody is about to push."""
        asked = Asked.model_validate(body_of(await request.body()))
        held = await self._caller().holdings(asked.ids)
        return told_as_json(Holdings(held=held, request_bytes=self._request_bytes))

    async def trajectories(self, request: Request) -> Response:
        """Take pieces of sessions in; one that is none is refused, and the others are taken."""
        told = body_of(await request.body())
        listed = told.get("parts") if isinstance(told, dict) else None
        if not isinstance(listed, list) or len(listed) > wire.MOST_PARTS:
            raise InvalidInput(
                f"A delivery is a list `parts` of at most {wire.MOST_PARTS}.",
                next_step="Send less at a time.",
            )
        parts: list[Part] = []
        refused: list[Refused] = []
        for number, each in enumerate(listed, 1):
            try:
                parts.append(Part.model_validate(each))
            except (ValidationError, RecursionError):
                id_ = _id_of(each) or f"number {number}"
                refused.append(Refused(id=id_, reason="not the shape of a part"))
        receipt = await self._caller().receive(parts)
        return told_as_json(Receipt(taken=receipt.taken, refused=(*refused, *receipt.refused)))

    async def files(self, request: Request) -> Response:
        """The files of a project's archive with their digests."""
        return told_as_json(await self._caller().files(request.query_params.get("project")))

    async def file(self, request: Request) -> Response:
        """One of these files."""
        asked = request.query_params
        place = await self._caller().file(asked.get("project"), asked.get("path", ""))
        stream = _read(place)
        try:
            first = await anext(stream, b"")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return JSONResponse({"error": "There is no such file."}, 404)
        return StreamingResponse(_after(first, stream), media_type="application/octet-stream")


def sharing_routes(banks: Banks, guard: Guard, *, request_bytes: int) -> list[Route]:
    """The routes, each behind the same token check as the protocol's own."""
    sharing = Sharing(banks, request_bytes=request_bytes)
    return [
        Route(path, guarded(answer, guard), methods=[method])
        for path, method, answer in (
            (wire.HOLDINGS, "POST", sharing.holdings),
            (wire.TRAJECTORIES, "POST", sharing.trajectories),
            (wire.FILES, "GET", sharing.files),
            (wire.FILE, "GET", sharing.file),
        )
    ]


def guarded(answer: Answer, guard: Guard) -> ASGIApp:
    """A route behind the protocol's own token check, its errors said as JSON."""
    url = guard.settings.resource_server_url
    return RequireAuthMiddleware(
        request_response(_speaking(answer)),
        guard.settings.required_scopes or [],
        build_resource_metadata_url(url) if url else None,
    )


def _speaking(answer: Answer) -> Answer:
    """Errors as an answer that says what to do next, and nothing of what was sent."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except ValidationError:
            return JSONResponse({"error": "That is not the shape of such a request."}, 400)
        except (MemoryBankError, ExceptionGroup) as raised:
            error = only(raised) if isinstance(raised, ExceptionGroup) else raised
            status = next(code for kind, code in _STATUSES if isinstance(error, kind))
            again = {"retry-after": str(AGAIN_SECONDS)} if isinstance(error, Busy) else None
            return JSONResponse({"error": str(error)}, status, again)

    return answered


def told_as_json(model: BaseModel) -> Response:
    """A model as the answer of a route."""
    return Response(model.model_dump_json(), media_type="application/json")


def body_of(body: bytes) -> object:
    """What a request brought.

    Raises:
        InvalidInput: it is not JSON.
    """
    try:
        told: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("The body is not JSON.", next_step="Send JSON.") from error
    return told


def _id_of(part: object) -> str:
    head = part.get("head") if isinstance(part, dict) else None
    told = head.get("id") if isinstance(head, dict) else None
    return told[:80] if isinstance(told, str) else ""


async def _read(place: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(place, "rb") as stream:
        while piece := await stream.read(PIECE):
            yield piece


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
