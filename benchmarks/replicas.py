"""Replicas of one server on one object store, on loopback: calls a second and how long each took.

    python benchmarks/replicas.py --seconds 20 --clients 16 --replicas 1 2 4

Each call goes to the next replica that says it is ready, as with any balancer that knows no sessions:
a fifth of them retain, and what was retained is fetched at the replica after. With more than one,
a replica is told to stop and another one started within each run, then one is killed. What was
acknowledged is looked for at the end. The object store is moto's, one process of Python: what it
takes of the processor is told beside what the replicas take.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx2
from apparatus import tables
from apparatus.servers import OURS, environment, free_port
from apparatus.timing import machine, quantile, resident
from apparatus.words import WORDS

RETAINS = 0.2
MEMORIES = 40
"""Kept before the time is taken, so that searches find something."""
DRAIN = 2.0
READY_SECONDS = 240.0
TRIES = 4
"""How many replicas a balancer offers a call to, whose connection was refused or broke."""
HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-06-18",
}
STORE = """
import sys, time, logging
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False).start()
print("ready", flush=True)
while True: time.sleep(3600)
"""


@dataclass(slots=True)
class Replica:
    """One server process."""

    url: str
    process: subprocess.Popen[bytes]
    ready: bool = False


@dataclass(slots=True)
class Tally:
    """What came of the calls; times in seconds."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    again: int = 0
    """Calls that were sent to another replica because a connection broke."""
    kept: dict[str, str] = field(default_factory=dict)
    """What was acknowledged: ref to text."""


class Balancer:
    """Sends each call to the next replica that is ready; knows nothing of sessions or callers."""

    def __init__(self, folder: Path, address: str) -> None:
        self.replicas: list[Replica] = []
        self._folder = folder
        self._address = address
        self._turn = 0
        self._made = 0
        self._http = httpx2.AsyncClient(
            timeout=60, headers=HEADERS, limits=httpx2.Limits(max_connections=None)
        )

    async def start(self) -> Replica:
        """One more replica, ready."""
        self._made += 1
        home, port = self._folder / f"replica-{self._made}", free_port()
        told = {
            "address": self._address,
            "embedding_model": "default",
            "requests_per_minute": 0,
            "drain_seconds": DRAIN,
            "embedding_threads": 1,
        }
        command = [*OURS, "serve", "--transport", "http", "--port", str(port)]
        process = subprocess.Popen(
            command, env=environment(home, **told), cwd=self._folder, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        replica = Replica(f"http://127.0.0.1:{port}", process)
        self.replicas.append(replica)
        with anyio.fail_after(READY_SECONDS):
            while not await self.look(replica):
                await anyio.sleep(0.1)
        return replica

    async def look(self, replica: Replica) -> bool:
        """Ask whether it is ready."""
        try:
            answer = await self._http.get(f"{replica.url}/readyz", timeout=5)
            replica.ready = answer.status_code == 200
        except httpx2.HTTPError:
            replica.ready = False
        return replica.ready

    async def watch(self) -> None:
        """Ask all of them, again and again."""
        while True:
            for replica in list(self.replicas):
                await self.look(replica)
            await anyio.sleep(0.3)

    def next(self) -> Replica:
        """The next one that is ready."""
        ready = [each for each in self.replicas if each.ready] or self.replicas
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def call(
        self, tool: str, arguments: dict[str, object], tally: Tally
    ) -> dict[str, object]:
        """A tool's structured answer; a broken connection is offered to the next replica."""
        asked = {"name": tool, "arguments": arguments}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked})
        for attempt in range(TRIES):
            replica = self.next()
            try:
                answer = await self._http.post(f"{replica.url}/mcp", content=body)
            except httpx2.TransportError:
                replica.ready = False
                tally.again += 1
                if attempt == TRIES - 1:
                    raise
                continue
            answer.raise_for_status()
            return _result(answer.text)
        raise AssertionError

    async def aclose(self) -> None:
        """Stop all of them."""
        for replica in self.replicas:
            replica.process.terminate()
        for replica in self.replicas:
            await anyio.to_thread.run_sync(replica.process.wait)
        await self._http.aclose()


def _result(text: str) -> dict[str, object]:
    """The structured content of an answer, as JSON or as the events of a stream."""
    events = [line[len("data:") :] for line in text.splitlines() if line.startswith("data:")]
    told = next((each for each in map(_parsed, events or [text]) if "id" in each), {})
    result = told.get("result")
    if result is None or result.get("isError"):
        raise ValueError(str(told or text)[:300])
    return result["structuredContent"]


def _parsed(text: str) -> dict[str, object]:
    return json.loads(text) if text.strip() else {}


async def client(number: int, balancer: Balancer, tally: Tally, end: float) -> None:
    """A caller who waits for each answer, until the time is up."""
    chance = random.Random(number)
    while time.perf_counter() < end:
        words = " ".join(chance.sample(WORDS, 4))
        if chance.random() < RETAINS:
            text = f"The {words} needs {chance.getrandbits(48):x}."
            kept = await timed("retain", {"text": text, "project": "user"}, balancer, tally)
            if kept is not None:
                ref = str(kept["ref"])
                tally.kept[ref] = text
                read = await timed("fetch", {"refs": [ref]}, balancer, tally)
                if read is not None and text not in json.dumps(read):
                    tally.errors.append(f"{ref} was not read by the call after")
        else:
            await timed("search", {"query": words}, balancer, tally)


async def timed(
    tool: str, arguments: dict[str, object], balancer: Balancer, tally: Tally
) -> dict[str, object] | None:
    begun = time.perf_counter()
    try:
        return await balancer.call(tool, arguments, tally)
    except Exception as error:  # noqa: BLE001 every failure is counted
        tally.errors.append(f"{tool}: {error!r}"[:300])
        return None
    finally:
        tally.times.setdefault(tool, []).append(time.perf_counter() - begun)


async def restarts(balancer: Balancer, seconds: float) -> None:
    """A rolling restart of one replica, and then another one killed, within the time."""
    await anyio.sleep(seconds / 4)
    first = balancer.replicas[0]
    await balancer.start()
    first.process.send_signal(signal.SIGTERM)
    await anyio.sleep(seconds / 4)
    second = balancer.replicas[1]
    second.process.kill()
    await balancer.start()


async def run(balancer: Balancer, asked: argparse.Namespace, *, calm: bool) -> Tally:
    tally = Tally()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(balancer.watch)
        end = time.perf_counter() + asked.seconds
        async with anyio.create_task_group() as callers:
            if not calm:
                callers.start_soon(restarts, balancer, asked.seconds)
            for number in range(asked.clients):
                callers.start_soon(client, number, balancer, tally, end)
        tasks.cancel_scope.cancel()
    return tally


async def lost(balancer: Balancer, tally: Tally) -> list[str]:
    """What was acknowledged and is no more to be had."""
    gone, refs = [], list(tally.kept)
    for start in range(0, len(refs), 20):
        part = refs[start : start + 20]
        told = json.dumps(
            await balancer.call("fetch", {"refs": part, "budget_tokens": 20000}, tally)
        )
        gone += [ref for ref in part if tally.kept[ref] not in told]
    return gone


async def measure(
    count: int, folder: Path, address: str, store: int, asked: argparse.Namespace
) -> None:
    async with opened(folder, address) as balancer:
        async with anyio.create_task_group() as starting:
            for _ in range(count):
                starting.start_soon(balancer.start)
        filled = Tally()
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(fill, number, balancer, filled)
        for calm in (True, False) if count > 1 else (True,):
            before, begun = used(balancer, store), time.perf_counter()
            tally = await run(balancer, asked, calm=calm)
            took, after = time.perf_counter() - begun, used(balancer, store)
            gone = await lost(balancer, tally)
            tell(
                f"{count}" if calm else f"{count}, one restarted, one killed",
                tally, took, [now - then for now, then in zip(after, before, strict=True)], len(gone),
            )  # fmt: skip
        sizes = [resident(each.process.pid) for each in balancer.replicas if each.ready]
        print(f"    memory of a replica in MB: {[round(size) for size in sizes]}")


async def fill(number: int, balancer: Balancer, tally: Tally) -> None:
    chance = random.Random(1000 + number)
    for each in range(MEMORIES // 4):
        words = " ".join(chance.sample(WORDS, 4))
        text = f"The {words} was seen {number}-{each}."
        await balancer.call("retain", {"text": text, "project": "user"}, tally)


@contextlib.asynccontextmanager
async def opened(folder: Path, address: str) -> AsyncIterator[Balancer]:
    balancer = Balancer(folder, address)
    try:
        yield balancer
    finally:
        await balancer.aclose()


def used(balancer: Balancer, store: int) -> tuple[float, float]:
    """Seconds of processor that replicas and the object store took so far; of a dead one none."""
    alive = [each.process.pid for each in balancer.replicas if each.process.poll() is None]
    return sum(map(spent, alive)), spent(store)


def tell(name: str, tally: Tally, took: float, processor: Sequence[float], gone: int) -> None:
    """A line a tool, and one for all; the processor of a run in which replicas came and went is not told."""
    calls = sum(map(len, tally.times.values()))
    for tool, times in sorted(tally.times.items()):
        p50, p95, p99 = (quantile(times, share) for share in (0.5, 0.95, 0.99))
        tables.line(
            name, f"{tool}, {len(times)} calls",
            f"p50 {p50 * 1e3:.0f}, p95 {p95 * 1e3:.0f}, p99 {p99 * 1e3:.0f} ms",
        )  # fmt: skip
    tables.line(
        name, "all", f"{calls / took:.1f} calls a second, {len(tally.errors)} errors, {tally.again} "
        f"sent again, {gone} of {len(tally.kept)} acknowledged lost",
    )  # fmt: skip
    if "," not in name:
        replicas, store = (1e3 * each / calls for each in processor)
        tables.line(name, "processor a call", f"{replicas:.0f} ms of replicas, {store:.0f} of moto")
    for error in sorted(set(tally.errors))[:5]:
        print(f"    error: {error}")


def spent(process: int) -> float:
    """Seconds of processor that a process took so far."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def object_store() -> Iterator[tuple[str, int]]:
    """Moto's S3 on loopback in a process of its own: a bucket's address, and the process."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", STORE, str(port)], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            url = f"http://127.0.0.1:{port}"
            told = {"AWS_ACCESS_KEY_ID": "tried", "AWS_SECRET_ACCESS_KEY": "on-loopback",
                    "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}  # fmt: skip
            os.environ.update(told)
            httpx2.put(f"{url}/bank-of-replicas").raise_for_status()
            yield "s3://bank-of-replicas", process.pid
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4])
    asked = parser.parse_args()
    print(f"{machine()}\n")
    tables.begin("replicas", "what", "figure")
    with object_store() as (address, store), tempfile.TemporaryDirectory() as folder:
        for count in asked.replicas:
            anyio.run(measure, count, Path(folder), f"{address}/{count}", store, asked)


if __name__ == "__main__":
    main()
