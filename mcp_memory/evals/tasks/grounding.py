"""Grounding: flags, paths and ports that failed with one value and worked with another, later changed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_memory.domain import refs
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Observation, SourceClass, Step, StepKind, ToolCall, Trajectory
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, suite_of

NAME = "grounding"
HEADLINE = "unit.any@5"
KINDS: tuple[HitKind, ...] = ("step",)
PROJECT = "/grounding"
_BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
_TOOLS = (
    "deploy",
    "ingest",
    "migrate",
    "render",
    "mirror",
    "archive",
    "replay",
    "compact",
    "verify",
)
_PARTS = ("orders", "invoices", "events", "images", "reports", "sessions", "metrics")
_KINDS: tuple[tuple[str, str, str, Callable[[random.Random], str]], ...] = (
    ("flag", "--workers", "How many --workers work for {}?", lambda d: str(d.randrange(2, 99))),
    ("flag", "--batch-size", "Which --batch-size works for {}?", lambda d: str(d.randrange(100, 9_000))),
    ("port", "--port", "On which port does {} run?", lambda d: str(d.randrange(1_024, 60_000))),
    ("path", "--target", "Which --target is right for {}?", lambda d: f"/srv/v{d.randrange(100, 999)}"),
)  # fmt: skip
_FAULT = "error: {} {} was rejected by the {} of {}"
_DONE = "{} of {} finished"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one program, with the values that were tried, each session's last confirmed."""

    kind: str
    program: str
    name: str
    question: str
    sessions: tuple[tuple[str, str], ...]
    """Of each session in order the value that failed and the one that worked."""


def suites(sources: Sources) -> Iterator[Suite]:
    """One bank, made by rule from a fixed seed: every parameter is a distractor of all others."""
    del sources
    known = parameters()
    yield suite_of(
        Corpus(NAME, "1", trajectories=lambda: _trajectories(known)), lambda: _samples(known)
    )


def parameters() -> list[Parameter]:
    """Every program with one parameter of each kind, in one to three sessions."""
    dice = random.Random(11)  # noqa: S311 a set that is the same for ever, not secrecy
    made = []
    for number, (tool, part) in enumerate((t, p) for t in _TOOLS for p in _PARTS):
        kind, name, question, value = _KINDS[number % len(_KINDS)]
        values: dict[str, None] = {}
        while len(values) < 2 * (1 + number % 3):
            values[value(dice)] = None
        tried = list(values)
        pairs = tuple(zip(tried[::2], tried[1::2], strict=True))
        program = f"{tool}-{part}"
        made.append(Parameter(kind, program, name, question.format(program), pairs))
    return made


def _trajectories(known: list[Parameter]) -> Iterator[Trajectory]:
    for each in known:
        for turn in range(len(each.sessions)):
            yield _session(each, turn)


def _native(each: Parameter, turn: int) -> str:
    return f"{each.program}/{turn}"


def _session(each: Parameter, turn: int) -> Trajectory:
    at = _BEGAN + timedelta(days=7 * turn)
    wrong, right = each.sessions[turn]
    tool, _, part = each.program.partition("-")
    failed = _FAULT.format(each.name, wrong, tool, part)
    steps = (
        _said(1, f"Please run {each.program} again.", at, SourceClass.USER),
        _ran(2, f"{each.program} {each.name} {wrong}", failed, at, exit_code=2),
        _said(3, f"It does not take {wrong}; I will look.", at, SourceClass.AGENT),
        _ran(4, f"{each.program} --help", f"usage: {each.program} [{each.name} VALUE]", at, exit_code=0),
        _ran(5, f"{each.program} {each.name} {right}", _DONE.format(tool, part), at, exit_code=0),
        _said(6, "That worked.", at, SourceClass.AGENT),
    )  # fmt: skip
    native = _native(each, turn)
    return Trajectory(
        id=refs.trajectory_id(NAME, native),
        format=NAME,
        native_id=native,
        cwd=PROJECT,
        started_at=at,
        ended_at=at,
        steps=steps,
    )


def _said(number: int, text: str, at: datetime, source: SourceClass) -> Step:
    kind: StepKind = "user" if source is SourceClass.USER else "agent"
    return Step(number=number, kind=kind, text=text, at=at, source=source)


def _ran(number: int, command: str, shown: str, at: datetime, *, exit_code: int) -> Step:
    call = ToolCall(id="c", name="Bash", command=command, arguments={"command": command})
    seen = Observation(call_id="c", text=shown, exit_code=exit_code, failed=exit_code != 0)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,), at=at)


def _samples(known: list[Parameter]) -> Iterator[Sample]:
    for each in known:
        last = len(each.sessions) - 1
        trajectory = refs.trajectory_id(NAME, _native(each, last))
        yield Sample(
            id=f"{NAME}/{each.program}",
            question=each.question,
            gold=frozenset({refs.span(trajectory, 5)}),
            sessions=frozenset({trajectory}),
            values=(f"{each.name} {each.sessions[-1][1]}",),
            project=PROJECT,
            group=each.kind,
        )
