"""Measures the store: appends against raw LanceDB, look-ups at two sizes, indexes, upkeep and purge."""

import argparse
import os
import platform
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio

from mcp_memory.store import Store, open_store
from mcp_memory.store.rows import EvidenceRow, MemoryRow, Where
from mcp_memory.store.schema import to_arrow

DIM = 256
RANDOM = random.Random(1)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = [
    "".join(RANDOM.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(RANDOM.randint(3, 9)))
    for _ in range(20_000)
]
SHARES = [1 / (place + 1) for place in range(len(WORDS))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    chosen = arguments.parse_args()
    print(f"{platform.node()} · {platform.machine()} · {os.cpu_count()} processors\n")
    print("| what | figure |\n|---|---|")
    for rows in chosen.rows:
        with tempfile.TemporaryDirectory() as folder:
            anyio.run(measure, Path(folder), rows)


async def measure(home: Path, rows: int) -> None:
    async with open_store(
        home / "store",
        locks=home / "locks",
        model="synthetic",
        dim=DIM,
        busy_seconds=60,
        actor="benchmark",
    ) as store:
        await one_by_one(store, rows)
        await filled(store, rows)
        await found(store, rows, "not yet indexed")
        tell(rows, "indexes built and compacted", await seconds(lambda: store.maintain(force=True)))
        await found(store, rows, "indexed")
        async with store.change("index") as change:
            await change.add(evidence=[evidence(rows + n) for n in range(400)])
        await found(store, rows, "with 400 rows not yet indexed")
        tell(rows, "maintenance after 400 rows", await seconds(lambda: store.maintain(force=True)))
        tell(rows, "maintenance with nothing to do", await seconds(store.maintain))
        print(f"| {rows:,} rows: disk | {size(home) >> 20} MB |")
        where = Where(keys=("t:s1#1",), states=())
        tell(rows, "purge of one row", await seconds(lambda: store.purge({"evidence": where}, [])))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"| {rows:,} rows: most memory, with building | {peak} MB |")


async def one_by_one(store: Store, rows: int) -> None:
    """Acknowledged single writes, in turns, so that noise falls on both alike."""
    raw, once, change = [], [], []
    table = await store._tables.connection.create_table(  # noqa: SLF001 the peer lies beside ours
        "raw", to_arrow("memories", [memory(0, "b:0")], DIM)
    )
    for number in range(60):
        row = to_arrow("memories", [memory(number, "b:0")], DIM)
        raw.append(await seconds(lambda r=row: table.add(r)))
        once.append(
            await seconds(lambda n=number: store.once("retain", lambda batch: [memory(n, batch)]))
        )
        change.append(await seconds(lambda n=number: changed(store, n)))
    base = statistics.median(raw)
    for name, taken in (("raw append", raw), ("once()", once), ("change()", change)):
        middle = statistics.median(taken)
        print(f"| {rows:,} rows: one row, {name} | {middle * 1e3:.1f} ms, {middle / base:.1f}x |")
    await store._tables.connection.drop_table("raw")  # noqa: SLF001 as above


async def changed(store: Store, number: int) -> None:
    async with store.change("index") as change:
        await change.add(evidence=[evidence(-number - 1)])


async def filled(store: Store, rows: int) -> None:
    taken = 0.0
    for start in range(0, rows, 10_000):
        made = [evidence(n) for n in range(start, min(rows, start + 10_000))]
        taken += await seconds(lambda m=made: added(store, m))
    tell(rows, "appended in batches of 10,000", taken)


async def added(store: Store, rows: list[EvidenceRow]) -> None:
    async with store.change("index") as change:
        await change.add(evidence=rows)


async def found(store: Store, rows: int, how: str) -> None:
    async def words() -> None:
        query = " ".join(RANDOM.choices(WORDS, SHARES, k=6))
        await store.by_words("evidence", query, column="text", where=Where(), limit=50)

    async def vectors() -> None:
        await store.by_vector("evidence", vector(), where=Where(), limit=50)

    async def keys() -> None:
        await store.by_keys("evidence", [f"t:s{RANDOM.randrange(rows // 100)}#7"])

    for name, ask in (("by_words", words), ("by_vector", vectors), ("by_keys", keys)):
        taken = [await seconds(ask) for _ in range(25)]
        print(f"| {rows:,} rows {how}: {name} p50 | {statistics.median(taken) * 1e3:.1f} ms |")


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def tell(rows: int, what: str, taken: float) -> None:
    print(f"| {rows:,} rows: {what} | {taken:.2f} s |", flush=True)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def vector() -> tuple[float, ...]:
    return tuple(RANDOM.gauss(0, 1) for _ in range(DIM))


def text() -> str:
    return " ".join(RANDOM.choices(WORDS, SHARES, k=80))


def evidence(number: int) -> EvidenceRow:
    words, session, step = text(), number // 100, number % 100
    return EvidenceRow(
        key=f"t:s{session}#{step}",
        kind="step",
        trajectory=f"s{session}",
        first=step,
        last=step,
        project="/repo",
        source="agent",
        at=NOON,
        outcome="unknown",
        text=words,
        context=words[:200],
        identifiers=f"src/file{number % 500}.py",
        paths=(f"src/file{number % 500}.py",),
        body=f'{{"text": "{words}"}}',
        hash=f"{number:064x}",
        flags=(),
        state="live",
        batch="",
        vector=vector(),
    )


def memory(number: int, batch: str) -> MemoryRow:
    return MemoryRow(
        key=f"m:{number}",
        version=1,
        kind="fact",
        project="/repo",
        source="agent",
        standing="candidate",
        state="live",
        at=NOON,
        text=text(),
        context="",
        identifiers="",
        paths=(),
        evidence=(),
        body="{}",
        hash=f"{number:064x}",
        batch=batch,
        vector=vector(),
    )


if __name__ == "__main__":
    main()
