"""Authentication: who a bearer token stands for, by the server's own tokens or an issuer's."""

import hmac
import secrets
from datetime import UTC, datetime

import anyio
import anyio.to_thread
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.domain.access import OWNER, PREFIX, SCOPES, Access, AccessTokens
from mcp_memory.server.app import Guard, Verifying
from mcp_memory.server.callers import Verified
from mcp_memory.server.issuer import Issuer, build_issuer
from mcp_memory.server.progress import beside
from mcp_memory.server.replicas import Replicas
from mcp_memory.settings import Settings

AGAIN_SECONDS = 30.0
"""How soon a stream ends after its token was revoked or has expired."""
LEAST = "memory:read"
"""What a token must at least allow; with less it is answered 403, not 401."""
LOCAL = Access(caller=OWNER.id, name=OWNER.name, scope="admin")
"""What anybody may do while no token was ever made: whoever reaches loopback is this machine's user."""


class Verifier:
    """The SDK's token verifier: access tokens of this server, and signed tokens of its issuer."""

    def __init__(
        self,
        tokens: AccessTokens,
        issuer: Issuer | None,
        *,
        resource: str,
        replicas: Replicas | None = None,
    ) -> None:
        self._tokens = tokens
        self._replicas = replicas
        self._issuer = issuer
        self._resource = resource
        self.local = secrets.token_urlsafe(32)
        """Shown in place of a token while the door is open; it never leaves this process."""

    @property
    def open(self) -> bool:
        """Whether nobody has to show anything: asked anew for each request, a token may come."""
        return self._issuer is None and not self._tokens.any

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the token allows; None, and no reason, for one that opens nothing."""
        if hmac.compare_digest(token.encode(), self.local.encode()):
            return self._verified(LOCAL, expires_at=None) if self.open else None
        if token.startswith(PREFIX):
            return await self._own(token)
        return await self._issued(token) if self._issuer else None

    async def _own(self, token: str) -> AccessToken | None:
        now = datetime.now(UTC)
        record = await anyio.to_thread.run_sync(lambda: self._tokens.verify(token, now=now))
        if record is None and self._replicas is not None:
            await self._replicas.look()
            record = await anyio.to_thread.run_sync(lambda: self._tokens.verify(token, now=now))
        if record is None:
            return None
        end = int(record.expires_at.timestamp()) if record.expires_at else None
        return self._verified(record.access, expires_at=end)

    async def _issued(self, token: str) -> AccessToken | None:
        vouched = await self._issuer.vouched(token) if self._issuer else None
        if vouched is None:
            return None
        if vouched.access is None:
            return AccessToken(token="", client_id="oauth", scopes=[], resource=self._resource)
        return self._verified(vouched.access, expires_at=vouched.expires_at)

    def _verified(self, access: Access, *, expires_at: int | None) -> Verified:
        # The token itself is not handed on: nothing behind the gate has a use for it.
        return Verified(
            token="",
            client_id=access.caller,
            scopes=[f"memory:{scope}" for scope in SCOPES if access.holds(scope)],
            expires_at=expires_at,
            resource=self._resource,
            subject=access.caller,
            access=access,
        )


class OpenDoor:
    """ASGI: while no token was ever made, every request is the local user's; from then on, none is."""

    def __init__(self, app: ASGIApp, verifier: Verifying) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show this process's own credential, in place of whatever an unguarded server is shown."""
        if scope["type"] == "http" and self._verifier.open:
            rest = [(k, v) for k, v in scope["headers"] if k.lower() != b"authorization"]
            own = (b"authorization", f"Bearer {self._verifier.local}".encode())
            scope = {**scope, "headers": [*rest, own]}
        await self._app(scope, receive, send)


class StillAllowed:
    """ASGI: ends a request that outlives its token, such as a stream whose token is revoked."""

    def __init__(self, app: ASGIApp, verifier: TokenVerifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request go on for as long as its token is good."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        gone = anyio.Event()

        async def look_again(_: anyio.CancelScope) -> None:
            known = True
            while known:
                await anyio.sleep(AGAIN_SECONDS)
                known = await self._verifier.verify_token(token) is not None
            gone.set()

        async with beside(look_again):
            await self._app(scope, _until(gone, receive), send)


def _until(gone: anyio.Event, receive: Receive) -> Receive:
    """What the client sends, until it is taken for gone: the SDK ends its streams in good order."""

    async def received() -> Message:
        async def hang_up(scope: anyio.CancelScope) -> None:
            await gone.wait()
            scope.cancel()

        async with beside(hang_up):
            return await receive()
        return {"type": "http.disconnect"}

    return received


def is_guarded(settings: Settings) -> bool:
    """Whether callers must show who they are: a token was made once, or an issuer is set."""
    return bool(settings.oauth_issuer) or AccessTokens(settings.access_dir).any


def build_guard(settings: Settings, *, resource: str, replicas: Replicas | None = None) -> Guard:
    """The check of who calls: the local user while no token was ever made, then tokens only.

    Raises:
        CannotListen: the issuer's address is not a secure one.
    """
    tokens = AccessTokens(settings.access_dir)
    issuer = build_issuer(settings, audience=resource)
    told = {
        # The SDK wants an issuer; without a resource URL it never tells it to anybody.
        "issuer_url": settings.oauth_issuer or "https://issuer.invalid",
        "resource_server_url": resource if issuer else None,
        "validate_token_resource": issuer is not None,
        "required_scopes": [LEAST],
    }
    return Guard(
        settings=AuthSettings.model_validate(told),
        verifier=Verifier(tokens, issuer, resource=resource, replicas=replicas),
    )
