"""Load on loopback: clients that search and retain at once over streamable HTTP, then over SSE.

    python benchmarks/load.py --seconds 60 --clients 64

The server is a process of its own, asks for a token, and has no rate limit; the clients are the SDK's.
"""

import argparse
import os
import random
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx2
from apparatus.servers import Running, listening
from apparatus.timing import machine, middle, quantile, resident
from apparatus.words import WORDS
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from mcp_memory.domain.access import AccessTokens, Wanted

RETAINS = 0.2
"""The share of calls that write."""


@dataclass(slots=True)
class Tally:
    """What came of the calls; times in seconds."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "retain": []})
    errors: list[str] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    seconds: float = 0.0
    """From the first call to the answer of the last: what was asked before the end is waited for."""


def connect(url: str, token: str, transport: str) -> AbstractAsyncContextManager[Client]:
    headers = {"authorization": f"Bearer {token}"}
    if transport == "sse":
        return Client(sse_client(f"{url}/sse", headers=headers, sse_read_timeout=300))
    limits = httpx2.Limits(max_connections=None)
    http = httpx2.AsyncClient(headers=headers, timeout=60, limits=limits)
    return Client(streamable_http_client(f"{url}/mcp", http_client=http))


async def one(
    url: str, token: str, transport: str, *, number: int, tally: Tally, end: float
) -> None:
    """A client that calls until the time is up."""
    chance = random.Random(number)
    async with connect(url, token, transport) as client:
        while time.perf_counter() < end:
            tool = "retain" if chance.random() < RETAINS else "search"
            words = " ".join(chance.sample(WORDS, 4))
            arguments = (
                {"query": words}
                if tool == "search"
                else {"text": f"{words} needs {chance.random()}", "project": "load"}
            )
            begun = time.perf_counter()
            try:
                result = await client.call_tool(tool, arguments)
                if result.is_error:
                    tally.errors.append(result.content[0].text[:200])
            except Exception as error:  # noqa: BLE001 every failure is counted
                tally.errors.append(repr(error)[:200])
            tally.times[tool].append(time.perf_counter() - begun)


async def watch(process: int, tally: Tally) -> None:
    """Resident memory of the server in MB, once a second."""
    while True:
        tally.resident.append(resident(process))
        ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        tally.cpu.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"))
        await anyio.sleep(1)


async def load(server: Running, token: str, transport: str, asked: argparse.Namespace) -> Tally:
    tally, url = Tally(), server.url
    async with connect(url, token, transport) as client:
        for _ in range(20):
            await client.call_tool("search", {"query": "warm up"})
    begun = time.perf_counter()
    end = begun + asked.seconds
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, server.process, tally)
        async with anyio.create_task_group() as clients:
            for number in range(asked.clients):
                clients.start_soon(
                    lambda n=number: one(url, token, transport, number=n, tally=tally, end=end)
                )
        tally.seconds = time.perf_counter() - begun
        tasks.cancel_scope.cancel()
    return tally


def told(transport: str, tally: Tally) -> None:
    """Print a line a tool, and the memory over time."""
    calls = sum(map(len, tally.times.values()))
    print(
        f"{transport}: {calls} calls, {calls / tally.seconds:.0f} a second, {len(tally.errors)} errors"
    )
    for tool, times in tally.times.items():
        late = ", ".join(f"p{p} {quantile(times, p / 100) * 1e3:.0f} ms" for p in (95, 99))
        print(
            f"    {tool}: {len(times)} calls, p50 {middle(times)}, {late}, longest {max(times) * 1e3:.0f} ms"
        )
    if tally.resident:
        picked = [tally.resident[int(n * (len(tally.resident) - 1) / 4)] for n in range(5)]
        spent = (tally.cpu[-1] - tally.cpu[0]) / calls * 1000
        print(
            f"    server's processor time a call {spent:.0f} ms; load average {os.getloadavg()[0]:.1f}"
        )
        print(f"    server's memory in MB, at 0, 25, 50, 75, 100 %: {[round(x) for x in picked]}")
    for error in sorted(set(tally.errors))[:5]:
        print(f"    error: {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--transport", choices=("http", "sse", "both"), default="both")
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as home:
        tokens = AccessTokens(Path(home) / "access")
        token = tokens.make(Wanted(name="load"), now=datetime.now(UTC))[1]
        for transport in ("http", "sse") if asked.transport == "both" else (asked.transport,):
            with listening(Path(home), transport, requests_per_minute=0) as server:
                tally = anyio.run(load, server, token, transport, asked)
                told(transport, tally)
                print(f"    the server said: {server.said()[-500:] or 'nothing'}")


if __name__ == "__main__":
    main()
