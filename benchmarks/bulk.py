"""Indexing on workers of a Ray cluster beside indexing here: rows, files, time, and what a kill costs.

    python benchmarks/bulk.py --data PACK PACK --workers 1 2

Each run has a home and a process of its own. Rows are compared with their vectors and without the
name of their batch, files byte by byte. One run loses a worker in its middle, one its owner.
"""

import argparse
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import orjson
from apparatus import tables, transcripts
from apparatus.timing import machine, peak

from mcp_memory.bank import open_bank
from mcp_memory.history import indexer
from mcp_memory.history.bulk.cluster import connected
from mcp_memory.history.bulk.shards import Model
from mcp_memory.settings import Settings

UUID = re.compile(rb"\b([0-9a-f])([0-9a-f]{7}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")
YEAR = re.compile(rb"\b20(2\d)-(?=[01]\d-[0-3]\dT)")
WORKER = "ray::_prepare"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    transcripts.option(parser)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--times", type=int, default=1, help="the history so often, years apart")
    parser.add_argument("--one", nargs=3, metavar=("HOME", "HOW", "KILL"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        home, how, kill = asked.one
        print(orjson.dumps(anyio.run(measure, Path(home), how, float(kill), asked.data)).decode())
        return
    print(machine())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        compare(
            Path(scratch), list(repeated(asked.data, asked.times, Path(scratch))), asked.workers
        )


def compare(scratch: Path, data: Sequence[Path], workers: Sequence[int]) -> None:
    figures = ("seconds", "MB/s", "processor, s", "rows")
    tables.begin("run", *figures, "same rows", "same files", "owner's memory, MB")
    first = run(scratch / "here", "0", 0, data)
    tell("here, a thread", first, first)
    tell("here, 2 processes", run(scratch / "two", "2", 0, data), first)
    took = 0.0
    for count in workers:
        told = run(scratch / f"ray{count}", f"ray:{count}", 0, data)
        took = told["seconds"]
        tell(f"Ray, workers: {count}", told, first)
    most = f"ray:{max(workers)}"
    told = run(scratch / "lost", most, took / 2, data)
    tell(f"the same, a worker killed ({told['killed']})", told, first)
    interrupted(scratch / "cut", most, took / 3, data)
    told = run(scratch / "cut", most, 0, data)
    tell(f"its owner killed, then again ({told['unchanged']} files were there)", told, first)


def tell(name: str, told: dict[str, float | str], first: dict[str, float | str]) -> None:
    same = ["yes" if told[what] == first[what] else "NO" for what in ("rows", "files")]
    rate = f"{told['megabytes'] / told['seconds']:.1f}"
    figures = (f"{told['seconds']:.1f}", rate, round(told["processor"]), told["count"])
    tables.line(name, *figures, *same, told["peak"])


def command(home: Path, how: str, kill: float, data: Sequence[Path]) -> list[str]:
    told = ["--one", str(home), how, str(kill), "--data", *map(str, data)]
    return [sys.executable, __file__, *told]


def run(home: Path, how: str, kill: float, data: Sequence[Path]) -> dict[str, float | str]:
    done = subprocess.run(command(home, how, kill, data), check=True, stdout=subprocess.PIPE)
    told: dict[str, float | str] = orjson.loads(done.stdout.splitlines()[-1])
    return told


def interrupted(home: Path, how: str, after: float, data: Sequence[Path]) -> None:
    """A run that is killed without a word, with all that it started, once it has written for a while."""
    process = subprocess.Popen(command(home, how, 0, data), stdout=subprocess.DEVNULL)
    while process.poll() is None and not any(home.glob("archive/*/*/SUMMARY.md")):
        time.sleep(0.2)
    time.sleep(after)
    for pid in [process.pid, *below(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


async def measure(
    home: Path, how: str, kill: float, data: Sequence[Path]
) -> dict[str, float | str]:
    """Index once; what came of it as digests."""
    settings = Settings(home=home, index_auto=False)
    killed: list[str] = []
    if kill:
        threading.Thread(target=lose, args=(kill, killed), daemon=True).start()
    here = not how.startswith("ray:")
    with nullcontext() if here else connected("local", workers=int(how[4:])) as cluster:
        async with open_bank(settings, cwd="/") as bank:
            found = list(indexer.transcripts(data))
            before, began = processor(os.getpid()), time.perf_counter()
            reports = await bank.index(
                found, processes=int(how) if here else cluster.hiring(Model.of(settings))
            )
            took, spent = time.perf_counter() - began, processor(os.getpid()) - before
            most = peak()
            table = bank.rooms.store._tables["evidence"]  # noqa: SLF001 rows with their vectors
            rows = (await table.query().to_arrow()).drop_columns(["batch"]).sort_by("key")
    statuses = [report.status for report in reports]
    return {
        "seconds": took,
        "processor": spent,
        "megabytes": sum(report.bytes for report in reports) / 1e6,
        "count": rows.num_rows,
        "rows": digest_of(rows),
        "files": whole(settings.archive_dir),
        "peak": most,
        "killed": ", ".join(killed),
        "unchanged": statuses.count("unchanged"),
    }


def digest_of(rows: Any) -> str:
    """Every value of every row, and the bits of the vectors."""
    digest = hashlib.sha256()
    vectors = rows.column("vector")
    digest.update(repr(vectors.is_null().to_pylist()).encode())
    for chunk in vectors.chunks:
        digest.update(chunk.flatten().to_numpy(zero_copy_only=False).tobytes())
    for batch in rows.drop_columns(["vector"]).to_batches(max_chunksize=2_000):
        for row in batch.to_pylist():
            digest.update(repr(row).encode())
    return digest.hexdigest()


def whole(root: Path) -> str:
    """All names and bytes of a folder, as one digest."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def lose(after: float, killed: list[str]) -> None:
    """Kill a worker of this process's cluster while it works; noted with the second."""
    time.sleep(after)
    for pid in below(os.getpid()):
        if commandline(pid).startswith(WORKER):
            os.kill(pid, signal.SIGKILL)
            killed.append(f"after {after:.0f} s")
            return


def below(parent: int) -> list[int]:
    """Processes that this one began, and that those did."""
    parents = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                told = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(place.name)] = int(told[1])
    found = [pid for pid, above in parents.items() if above == parent]
    return [*found, *(pid for each in found for pid in below(each))]


def processor(pid: int) -> float:
    """Seconds of processor that a process and those below it have taken, ended ones included."""
    ticks = 0
    for each in [pid, *below(pid)]:
        try:
            told = (Path("/proc") / str(each) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, told[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def commandline(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text()
    except OSError:
        return ""


def repeated(data: Sequence[Path], times: int, scratch: Path) -> Iterator[Path]:
    """The history, and again as it would have been years before, in sessions of their own."""
    yield from data
    for turn in range(1, times):
        for folder in data:
            for path in transcripts.files([folder]):
                copy = scratch / f"copy{turn}" / folder.name / path.relative_to(folder)
                copy = copy.with_name(UUID.sub(shifted(turn), copy.name.encode()).decode())
                copy.parent.mkdir(parents=True, exist_ok=True)
                text = UUID.sub(shifted(turn), path.read_bytes())
                copy.write_bytes(YEAR.sub(earlier(turn), text))
        yield scratch / f"copy{turn}"


def shifted(turn: int) -> Callable[[re.Match[bytes]], bytes]:
    """Another id for each, the same wherever it stands."""
    return lambda found: b"%x" % ((int(found[1], 16) + turn) % 16) + found[2]


def earlier(turn: int) -> Callable[[re.Match[bytes]], bytes]:
    """Years before."""
    return lambda found: b"20%d-" % (int(found[1]) - 3 * turn)


if __name__ == "__main__":
    main()
