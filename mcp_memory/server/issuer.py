"""The issuer: its signed tokens (JWT) verified against its keys, which are fetched when needed."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import jwt
from pydantic import TypeAdapter, ValidationError

from mcp_memory.domain.access import Access, Scope, scope_of
from mcp_memory.domain.errors import CannotListen
from mcp_memory.domain.models import Frozen
from mcp_memory.server.gate import LOOPBACK
from mcp_memory.settings import Settings

logger = logging.getLogger(__name__)

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures only: `none` signs nothing, and a shared secret would let every verifier sign."""
LEEWAY_SECONDS = 30
KEYS_SECONDS = 3_600.0
PAUSE_SECONDS = 30.0
"""Between two fetches: unknown key names must not make the server hammer its issuer."""
LONGEST_TOKEN = 16_384
LARGEST_ANSWER = 1 << 20
SHARED = "-"
"""As the tenant claim: all callers share the server's own bank."""
_PROJECTS = TypeAdapter(tuple[str, ...])


class Vouched(Frozen):
    """What a verified token says of its bearer."""

    subject: str
    expires_at: int
    access: Access | None
    """None where no scope of this server is among the token's."""


class Keys:
    """An issuer's public keys, from a file, a URL, or where its metadata says."""

    def __init__(
        self, issuer: str, source: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._source = source
        self._clock = clock
        self._lock = anyio.Lock()
        self._known: dict[str, jwt.PyJWK] = {}
        self._asked_at = -KEYS_SECONDS

    async def named(self, name: str) -> jwt.PyJWK | None:
        """The key of that name; without a name, the only key."""
        async with self._lock:
            age = self._clock() - self._asked_at
            if age >= KEYS_SECONDS or (name not in self._known and age >= PAUSE_SECONDS):
                await self._refresh()
        if not name and len(self._known) == 1:
            return next(iter(self._known.values()))
        return self._known.get(name)

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            told = await self._read()
            found = [key for key in told["keys"] if key.get("kty") in {"RSA", "EC", "OKP"}]
            keys = jwt.PyJWKSet.from_dict({"keys": found}).keys
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("the issuer's keys cannot be read: %s", type(error).__name__)
        except (httpx2.HTTPError, jwt.PyJWTError) as error:
            logger.warning("the issuer's keys cannot be had: %s", type(error).__name__)
        else:
            self._known = {key.key_id or "": key for key in keys}

    async def _read(self) -> Mapping[str, Any]:
        source = self._source
        if source and "://" not in source:
            read: Mapping[str, Any] = _JSON.validate_json(await anyio.Path(source).read_bytes())
            return read
        async with httpx2.AsyncClient(timeout=10, follow_redirects=False) as client:
            return await _fetched(client, source or await self._discovered(client))

    async def _discovered(self, client: httpx2.AsyncClient) -> str:
        base, parts = self._issuer.rstrip("/"), urlsplit(self._issuer)
        path = parts.path.rstrip("/")
        places = (
            f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{path}",
            f"{base}/.well-known/openid-configuration",
        )
        for place in places:
            try:
                told = await _fetched(client, place)
            except (httpx2.HTTPStatusError, ValueError):
                continue
            if told.get("issuer") == self._issuer:
                return _secure(str(told["jwks_uri"]))
        raise LookupError("no metadata of this issuer names its keys")


class Issuer:
    """Verifies tokens of one issuer, made for one audience."""

    def __init__(self, settings: Settings, *, keys: Keys, audience: str) -> None:
        self._settings = settings
        self._keys = keys
        self._audience = audience

    async def vouched(self, token: str) -> Vouched | None:
        """What the token says; None for one that is not signed by this issuer, for us, and now."""
        if len(token) > LONGEST_TOKEN or token.count(".") != 2:  # noqa: PLR2004 three parts
            return None
        try:
            name = jwt.get_unverified_header(token).get("kid", "")
            key = await self._keys.named(str(name))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._settings.oauth_issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return self._understood(claims)

    def _understood(self, claims: Mapping[str, Any]) -> Vouched | None:
        subject, expires = str(claims["sub"]), int(claims["exp"])
        claim = self._settings.oauth_tenant_claim
        whose = claims.get(claim) if claim != SHARED else SHARED
        try:
            projects = _PROJECTS.validate_python(claims.get("projects", ()))
        except ValidationError:
            return None
        if not isinstance(whose, str) or not whose:
            return None
        tenant = "" if whose == SHARED and claim == SHARED else f"jwt-{self._mark(whose, 32)}"
        scope = _scope(claims)
        access = scope and Access(
            caller=f"oauth:{self._mark(subject, 12)}",
            scope=scope,
            projects=projects,
            tenant=tenant,
        )
        return Vouched(subject=subject, expires_at=expires + LEEWAY_SECONDS, access=access or None)

    def _mark(self, value: str, length: int) -> str:
        """A name fit for folders and logs, whatever the issuer calls its users."""
        told = f"{self._settings.oauth_issuer}\n{value}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(told).hexdigest()[:length]


def build_issuer(settings: Settings, *, audience: str) -> Issuer | None:
    """The configured issuer, if one is.

    Raises:
        CannotListen: its address, or that of its keys, is not a secure one.
    """
    if not settings.oauth_issuer:
        return None
    for url in (settings.oauth_issuer, settings.oauth_keys):
        if url and (url == settings.oauth_issuer or "://" in url):
            _secure_setting(url)
    if settings.oauth_keys and "://" not in settings.oauth_keys:
        _readable(Path(settings.oauth_keys))
    keys = Keys(settings.oauth_issuer, settings.oauth_keys)
    return Issuer(settings, keys=keys, audience=settings.oauth_audience or audience)


_JSON: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


async def _fetched(client: httpx2.AsyncClient, url: str) -> Mapping[str, Any]:
    body = bytearray()
    async with client.stream("GET", url) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_bytes():
            body.extend(piece)
            if len(body) > LARGEST_ANSWER:
                raise ValueError("the answer is too large")
    return _JSON.validate_json(bytes(body))


def _scope(claims: Mapping[str, Any]) -> Scope | None:
    told = claims.get("scope", claims.get("scp", ""))
    names: Sequence[Any] = told.split() if isinstance(told, str) else told
    return scope_of([str(name) for name in names]) if isinstance(names, list) else None


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ValueError("keys come over https only")
    return url


def _secure_setting(url: str) -> None:
    try:
        _secure(url)
    except ValueError as error:
        raise CannotListen(
            f"{url} is not an https address.",
            next_step="Mend MCP_MEMORY_OAUTH_ISSUER and MCP_MEMORY_OAUTH_KEYS.",
        ) from error


def _readable(path: Path) -> None:
    if not path.is_file():
        raise CannotListen(
            f"the issuer's keys {path} are no file.", next_step="Mend MCP_MEMORY_OAUTH_KEYS."
        )
