"""LongMemEval: questions over a user's chat sessions, to the sessions that answer them."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Trajectory
from mcp_memory.evals.material import talks
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, digest_of, suite_of

NAME = "longmemeval"
HEADLINE = "session.any@5"
KINDS: tuple[HitKind, ...] = ("step",)
_NUMBERS = re.compile(r"(\d{4})/(\d\d)/(\d\d).*?(\d\d):(\d\d)")


def suites(sources: Sources) -> Iterator[Suite]:
    """Every instance a project of its own, with its haystack; a bank a file.

    Raises:
        InvalidInput: no file of instances is there.
    """
    found = (sources.data / "benchmarks").glob("longmemeval*/longmemeval*.json")
    paths = sorted(path for path in found if "_v2" not in path.parent.name)
    if not paths:
        raise InvalidInput(
            "No LongMemEval file.",
            next_step="Put longmemeval_s.json in DATA/benchmarks/longmemeval/.",
        )
    for path in paths:
        yield _suite(path)


def _suite(path: Path) -> Suite:
    corpus = Corpus(
        f"{NAME}-{path.stem}", digest_of(path), trajectories=lambda: _trajectories(path)
    )
    return suite_of(corpus, lambda: _samples(path))


def _instances(path: Path) -> list[Mapping[str, Any]]:
    told = orjson.loads(path.read_bytes())
    return told if isinstance(told, list) else [told]


def _trajectories(path: Path) -> Iterator[Trajectory]:
    for each in _instances(path):
        dates = each.get("haystack_dates") or []
        for place, turns in enumerate(each["haystack_sessions"]):
            at = _moment(dates[place] if place < len(dates) else "")
            said: list[talks.Turn] = [
                ("user" if turn["role"] == "user" else "agent", turn["content"], at)
                for turn in turns
            ]
            yield talks.trajectory(NAME, _native(each, place), _project(each), said)


def _samples(path: Path) -> Iterator[Sample]:
    for each in _instances(path):
        answering = set(each.get("answer_session_ids") or ())
        absent = str(each["question_id"]).endswith("_abs")
        sessions = frozenset(
            refs.trajectory_id(NAME, _native(each, place))
            for place, name in enumerate(each["haystack_session_ids"])
            if name in answering
        )
        if sessions or absent:
            yield Sample(
                id=f"{NAME}/{each['question_id']}",
                question=each["question"],
                sessions=frozenset() if absent else sessions,
                project=_project(each),
                group=str(each.get("question_type", "")),
                absent=absent,
            )


def _native(each: Mapping[str, Any], place: int) -> str:
    return f"{each['question_id']}/{place}"


def _project(each: Mapping[str, Any]) -> str:
    return f"/{NAME}/{each['question_id']}"


def _moment(text: str) -> datetime | None:
    found = _NUMBERS.search(text)
    if found is None:
        return None
    year, month, day, hour, minute = map(int, found.groups())
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
