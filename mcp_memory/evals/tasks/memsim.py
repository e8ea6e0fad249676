"""MemSim: questions in Chinese over messages of everyday life, to the messages that answer them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Trajectory
from mcp_memory.evals.material import talks
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, digest_of, suite_of

NAME = "memsim"
HEADLINE = "unit.recall@5"
KINDS: tuple[HitKind, ...] = ("step",)
MOST = 40
"""Conversations of each file: all 2,600 would take an hour and tell the same."""


def suites(sources: Sources) -> Iterator[Suite]:
    """One bank, each conversation a project of its own.

    Raises:
        InvalidInput: no MemSim file is there.
    """
    paths = sorted((sources.data / "benchmarks" / "memsim_zh").glob("*.json"))
    if not paths:
        raise InvalidInput("No MemSim data.", next_step="Give --data the folder of benchmarks/.")
    digest = digest_of(*paths) + str(MOST)
    corpus = Corpus(NAME, digest, trajectories=lambda: _trajectories(paths))
    yield suite_of(corpus, lambda: _samples(paths))


def _talks(paths: list[Path]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in paths:
        for talk in orjson.loads(path.read_bytes())[:MOST]:
            yield path.stem, f"{path.stem}/{talk['tid']}", talk


def _trajectories(paths: list[Path]) -> Iterator[Trajectory]:
    for _, name, talk in _talks(paths):
        said: list[talks.Turn] = [
            ("user", turn["message"], _moment(turn["time"])) for turn in talk["message_list"]
        ]
        yield talks.trajectory(NAME, name, f"/{NAME}/{name}", said)


def _samples(paths: list[Path]) -> Iterator[Sample]:
    for group, name, talk in _talks(paths):
        places = {int(turn["mid"]): n for n, turn in enumerate(talk["message_list"], 1)}
        for asked in talk["question_list"]:
            told = [int(each) for each in asked["target_step_id"]]
            units = [talks.unit(NAME, name, places[each]) for each in told if each in places]
            if units:
                yield Sample(
                    id=f"{NAME}/{name}/{asked['qid']}",
                    question=asked["question"],
                    gold=frozenset(units),
                    project=f"/{NAME}/{name}",
                    group=group.partition("_")[2].partition("_")[0],
                )


def _moment(text: str) -> datetime | None:
    parts = text.split()
    try:
        return datetime.strptime(f"{parts[0]} {parts[-1]}", "%Y年%m月%d日 %H:%M").replace(
            tzinfo=UTC
        )
    except (ValueError, IndexError):
        return None
