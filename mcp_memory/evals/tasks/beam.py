"""BEAM: questions over long talks with an assistant, to their messages; some ask what is not there."""

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

NAME = "beam"
HEADLINE = "unit.recall@10"
KINDS: tuple[HitKind, ...] = ("step",)


def suites(sources: Sources) -> Iterator[Suite]:
    """All talks in one bank, each a project, each of its batches a session.

    Raises:
        InvalidInput: no chats are there.
    """
    paths = sorted((sources.data / "benchmarks" / "beam").rglob("chat.json"))
    if not paths:
        raise InvalidInput("No BEAM chats.", next_step="Give --data the folder of benchmarks/.")
    corpus = Corpus(NAME, digest_of(*paths), trajectories=lambda: _trajectories(paths))
    yield suite_of(corpus, lambda: _samples(paths))


def _batches(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for batch in orjson.loads(path.read_bytes()):
        said = [message for turn in batch["turns"] for message in turn]
        yield f"{_name(path)}/{batch['batch_number']}", said


def _trajectories(paths: list[Path]) -> Iterator[Trajectory]:
    for path in paths:
        for name, said in _batches(path):
            at: datetime | None = None
            turns: list[talks.Turn] = []
            for message in said:
                at = _moment(message.get("time_anchor") or "") or at
                kind = "user" if message["role"] == "user" else "agent"
                # The generator's own marks (`->-> 1,1`) are no part of what was said.
                text = message["content"].partition("->->")[0].strip()
                turns.append(("user" if kind == "user" else "agent", text, at))
            yield talks.trajectory(NAME, name, _project(path), turns)


def _samples(paths: list[Path]) -> Iterator[Sample]:
    for path in paths:
        places = {
            message["id"]: talks.unit(NAME, name, number)
            for name, said in _batches(path)
            for number, message in enumerate(said, 1)
        }
        asked = path.parent / "probing_questions" / "probing_questions.json"
        for group, questions in orjson.loads(asked.read_bytes()).items():
            for number, question in enumerate(questions):
                named = set(_numbers(question.get("source_chat_ids")))
                units = frozenset(places[each] for each in named if each in places)
                if units or group == "abstention":
                    yield Sample(
                        id=f"{NAME}/{_name(path)}/{group}/{number}",
                        question=question["question"],
                        gold=units if group != "abstention" else frozenset(),
                        project=_project(path),
                        group=group,
                        absent=group == "abstention",
                    )


def _numbers(told: Any) -> Iterator[int]:
    """The message ids in a field that is a number, a list, or lists by name."""
    if isinstance(told, bool):
        return
    if isinstance(told, int):
        yield told
    elif isinstance(told, dict):
        yield from _numbers(list(told.values()))
    elif isinstance(told, list):
        for each in told:
            yield from _numbers(each)


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.parent.name}"


def _project(path: Path) -> str:
    return f"/{NAME}/{_name(path)}"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        return None
