"""LoCoMo: questions over long conversations of two people, to the turns that answer them."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Trajectory
from mcp_memory.evals.material import talks
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, digest_of, suite_of

NAME = "locomo"
HEADLINE = "unit.recall@10"
KINDS: tuple[HitKind, ...] = ("step",)
_CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop", 5: "adversarial"}
_TURN = re.compile(r"D:?(\d+):(\d+)")


def suites(sources: Sources) -> Iterator[Suite]:
    """All conversations in one bank, each a project of its own: it is asked alone.

    Raises:
        InvalidInput: no LoCoMo file is there.
    """
    paths = sorted((sources.data / "benchmarks" / "locomo").rglob("locomo*.json"))
    if not paths:
        raise InvalidInput("No LoCoMo data.", next_step="Give --data the folder of benchmarks/.")
    yield suite_of(
        Corpus(NAME, digest_of(*paths), trajectories=lambda: _trajectories(paths)),
        lambda: _samples(paths),
    )


def _talks(paths: list[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in paths:
        for number, talk in enumerate(orjson.loads(path.read_bytes())):
            yield str(talk.get("sample_id", number)), talk


def _sessions(talk: Mapping[str, Any]) -> Iterator[tuple[int, list[Mapping[str, str]]]]:
    for key, turns in talk["conversation"].items():
        if (match := re.fullmatch(r"session_(\d+)", key)) and turns:
            yield int(match[1]), turns


def _trajectories(paths: list[Path]) -> Iterator[Trajectory]:
    for name, talk in _talks(paths):
        for session, turns in _sessions(talk):
            at = _moment(talk["conversation"].get(f"session_{session}_date_time", ""))
            said: list[talks.Turn] = [("user", _text(turn), at) for turn in turns]
            yield talks.trajectory(NAME, f"{name}/{session}", _project(name), said)


def _samples(paths: list[Path]) -> Iterator[Sample]:
    for name, talk in _talks(paths):
        places = {
            turn["dia_id"]: (session, number)
            for session, turns in _sessions(talk)
            for number, turn in enumerate(turns, 1)
        }
        for number, asked in enumerate(talk["qa"]):
            told = _TURN.findall(" ".join(asked.get("evidence") or ()))
            named = [places[key] for a, b in told if (key := f"D{int(a)}:{int(b)}") in places]
            if named:
                units = [talks.unit(NAME, f"{name}/{s}", turn) for s, turn in named]
                yield Sample(
                    id=f"{NAME}/{name}/{number}",
                    question=str(asked["question"]),
                    gold=frozenset(units),
                    sessions=frozenset(unit[2:].partition("#")[0] for unit in units),
                    project=_project(name),
                    group=_CATEGORIES.get(int(asked.get("category", 0)), ""),
                )


def _project(name: str) -> str:
    return f"/{NAME}/{name}"


def _text(turn: Mapping[str, str]) -> str:
    shown = f" [shows a picture: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
    return f"{turn['speaker']}: {turn['text']}{shown}"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
    except ValueError:
        return None
