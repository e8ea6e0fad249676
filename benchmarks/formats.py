"""Every format over real transcripts: sessions, steps, MB/s by stage, peak memory, what was not mapped."""

import argparse
import multiprocessing
from collections import Counter
from pathlib import Path

from apparatus import transcripts
from apparatus.timing import Stages, peak

from mcp_memory import readers
from mcp_memory.domain.models import Trajectory
from mcp_memory.trajectories import admission, episodes, evidence, rendering

STAGES = ("reading", "masking", "rendering", "rows")


def measure(job: tuple[str, list[Path]]) -> dict[str, object]:
    """One format in a process of its own."""
    name, paths = job
    took = Stages()
    told: Counter[str] = Counter()
    left: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    before = peak()
    for path in paths:
        told["bytes"] += path.stat().st_size
        reader = readers.detect(path)
        with took.stage("reading"):
            trajectories = list(reader.read(path))
        for each in trajectories:
            told.update({"sessions": 1, "steps": len(each.steps)})
            left.update(each.skipped)
            unknown.update(each.unknown)
            refused.update(refusal.reason.split(":")[0][:60] for refusal in each.refusals)
            prepare(each, took)
    return {"name": name, "files": len(paths), "took": took, "told": told, "left": left,
            "unknown": unknown, "refused": refused, "peak": peak(), "before": before}  # fmt: skip


def prepare(trajectory: Trajectory, took: Stages) -> None:
    """What follows reading, stage by stage."""
    with took.stage("masking"):
        masked = admission.admit_trajectory(trajectory).trajectory
    with took.stage("rendering"):
        cut = episodes.cut(masked)
        rendering.render(masked, cut, folder="p/s", step_chars=4_000)
    with took.stage("rows"):
        evidence.rows_of(masked, cut, evidence.Origin("p", "b"))


def row(one: dict[str, object]) -> str:
    """A line of the table."""
    told, took = one["told"], one["took"]
    size = told["bytes"] / 1e6
    whole = sum(took.values())
    shares = " ".join(f"{took[stage] / whole:4.0%}" for stage in STAGES) if whole else ""
    return (
        f"{one['name']:16} {one['files']:5} {told['sessions']:6} {told['steps']:7} {size:8.2f} "
        f"{size / max(took['reading'], 1e-9):7.1f} {size / max(whole, 1e-9):7.1f}  {shares}  "
        f"{one['peak']:6.0f}  {len(one['left']):3}/{sum(one['left'].values()):<6} "
        f"{len(one['unknown']):3}/{sum(one['unknown'].values()):<4} {sum(one['refused'].values()):4}"
    )


def main() -> None:
    """Group files by content, measure each format apart, print the table and what was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    transcripts.option(parser)
    groups, others = transcripts.by_format(parser.parse_args().data)
    print(f"{'format':16} {'files':>5} {'sess.':>6} {'steps':>7} {'MB':>8} {'read':>7} {'all':>7}  "
          f"{' '.join(stage[:4] for stage in STAGES)}  {'peak':>6}  left out   unknown refused")  # fmt: skip
    context = multiprocessing.get_context("spawn")
    measured = []
    for job in groups.items():
        with context.Pool(1) as pool:
            measured.append(pool.apply(measure, (job,)))
        print(row(measured[-1]), flush=True)
    for one in measured:
        for title in ("unknown", "refused"):
            if one[title]:
                print(f"{one['name']} {title}: {dict(one[title].most_common(12))}")
    print(f"files of no known format: {sum(others.values())} {dict(others.most_common(12))}")


if __name__ == "__main__":
    main()
