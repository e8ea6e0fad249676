"""Indexing real transcripts: sessions, steps, MB/s with and without vectors, stages, peak memory."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
from apparatus import transcripts
from apparatus.timing import Stages, machine, peak

from mcp_memory.domain.models import Trajectory

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

    took, model, size = Stages(), FastEmbedder(), 0
    model.embed_blocking(["load it"])
    for path in (each for each in paths if each.suffix == ".jsonl"):
        try:
            reader = readers.detect(path)
        except UnknownTranscript:
            continue
        raw = path.read_bytes()
        size += len(raw)
        with took.stage("orjson alone"):
            _ = [_parsed(line) for line in raw.splitlines()]
        with took.stage("parsing"):
            read = list(reader.read(path))
        for trajectory in read:
            texts = prepared(trajectory, took)
            with took.stage("embedding"):
                model.embed_blocking(texts)
    for name, seconds in took.items():
        print(f"  {name}: {seconds:.2f} s, {size / 1e6 / max(seconds, 1e-9):.1f} MB/s")


def prepared(trajectory: Trajectory, took: Stages) -> list[str]:
    """What follows reading, stage by stage; the texts to embed."""
    from mcp_memory.trajectories import admission, episodes, evidence, rendering

    with took.stage("masking"):
        masked = admission.admit_trajectory(trajectory).trajectory
    with took.stage("episodes"):
        cut = episodes.cut(masked)
    with took.stage("rendering"):
        rendering.render(masked, cut, folder="p/s", step_chars=4000)
    with took.stage("rows"):
        rows = evidence.rows_of(masked, cut, evidence.Origin("p", "b"))
    return [evidence.embedded_text(row) for row in rows]


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def main() -> None:
    """Run with and without vectors and more processes, each apart, then the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    transcripts.option(parser)
    paths = parser.parse_args().data
    print(machine())
    for model, processes in (("default", 0), ("default", 2), ("none", 2)):
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", CHILD, home, model, str(processes), *map(str, paths)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            print(f"vectors {model}, {processes} more processes: {done.stdout.strip()}")
    stages(transcripts.files(paths))
    print(f"peak of the stages {peak()} MB")


if __name__ == "__main__":
    main()
