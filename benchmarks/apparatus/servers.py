"""Our server in a process of its own: over the network until a block is left, or asked once over stdio."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

READY_SECONDS = 300.0
"""A machine that does other work besides may take minutes to open a bank of 100,000 rows."""
OURS = (sys.executable, "-m", "mcp_memory")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    process: int
    errors: IO[str]

    def said(self) -> str:
        """What it wrote on stderr so far."""
        self.errors.seek(0)
        return self.errors.read().strip()


def environment(home: Path, **settings: object) -> dict[str, str]:
    """Ours, with a home of its own; it reads no history unless a setting says so.

    It may write bytecode as an installed package has it: else ours alone would be compiled at each
    start, and the SDK of the server beside it would not.
    """
    told = {"home": home, "index_auto": "false", **settings}
    here = {key: os.environ[key] for key in os.environ if key != "PYTHONDONTWRITEBYTECODE"}
    return {**here, **{f"MCP_MEMORY_{key.upper()}": str(told[key]) for key in told}}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], url: str, env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[Running]:
    """A server, from the moment that it says it is ready; ended with the block."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stderr=errors
        ) as process,
    ):
        server = Running(url, process.pid, errors)
        try:
            _await_ready(server, process)
            yield server
        finally:
            process.terminate()


def _await_ready(server: Running, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            urllib.request.urlopen(f"{server.url}/readyz", timeout=5).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"The server did not get ready. It said: {server.said()[-2000:]}")


@contextlib.contextmanager
def listening(
    home: Path, *transports: str, cwd: Path | None = None, **settings: object
) -> Iterator[Running]:
    """`mcp-memory serve` over these transports (`http` by default), on a port of its own."""
    port = free_port()
    ways = [word for each in transports or ("http",) for word in ("--transport", each)]
    command = [*OURS, "serve", *ways, "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", environment(home, **settings), cwd) as server:
        yield server


def tools_over_stdio(
    command: Sequence[str], env: Mapping[str, str], cwd: Path | None = None
) -> tuple[list[str], float]:
    """What a server answers to `tools/list` as any client would ask, and the seconds from its start."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None

    def say(method: str, **rest: object) -> None:
        message = {"jsonrpc": "2.0", "method": method, **rest}
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()

    client = {"clientInfo": {"name": "benchmark", "version": "0"}, "capabilities": {}}
    say("initialize", id=1, params={"protocolVersion": "2025-06-18", **client})
    process.stdout.readline()
    say("notifications/initialized")
    say("tools/list", id=2, params={})
    answer: dict[str, object] = {}
    while answer.get("id") != 2:
        answer = json.loads(process.stdout.readline())
    took = time.perf_counter() - started
    process.stdin.close()
    process.wait(timeout=20)
    return [tool["name"] for tool in answer["result"]["tools"]], took
