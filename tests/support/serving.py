"""What the tests of the remote server share: a listener on loopback, tokens, and callers."""

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from mcp_memory.domain.access import AccessTokens, Wanted
from mcp_memory.server.listening import Listener, open_listener
from mcp_memory.settings import Settings

BOTH = ("streamable-http", "sse")


def made(settings: Settings, name: str = "laptop", **wanted: Any) -> str:
    """A new token of this server."""
    now = datetime.now(UTC)
    tokens = AccessTokens(settings.access_dir)
    return tokens.make(Wanted(name=name, **wanted), now=now)[1]


def expired(settings: Settings) -> str:
    """A token that was good yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tokens = AccessTokens(settings.access_dir)
    wanted = Wanted(name="old", expires_at=yesterday + timedelta(hours=1))
    return tokens.make(wanted, now=yesterday)[1]


@asynccontextmanager
async def listening(settings: Settings, **changes: Any) -> AsyncIterator[Listener]:
    """The server, on a port that nobody else has."""
    there = settings.model_copy(update={"listen_port": 0, **changes})
    async with open_listener(there, transports=BOTH, cwd=settings.home.parent / "shop") as listener:
        yield listener


@asynccontextmanager
async def connected(
    url: str, token: str = "", *, transport: str = "streamable-http", mode: str = "auto"
) -> AsyncIterator[Client]:
    """A client with that token in its headers."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if transport == "sse":
        async with Client(sse_client(f"{url}/sse", headers=headers), mode=mode) as client:
            yield client
        return
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        wire = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(wire, mode=mode) as client:
            yield client


@asynccontextmanager
async def http(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
    """Plain requests, for what no client would send."""
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        yield client


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Any other web application on loopback, such as an issuer."""
    import uvicorn

    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server._serve, [sock])
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
            server.should_exit = True


@contextmanager
def started(home: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process of its own, as a person starts it."""
    program = [sys.executable, "-m", "mcp_memory", "serve", "--transport", "http"]
    env = {
        **os.environ,
        "MCP_MEMORY_HOME": str(home),
        "MCP_MEMORY_LISTEN_PORT": "0",
        "MCP_MEMORY_EMBEDDING_MODEL": "hash",
        "MCP_MEMORY_INDEX_AUTO": "false",
        **settings,
    }
    with subprocess.Popen(
        [*program, "--transport", "sse"], stderr=subprocess.PIPE, env=env, text=True
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("Listening: sse at http://127.0.0.1:"), line
            yield process, line.split()[3].removesuffix("/sse,")
        finally:
            process.kill()


def bearer(token: str) -> dict[str, str]:
    """The headers of a well-made call of the protocol."""
    return {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
    }


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
