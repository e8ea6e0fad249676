"""Leaving: a session as somebody who comes back needs it, told at the length that there is room for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import Outcome, Step
from mcp_memory.text import cutting, guard
from mcp_memory.text.running import asked, running
from mcp_memory.trajectories import committing, edits, screening, unfinished
from mcp_memory.trajectories.told import utc
from mcp_memory.trajectories.unfinished import Left


@dataclass(frozen=True, slots=True)
class Length:
    """How much of each thing is told."""

    goal: int
    said: int
    asked: int
    open: int
    files: int
    done: int
    line: int = 160
    """Characters of one line of what is open, asked or done."""


LENGTHS = (
    Length(goal=300, said=700, asked=5, open=8, files=12, done=5, line=240),
    Length(goal=240, said=400, asked=3, open=6, files=8, done=3, line=200),
    Length(goal=160, said=160, asked=0, open=3, files=5, done=2),
    Length(goal=120, said=0, asked=0, open=2, files=3, done=1, line=100),
    Length(goal=90, said=0, asked=0, open=0, files=0, done=0),
)
"""From most to least."""


@dataclass(frozen=True, slots=True)
class Session:
    """What its catalogue row says of a session, and who else belongs to it."""

    id: str
    project: str
    goal: str
    outcome: str
    steps: int
    begun: datetime | None
    ended: datetime | None
    agents: int = 0
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Traces:
    """What the steps of a session show."""

    requests: tuple[Step, ...]
    """What people asked for, in order."""
    said: Step | None
    open: tuple[Left, ...]
    done: tuple[tuple[int, str], ...]
    files: tuple[str, ...]


def traced(
    steps: Sequence[Step],
    *,
    path: Callable[[str], str],
    committed: bool,
    resumes: Callable[[str], bool],
) -> Traces:
    """What somebody who comes back looks for; requests that only `resumes` are left out."""
    requests = (s for s in steps if s.kind == "user" and not s.abandoned and s.text.strip())
    said = (s for s in reversed(steps) if s.kind == "agent" and s.text.strip())
    commits = [one for one in committing.of_steps(steps) if not one.undone and one.subject]
    edited = dict.fromkeys(
        path(edit.path)
        for edit in reversed(list(edits.of_steps(steps)))
        if edit.told and edit.kind != "make"
    )
    return Traces(
        requests=tuple(step for step in requests if not resumes(step.text)),
        said=next(said, None),
        open=tuple(unfinished.left(steps, path=path, committed=committed)),
        done=tuple((one.step, one.subject) for one in commits),
        files=tuple(name for name in edited if name),
    )


def told(session: Session, traces: Traces, length: Length) -> LeftOff:
    """The session at one length; what is left out of a list is counted in it."""
    first = next(iter(traces.requests), None)
    goal = session.goal or (first.text if first else "")
    opened = {left.words for left in traces.open}
    files = () if ", ".join(traces.files) in opened else traces.files
    later = [step for step in traces.requests[1:] if step.text.strip() != goal.strip()]
    return LeftOff(
        ref=f"t:{session.id}",
        when=when(session.begun, session.ended),
        project=session.project,
        goal=_flat(asked(goal), length.goal),
        asked=_last([f"#{s.number} {_flat(s.text, length.line)}" for s in later], length.asked),
        outcome=Outcome(session.outcome or "unknown"),
        said=_said(traces.said, length.said),
        open=_first([_open(each, length.line) for each in traces.open], length.open),
        done=_last([f"#{n} {_flat(text, length.line)}" for n, text in traces.done], length.done),
        files=_first(files, length.files),
        steps=session.steps,
        agents=session.agents,
        alike=session.alike,
    )


def when(begun: datetime | None, ended: datetime | None) -> str:
    """`2026-06-19 14:15-16:57`, or with the day of the end where it is another."""
    if begun is None:
        return "undated"
    start = utc(begun)
    end = utc(ended) if ended else start
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}" + (f"-{last}" if end > start else "")


def _said(step: Step | None, chars: int) -> str:
    return f"#{step.number} {_flat(step.text, chars)}" if step and chars else ""


def _open(left: Left, chars: int) -> str:
    return f"#{left.step} {left.what}: {_flat(left.words, chars)}"


def _first(lines: Sequence[str], most: int) -> tuple[str, ...]:
    more = len(lines) - most
    return (*lines[:most], *([f"and {more} more"] if more > 0 and most else ()))


def _last(lines: Sequence[str], most: int) -> tuple[str, ...]:
    more = len(lines) - most
    if not most:
        return ()
    return (*lines[max(0, more) :], *([f"and {more} earlier"] if more > 0 else ()))


def _flat(text: str, chars: int) -> str:
    """A text as one line; of a longer one its beginning, at a word; nothing that gives power away."""
    flat = guard.neutralise(running(screening.line(text[: chars * 4])))
    return cutting.head(flat, chars)
