"""Indexing real transcripts: MB/s with and without vectors, processor, stages, peak memory, room."""

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
import anyio, os, resource, sys, time
from pathlib import Path
from mcp_memory.history import indexer
from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

class Watch:
    def __init__(self):
        self.wall, self.own = time.perf_counter(), time.process_time()

    def told(self):
        return time.perf_counter() - self.wall, time.process_time() - self.own

def room(folder):
    files = [path.stat() for path in folder.rglob("*")]
    return sum(each.st_size for each in files) / 1e6, sum(each.st_blocks for each in files) * 512 / 1e6

async def main():
    home, model, processes, *paths = sys.argv[1:]
    async with open_bank(Settings(home=Path(home), embedding_model=model)) as bank:
        found = list(indexer.transcripts(map(Path, paths)))
        watch = Watch()
        reports = await bank.index(found, processes=int(processes))
        took, own = watch.told()
        read_peak = peak()
        watch = Watch()
        await bank.rest(0)
        await bank.maintain()
        upkept, upkeep = watch.told()
        watch = Watch()
        await bank.index(found)
        again, _ = watch.told()
    others = os.times().children_user + os.times().children_system
    read = [r for r in reports if r.status == "indexed"]
    size = sum(r.bytes for r in read) / 1e6
    print(f"{sum(r.sessions for r in read)} sessions, {sum(r.steps for r in read)} steps, {size:.1f} MB: "
          f"{took:.1f} s, {size / took:.1f} MB/s, peak {read_peak:.0f} MB; "
          f"with upkeep {took + upkept:.1f} s, {size / (took + upkept):.1f} MB/s, peak {peak():.0f} MB; "
          f"processor {own:.1f} s here, {others:.1f} s in others, {upkeep:.1f} s in upkeep; "
          f"again unchanged {again:.2f} s ({again / max(1, len(found)) * 1000:.2f} s a thousand files)")
    for name in ("store", "archive"):
        apparent, blocks = room(Path(home) / name)
        print(f"  {name}: {apparent:.1f} MB, {blocks:.1f} MB in blocks, "
              f"{apparent / max(size, 1e-9):.2f} of the transcripts")

if __name__ == "__main__":
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
    parser.add_argument("--once", action="store_true", help="with vectors and two processes only")
    asked = parser.parse_args()
    paths = asked.data
    print(machine())
    every = (("default", 0), ("default", 2), ("none", 2))
    for model, processes in every[1:2] if asked.once else every:
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", CHILD, home, model, str(processes), *map(str, paths)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            print(f"vectors {model}, {processes} more processes: {done.stdout.strip()}")
    if asked.once:
        return
    stages(transcripts.files(paths))
    print(f"peak of the stages {peak()} MB")


if __name__ == "__main__":
    main()
