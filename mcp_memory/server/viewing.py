"""Viewing: how a browser comes in, and what each of its requests may see; the pages are in viewer/."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.access import Access, acting
from mcp_memory.server import gate
from mcp_memory.server.app import Verifying
from mcp_memory.server.authentication import LOCAL
from mcp_memory.server.callers import Verified
from mcp_memory.server.held import Banks
from mcp_memory.viewer.entering import Entrance
from mcp_memory.viewer.guarding import Stranger, check_form
from mcp_memory.viewer.metrics import Metrics
from mcp_memory.viewer.pages import build_pages
from mcp_memory.viewer.rendering import bare
from mcp_memory.viewer.visiting import PREFIX, Visit

LONGEST_FORM = 20_000
"""Bytes of a form that is read before anybody is known."""


class Viewing:
    """The page of one process: who comes in, and as whom they look.

    Without a `verifier` it is this machine's user's own page, entered by one-time links only.
    """

    def __init__(
        self,
        banks: Banks,
        entrance: Entrance,
        verifier: Verifying | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self.entrance = entrance
        self.metrics = Metrics()
        self.banks = banks
        self._verifier = verifier
        self._read_only = read_only

    def pages(self) -> Mount:
        """All pages, below one address."""
        doors: Mapping[str, Callable[[Request], Awaitable[Response]]] = {
            "/enter": self._enter,
            "/leave": self._leave,
        }
        return build_pages(self._visit, doors, self.metrics)

    def alone(self, names: gate.Names) -> Starlette:
        """The pages as an application of their own, for a browser on this machine."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with self.banks.open():
                self.banks.warm()
                yield

        return Starlette(
            routes=[self.pages(), Route("/", _to_the_page)],
            middleware=[Middleware(gate.Doorkeeper, names=names, draining=self.banks.draining)],
            lifespan=lifespan,
        )

    @asynccontextmanager
    async def _visit(self, request: Request) -> AsyncIterator[Visit]:
        visitor = self.entrance.visitor(request.headers.get("cookie", ""))
        access = await self._access(visitor.credential) if visitor else None
        if visitor is None or access is None:
            raise Stranger
        await check_form(request, visitor.csrf)
        async with self.banks.lent(access.tenant, writes=request.method != "GET") as bank:
            marked = acting.set("" if self._verifier is None else access.caller)
            try:
                yield Visit(
                    cast("MemoryBank", bank),
                    access,
                    visitor.csrf,
                    own=self._verifier is None,
                    read_only=self._read_only,
                )
            finally:
                acting.reset(marked)

    async def _access(self, credential: str) -> Access | None:
        """What a visitor may do now; None once its token has ended."""
        if self._verifier is None:
            return LOCAL
        if not credential:
            return LOCAL if self._verifier.open else None
        verified = await self._verifier.verify_token(credential)
        return verified.access if isinstance(verified, Verified) else None

    async def _enter(self, request: Request) -> Response:
        """The door: a one-time link, or an access token where the server asks for one."""
        if (once := request.query_params.get("once")) and self.entrance.opens(once):
            return self._admitted("")
        told = ""
        if request.method == "POST" and self._verifier is not None and _is_short(request):
            token = str((await request.form()).get("token", "")).strip()
            if token and await self._access(token) is not None:
                return self._admitted(token)
            told = "This token opens nothing here."
        elif once:
            told = "This link was used, or is too old."
        asks = self._verifier is not None and not self._verifier.open
        return bare("enter", status=403 if told else 200, asks=asks, told=told)

    def _admitted(self, credential: str) -> Response:
        answer = RedirectResponse(f"{PREFIX}/", 303)
        self.entrance.admit(credential, answer)
        return answer

    async def _leave(self, request: Request) -> Response:
        answer = RedirectResponse(f"{PREFIX}/enter", 303)
        if request.method == "POST":
            self.entrance.leave(request.headers.get("cookie", ""), answer)
        return answer


def _is_short(request: Request) -> bool:
    """Whether a stranger's form says that it is short: no more of it is read."""
    length = request.headers.get("content-length", "")
    return length.isdigit() and int(length) <= LONGEST_FORM


async def _to_the_page(_: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", 303)


class CookieDoor:
    """ASGI: a known browser shows its token by its cookie, so that it is counted as its caller."""

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put a visitor's own credential in place of whatever a request for the page brings."""
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            rest = [(k, v) for k, v in scope["headers"] if k.lower() != b"authorization"]
            visitor = self._entrance.visitor(Headers(scope=scope).get("cookie", ""))
            if visitor and visitor.credential:
                rest.append((b"authorization", f"Bearer {visitor.credential}".encode()))
            scope = {**scope, "headers": rest}
        await self._app(scope, receive, send)
