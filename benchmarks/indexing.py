"""Indexing real transcripts: sessions, steps, MB/s with and without vectors, stages, peak memory."""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

CHILD = """
import anyio, resource, sys, time
from pathlib import Path
from mcp_memory.history import indexer
from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

async def main():
    home, model, processes, *paths = sys.argv[1:]
    async with open_bank(Settings(home=Path(home), embedding_model=model)) as bank:
        found = list(indexer.transcripts(map(Path, paths)))
        started = time.perf_counter()
        reports = await bank.index(found, processes=int(processes))
        took = time.perf_counter() - started
        started = time.perf_counter()
        await bank.index(found)
        again = time.perf_counter() - started
    read = [r for r in reports if r.status == "indexed"]
    size = sum(r.bytes for r in read) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sum(r.sessions for r in read)} sessions, {sum(r.steps for r in read)} steps, {size:.1f} MB: "
          f"{took:.1f} s, {size / took:.1f} MB/s, peak {peak:.0f} MB; "
          f"again unchanged {again:.2f} s ({again / max(1, len(found)) * 1000:.2f} s a thousand files)")

anyio.run(main)
"""


def stages(paths: list[Path]) -> None:
    """Print the seconds of each stage in one thread, orjson's parsing alone as the floor."""
    from mcp_memory import readers
    from mcp_memory.domain.errors import UnknownTranscript
    from mcp_memory.embedding.embedder import FastEmbedder
    from mcp_memory.trajectories import admission, episodes, evidence, rendering

    took: dict[str, float] = {}
    model = FastEmbedder()
    model.embed_blocking(["load it"])

    def timed(name: str, work):  # noqa: ANN001, ANN202 a stopwatch
        started = time.perf_counter()
        made = work()
        took[name] = took.get(name, 0.0) + time.perf_counter() - started
        return made

    size = 0
    for path in paths:
        if path.suffix == ".jsonl":
            try:
                reader = readers.detect(path)
            except UnknownTranscript:
                continue
            raw = path.read_bytes()
            size += len(raw)
            timed("orjson alone", lambda r=raw: [_parsed(line) for line in r.splitlines()])
            for trajectory in timed("parsing", lambda r=reader, p=path: list(r.read(p))):
                masked = timed(
                    "masking", lambda t=trajectory: admission.admit_trajectory(t)
                ).trajectory
                cut = timed("episodes", lambda m=masked: episodes.cut(m))
                timed(
                    "rendering",
                    lambda m=masked, c=cut: rendering.render(m, c, folder="p/s", step_chars=4000),
                )
                origin = evidence.Origin("p", "b")
                rows = timed("rows", lambda m=masked, c=cut, o=origin: evidence.rows_of(m, c, o))
                texts = [evidence.embedded_text(row) for row in rows]
                timed("embedding", lambda w=texts: model.embed_blocking(w))
    for name, seconds in took.items():
        print(f"  {name}: {seconds:.2f} s, {size / 1e6 / max(seconds, 1e-9):.1f} MB/s")


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def main() -> None:
    """Run with and without vectors and more processes, each apart, then the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    paths = parser.parse_args().data
    print(f"machine {platform.node()}, {os.cpu_count()} processors")
    for model, processes in (("default", 0), ("default", 2), ("none", 2)):
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", CHILD, home, model, str(processes), *map(str, paths)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            print(f"vectors {model}, {processes} more processes: {done.stdout.strip()}")
    files = [each for path in paths for each in (path.rglob("*") if path.is_dir() else [path])]
    stages(sorted(each for each in files if each.is_file()))
    print(f"peak of the stages {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
