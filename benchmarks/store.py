"""Measures the store: appends against raw LanceDB, look-ups at two sizes, indexes, upkeep and purge."""

import argparse
import statistics
import tempfile
from pathlib import Path

import anyio
from apparatus import tables
from apparatus.rows import DIM, RANDOM, SHARES, WORDS, evidence, memory, vector
from apparatus.timing import awaited, machine, middle, peak, size

from mcp_memory.store import Store, open_store
from mcp_memory.store.address import Home
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.store.schema import to_arrow


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    chosen = arguments.parse_args()
    print(f"{machine()}\n")
    tables.begin("rows", "what", "figure")
    for rows in chosen.rows:
        with tempfile.TemporaryDirectory() as folder:
            anyio.run(measure, Path(folder), rows)


async def measure(home: Path, rows: int) -> None:
    async with open_store(
        Home(home),
        model="synthetic",
        dim=DIM,
        busy_seconds=60,
        actor="benchmark",
    ) as store:
        await one_by_one(store, rows)
        await filled(store, rows)
        await found(store, rows, "not yet indexed")
        tell(rows, "indexes built and compacted", await awaited(lambda: store.maintain(force=True)))
        await found(store, rows, "indexed")
        async with store.change("index") as change:
            await change.add(evidence=[evidence(rows + n) for n in range(400)])
        await found(store, rows, "with 400 rows not yet indexed")
        tell(rows, "maintenance after 400 rows", await awaited(lambda: store.maintain(force=True)))
        tell(rows, "maintenance with nothing to do", await awaited(store.maintain))
        tables.line(f"{rows:,}", "disk", f"{size(home) >> 20} MB")
        where = Where(keys=("t:s1#1",), states=())
        tell(
            rows,
            "purge of one row",
            await awaited(lambda: store.purge(Erasure({"evidence": where}))),
        )
        tables.line(f"{rows:,}", "most memory, with building", f"{peak()} MB")


async def one_by_one(store: Store, rows: int) -> None:
    """Acknowledged single writes, in turns, so that noise falls on both alike."""
    raw, once, change = [], [], []
    table = await store._tables.connection.create_table(  # noqa: SLF001 the peer lies beside ours
        "raw", to_arrow("memories", [memory(0, "b:0")], DIM)
    )
    for number in range(60):
        row = to_arrow("memories", [memory(number, "b:0")], DIM)
        raw.append(await awaited(lambda r=row: table.add(r)))
        once.append(
            await awaited(lambda n=number: store.once("retain", lambda batch: [memory(n, batch)]))
        )
        change.append(await awaited(lambda n=number: changed(store, n)))
    base = statistics.median(raw)
    for name, taken in (("raw append", raw), ("once()", once), ("change()", change)):
        times = statistics.median(taken) / base
        tables.line(f"{rows:,}", f"one row, {name}", f"{middle(taken)}, {times:.1f}x")
    await store._tables.connection.drop_table("raw")  # noqa: SLF001 as above


async def changed(store: Store, number: int) -> None:
    async with store.change("index") as change:
        await change.add(evidence=[evidence(-number - 1)])


async def filled(store: Store, rows: int) -> None:
    taken = 0.0
    for start in range(0, rows, 10_000):
        made = [evidence(n) for n in range(start, min(rows, start + 10_000))]
        taken += await awaited(lambda m=made: added(store, m))
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
        taken = [await awaited(ask) for _ in range(25)]
        tables.line(f"{rows:,}", f"{how}: {name} p50", middle(taken))


def tell(rows: int, what: str, taken: float) -> None:
    tables.line(f"{rows:,}", what, f"{taken:.2f} s")


if __name__ == "__main__":
    main()
