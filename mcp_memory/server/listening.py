"""Listening: streamable HTTP and SSE of one server on one port, with health, TLS and a quiet end."""

import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.routes import create_protected_resource_routes
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from mcp_memory.domain.access import SCOPES
from mcp_memory.domain.errors import CannotListen, MemoryBankError
from mcp_memory.server import gate
from mcp_memory.server.app import Guard, build_server
from mcp_memory.server.authentication import OpenDoor, StillAllowed, build_guard, is_guarded
from mcp_memory.server.held import Banks
from mcp_memory.server.punctual import PunctualProtocol
from mcp_memory.server.replicas import Replicas, open_replicas
from mcp_memory.server.sharing import sharing_routes
from mcp_memory.server.stopping import Server
from mcp_memory.server.teaming import team_routes
from mcp_memory.server.viewing import CookieDoor, Viewing
from mcp_memory.settings import Settings
from mcp_memory.viewer.entering import Entrance
from mcp_memory.viewer.metrics import Counted

logger = logging.getLogger(__name__)

Transport = Literal["streamable-http", "sse"]

HTTP_PATH, SSE_PATH, MESSAGES_PATH = "/mcp", "/sse", "/messages/"
GRACE_SECONDS = 8
"""How long requests under way may take to end once the server is told to stop."""
MOST_SESSIONS = 2_000
IDLE_SESSION_SECONDS = 1_800.0
# The gate stands before all paths; the SDK's own check would log a traceback over SSE.
_CHECKED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)


@dataclass(frozen=True, slots=True)
class Listener:
    """A server that listens, until its block is left or it is told to stop by a signal."""

    url: str
    ended: anyio.Event
    view: str = ""
    """A link that lets one browser in, once; empty where callers show tokens."""


@asynccontextmanager
async def open_listener(
    settings: Settings, *, transports: Sequence[Transport], cwd: Path | None = None
) -> AsyncIterator[Listener]:
    """Listen; SIGINT, SIGTERM and leaving the block let requests under way end first.

    Raises:
        CannotListen: the address is not loopback and nothing says who may call, the server's names
            are not known, the port is taken, or a TLS file cannot be read.
    """
    async with open_replicas(settings) as replicas:
        _check(settings)
        with _bound(settings) as sock:
            there = settings.model_copy(update={"listen_port": sock.getsockname()[1]})
            entrance = Entrance(secure=own_url(there).startswith("https:"))
            served = _Served(transports, cwd, replicas)
            server = _server(there, entrance, served)
            link = "" if is_guarded(settings) else f"{_address(there)}{entrance.link()}"
            async with _running(server, sock):
                yield Listener(_address(there), server.ended, link)


@asynccontextmanager
async def open_viewer(
    settings: Settings, *, cwd: Path | None = None, read_only: bool = False
) -> AsyncIterator[Listener]:
    """Listen for this machine's user's browser alone: on loopback, let in by a one-time link.

    Raises:
        CannotListen: the address is not loopback, or the port is taken.
    """
    if not is_loopback(settings.listen_host):
        raise CannotListen(
            "the page is this machine's user's: it listens on loopback only.",
            next_step="`mcp-memory serve --transport http` shows it to others, by access tokens.",
        )
    quiet = settings.model_copy(update={"index_auto": False, "push_url": ""})
    with _bound(quiet) as sock:
        there = quiet.model_copy(update={"listen_port": sock.getsockname()[1]})
        viewing = Viewing(Banks(there, str(cwd or Path.cwd())), Entrance(), read_only=read_only)
        server = Server(_config(viewing.alone(names_of(there)), there), viewing.banks, there)
        async with _running(server, sock):
            url = _address(there)
            yield Listener(url, server.ended, f"{url}{viewing.entrance.link()}")


@asynccontextmanager
async def _running(server: Server, sock: socket.socket) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run_until_stopped, sock)
        await server.listens.wait()
        try:
            yield
        finally:
            server.should_exit = True
            with anyio.CancelScope(shield=True):
                await server.ended.wait()


@dataclass(frozen=True, slots=True)
class _Served:
    """How clients reach a server, from which folder it was started, and with whom it shares its bank."""

    transports: Sequence[Transport]
    cwd: Path | None
    replicas: Replicas | None


def _server(settings: Settings, entrance: Entrance, served: _Served) -> Server:
    resource = f"{own_url(settings)}{HTTP_PATH}"
    guard = build_guard(settings, resource=resource, replicas=served.replicas)
    banks = Banks(
        settings.model_copy(
            update={"local_paths": settings.local_paths and not is_guarded(settings)}
        ),
        str(served.cwd or Path.cwd()),
        guarded=True,
    )
    # Contents must not reach the log at any level: the SDK tells messages at DEBUG, errors at INFO.
    for name in ("mcp", "sse_starlette", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    app = build_app(
        build_server(settings, banks=banks, guard=guard),
        settings,
        transports=served.transports,
        viewing=Viewing(banks, entrance, guard.verifier),
        guard=guard,
    )
    return Server(_config(app, settings), banks, settings, served.replicas)


def build_app(
    server: MCPServer[Banks],
    settings: Settings,
    *,
    transports: Sequence[Transport],
    viewing: Viewing,
    guard: Guard,
) -> Starlette:
    """The ASGI application: the gate, who is calling, and behind them transports and pages."""
    banks, stateless = viewing.banks, settings.stateless or bool(settings.address)
    http = server.streamable_http_app(
        streamable_http_path=HTTP_PATH,
        stateless_http=stateless,
        max_request_body_size=settings.request_bytes,
        session_idle_timeout=None if stateless else IDLE_SESSION_SECONDS,
        max_sessions=MOST_SESSIONS,
        transport_security=_CHECKED_ALREADY,
    )
    sse = server.sse_app(
        sse_path=SSE_PATH,
        message_path=MESSAGES_PATH,
        max_request_body_size=settings.request_bytes,
        transport_security=_CHECKED_ALREADY,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with banks.open(), http.router.lifespan_context(app):
            banks.warm()
            yield

    apps = {"streamable-http": http, "sse": sse}
    served = [route for name in transports for route in apps[name].routes]
    shared = sharing_routes(banks, guard, request_bytes=settings.request_bytes)
    shared += team_routes(banks, guard)
    return Starlette(
        routes=[*_once([*_probes(banks), *_metadata(guard), *shared, *served]), viewing.pages()],
        middleware=_middleware(settings, http.user_middleware, guard, viewing),
        lifespan=lifespan,
    )


def _middleware(
    settings: Settings, authentication: Sequence[Middleware], guard: Guard, viewing: Viewing
) -> list[Middleware]:
    """Outermost first: names and log, who is calling, how often, for how long, how much."""
    return [
        Middleware(Counted, metrics=viewing.metrics),
        Middleware(gate.Doorkeeper, names=names_of(settings), draining=viewing.banks.draining),
        Middleware(CookieDoor, entrance=viewing.entrance),
        Middleware(OpenDoor, verifier=guard.verifier),
        *authentication,
        Middleware(
            gate.RateLimit,
            per_minute=settings.requests_per_minute,
            buckets=viewing.banks.buckets,
        ),
        Middleware(StillAllowed, verifier=guard.verifier),
        Middleware(gate.BodyLimit, size=settings.request_bytes, seconds=settings.request_seconds),
    ]


def own_url(settings: Settings) -> str:
    """The server's address as clients see it, without a path at its end."""
    return (settings.public_url or _address(settings)).rstrip("/")


def names_of(settings: Settings) -> gate.Names:
    """The names under which the server may be called."""
    public = urlsplit(settings.public_url)
    hosts = {*gate.LOOPBACK, *settings.allowed_hosts, *filter(None, (public.hostname,))}
    if not _any_address(settings.listen_host):
        hosts.add(settings.listen_host)
    own = {f"{public.scheme}://{public.netloc}"} if public.netloc else set()
    return gate.Names(
        hosts=frozenset(name.casefold() for name in hosts),
        origins=frozenset({*settings.allowed_origins, *own}),
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check(settings: Settings) -> None:
    if is_loopback(settings.listen_host):
        return
    if not is_guarded(settings):
        raise CannotListen(
            f"{settings.listen_host} can be reached from other machines, and nothing says who may call.",
            next_step="Make an access token with `mcp-memory token make NAME`, or set "
            "MCP_MEMORY_OAUTH_ISSUER; or listen on 127.0.0.1.",
        )
    if _any_address(settings.listen_host) and not (settings.public_url or settings.allowed_hosts):
        raise CannotListen(
            f"on {settings.listen_host} it must know the names that clients call it by.",
            next_step="Set MCP_MEMORY_PUBLIC_URL, or MCP_MEMORY_ALLOWED_HOSTS.",
        )
    if settings.tls_certificate is None:
        logger.warning(
            "tokens cross the network unencrypted unless a proxy in front speaks TLS; "
            "MCP_MEMORY_TLS_CERTIFICATE and MCP_MEMORY_TLS_KEY name the files"
        )


def _any_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _bound(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(
            settings.listen_host, settings.listen_port, type=socket.SOCK_STREAM
        )[0][0]
        return socket.create_server(
            (settings.listen_host, settings.listen_port), family=family, backlog=1024
        )
    except OSError as error:
        raise CannotListen(
            f"port {settings.listen_port} of {settings.listen_host} cannot be had ({error.strerror}).",
            next_step="Choose another with --host and --port.",
        ) from error


def _address(settings: Settings) -> str:
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.listen_host}]" if ":" in settings.listen_host else settings.listen_host
    return f"{scheme}://{host}:{settings.listen_port}"


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=PunctualProtocol.within(settings.request_seconds, connections=settings.connections),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=settings.connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise CannotListen(
            f"the TLS files cannot be used ({error.strerror or error}).",
            next_step="Mend MCP_MEMORY_TLS_CERTIFICATE and MCP_MEMORY_TLS_KEY.",
        ) from error
    return config


def _probes(banks: Banks) -> list[Route]:
    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readiness(_: Request) -> JSONResponse:
        if banks.ready():
            return JSONResponse({"status": "ready"})
        if not banks.draining.is_set():
            with suppress(MemoryBankError):
                banks.warm()  # what could not be opened is tried again whenever somebody asks
        return JSONResponse({"status": "not ready"}, 503, {"retry-after": "1"})

    return [Route("/healthz", health), Route("/readyz", readiness)]


def _metadata(guard: Guard) -> Sequence[Route]:
    """The protected resource's metadata, with the scopes that tokens may have."""
    if guard.settings.resource_server_url is None:
        return ()
    return create_protected_resource_routes(
        resource_url=guard.settings.resource_server_url,
        authorization_servers=[guard.settings.issuer_url],
        scopes_supported=[f"memory:{scope}" for scope in SCOPES],
        resource_name="mcp-memory",
    )


def _once(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Both transports bring the metadata's route; the first of a path stands."""
    return list(
        {str(getattr(route, "path", id(route))): route for route in reversed(routes)}.values()
    )[::-1]
