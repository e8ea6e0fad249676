"""Talks: conversations of any benchmark as trajectories, every turn a step with its own number."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass, Step, StepKind, Trajectory

Turn = tuple[StepKind, str, datetime | None]


def trajectory(benchmark: str, native_id: str, project: str, turns: Sequence[Turn]) -> Trajectory:
    """A session of turns; step N is the Nth of them."""
    times = [at for _, _, at in turns if at is not None]
    return Trajectory(
        id=refs.trajectory_id(benchmark, native_id),
        format=benchmark,
        native_id=native_id,
        cwd=project,
        started_at=min(times, default=None),
        ended_at=max(times, default=None),
        steps=tuple(_steps(turns)),
    )


def unit(benchmark: str, native_id: str, number: int) -> str:
    """The ref of a session's Nth turn."""
    return refs.span(refs.trajectory_id(benchmark, native_id), number)


def _steps(turns: Sequence[Turn]) -> Iterable[Step]:
    for number, (kind, text, at) in enumerate(turns, 1):
        source = SourceClass.USER if kind == "user" else SourceClass.AGENT
        yield Step(number=number, kind=kind, text=text, at=at, source=source)
