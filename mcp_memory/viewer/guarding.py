"""Guarding: what no page goes without: headers that let no foreign script run, and proof of every form."""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.domain.errors import NotAllowed

_GRAPH_STYLE = "'sha256-pgvDUBa4IjFA2yuSJ2cqcyxmNYJMborsd0ORcRv9vw8='"
"""The one rule that the vendored cytoscape writes into a page, by its digest."""
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_GRAPH_STYLE}; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from anywhere else, and nothing that stands in a page itself, is run or loaded."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
CSRF = "csrf"


class Stranger(Exception):
    """Nobody has come in by this browser: it is shown the door, and nothing else."""


class Guarded:
    """ASGI: sets the headers of every answer, and refuses requests that other sites make."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; one that a browser says comes from elsewhere gets 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                cached = "/static/" in scope["path"]
                headers["cache-control"] = "max-age=3600" if cached else "no-store"
            await send(message)

        site = Headers(scope=scope).get("sec-fetch-site", "none")
        if scope["method"] != "GET" and site not in ("same-origin", "none"):
            await sealed({"type": "http.response.start", "status": 403, "headers": []})
            await sealed({"type": "http.response.body", "body": b"from another site"})
            return
        await self._app(scope, receive, sealed)


async def check_form(request: Request, csrf: str) -> None:
    """That a change was asked for by a form of this page.

    Raises:
        NotAllowed: the form does not carry what its page was given.
    """
    if request.method == "GET":
        return
    given = str((await request.form()).get(CSRF, ""))
    if not hmac.compare_digest(given.encode(), csrf.encode()):
        raise NotAllowed(
            "this form is not of your visit; nothing was changed.",
            next_step="Load its page again, and send it from there.",
        )
