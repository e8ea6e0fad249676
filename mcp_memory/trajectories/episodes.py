"""Episodes: a trajectory cut into attempts at one goal, with the outcomes that evidence shows."""

import math
from collections.abc import Sequence

from mcp_memory.domain.models import Episode, Outcome, SourceClass, Step, Trajectory
from mcp_memory.text import cutting, running
from mcp_memory.trajectories import calls, edits, verdicts
from mcp_memory.trajectories.verdicts import Verdict

GOAL_CHARS = 1000
"""How much of a request an episode's goal repeats."""
TINY = 16
"""A request of so few characters (`yes`, `go on`) goes on with what went before."""
SHORT = 160
"""A request of so few goes on where it answers a question or breaks into work."""
_SHOWN = 80
_REASON = 160
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")


def cut(trajectory: Trajectory) -> tuple[Episode, ...]:
    """The attempts of a trajectory in order: their spans cover every step once.

    A span begins with a user's request and goes to the next. A request that is tiny, or that is
    short and answers a question or breaks into work, goes on with the span before.
    """
    steps = trajectory.steps
    starts = _starts(steps)
    ends = [*starts[1:], len(steps)] if steps else []
    found: list[Episode] = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        span = steps[start:end]
        outcome, reason = _outcome(span)
        told = trajectory.verdict is not Outcome.UNKNOWN or trajectory.verdict_reason
        if number == len(starts) and told and outcome is Outcome.UNKNOWN:
            outcome, reason = trajectory.verdict, trajectory.verdict_reason or "the host's verdict"
        episode = Episode(
            trajectory=trajectory.id,
            number=number,
            first=span[0].number,
            last=span[-1].number,
            goal=_goal(span, trajectory),
            outcome=outcome,
            reason=reason,
        )
        found.append(episode)
    return tuple(found)


def stood_by(trajectory: Trajectory) -> Trajectory:
    """The trajectory with the request as its goal that its user stood by.

    Readers take the first one; where that was taken back, or its branch left, it says nothing of the
    session. One of which every request was taken back keeps its goal.
    """
    requests = [step for step in trajectory.steps if _is_request(step)]
    meant = next((step.text.strip() for step in requests if not step.abandoned), "")
    goal = trajectory.goal.strip()
    if not meant or not requests[0].abandoned or goal not in requests[0].text:
        return trajectory
    of_goal = trajectory.title.strip() in goal
    title = running.headline(meant) if of_goal else trajectory.title
    return trajectory.model_copy(update={"goal": cutting.head(meant, GOAL_CHARS), "title": title})


def _starts(steps: Sequence[Step]) -> list[int]:
    """Places where spans begin; what stands before the first request belongs to it."""
    starts: list[int] = []
    worked = False
    for place, step in enumerate(steps):
        if _is_request(step) and (not starts or (worked and not _goes_on(steps, place))):
            starts.append(place)
            worked = False
        worked = worked or (step.kind == "agent" and bool(starts))
    if not steps:
        return []
    return [0, *starts[1:]]


def _is_request(step: Step) -> bool:
    return step.kind == "user" and bool(step.text.strip())


def _goes_on(steps: Sequence[Step], place: int) -> bool:
    length = len(steps[place].text.strip())
    if length <= TINY:
        return not steps[place].abandoned and not steps[place - 1].abandoned
    if length > SHORT:
        return False
    before = next((step for step in reversed(steps[:place]) if step.kind == "agent"), None)
    if before is None or before.abandoned:
        return False
    broken = bool(before.calls) or any(_is_interrupt(step) for step in steps[before.number : place])
    return asks(before.text) or broken


def asks(text: str) -> bool:
    """Whether what an agent says ends by asking its user something."""
    return text.rstrip(" \n*_`)").endswith(_QUESTION_MARKS)


def _is_interrupt(step: Step) -> bool:
    """Readers mark what a user stopped as a system step that comes from the user."""
    return step.kind == "system" and step.source is SourceClass.USER


def _goal(span: Sequence[Step], trajectory: Trajectory) -> str:
    asked = _asked(span)
    # The reader may know better what the first request asks for, such as the issue in a prompt.
    named = len(trajectory.goal) > TINY and trajectory.goal in asked
    if not asked or (span[0] is trajectory.steps[0] and named):
        asked = trajectory.goal or asked or trajectory.title
    return cutting.head(asked, GOAL_CHARS)


def _asked(span: Sequence[Step]) -> str:
    """The request that a span is about: of those before any work the first that was not taken back.

    Words that were sent too soon (`It`) and are followed by the rest are none.
    """
    requests = [step for step in span if _is_request(step)]
    worked = next((step.number for step in span if step.kind == "agent"), math.inf)
    leading = [step for step in requests if step.number < worked and not step.abandoned]
    said = [step.text.strip() for step in leading or requests]
    return next((text for text in said[: len(leading)] if len(text) > TINY), next(iter(said), ""))


def _outcome(span: Sequence[Step]) -> tuple[Outcome, str]:
    """What verdicts and the user's refusals show; never what an agent claims."""
    told = list(verdicts.of_steps(span))
    runs = [one for one in told if one.command and one.good is not None and not one.looks]
    written = [edit.step for edit in edits.of_steps(span) if edit.told and edit.kind != "make"]
    judged = [run for run in runs if run.judges]
    failed = unresolved(judged)
    passed = (
        next((run for run in reversed(judged) if run.good), None)
        if judged
        else _mended(runs, written)
    )
    stopped = _stopped(span)
    if stopped is not None:
        return stopped
    if failed is not None and passed is not None and passed.step > failed.step:
        return Outcome.UNKNOWN, f"{_shown(failed)}, but {_shown(passed)}"
    if failed is not None:
        return Outcome.FAILURE, f"{_shown(failed)}, not made good later"
    last_call = max((step.number for step in span if step.calls), default=0)
    if runs and not runs[-1].good and runs[-1].step == last_call:
        return Outcome.FAILURE, f"{_shown(runs[-1])}, and nothing was tried after it"
    return _passed(passed, written)


def _passed(passed: Verdict | None, written: Sequence[int]) -> tuple[Outcome, str]:
    if passed is None:
        return Outcome.UNKNOWN, "no command that judges it ended"
    if written and written[-1] > passed.step:
        later = f"but files were changed after it (step {written[-1]})"
        return Outcome.UNKNOWN, f"{_shown(passed)}, {later}"
    return Outcome.SUCCESS, _shown(passed)


def _stopped(span: Sequence[Step]) -> tuple[Outcome, str] | None:
    """A refused edit or command is the user's verdict on an attempt; an interrupt alone is none."""
    interrupted = 0
    for step in reversed(span):
        if _is_interrupt(step):
            interrupted = interrupted or step.number
        elif step.kind == "agent":
            if calls.refused(step):
                return Outcome.FAILURE, f"step {step.number}: refused by the user"
            break
    return (Outcome.UNKNOWN, f"step {interrupted}: stopped by the user") if interrupted else None


def unresolved(judged: Sequence[Verdict]) -> Verdict | None:
    """The last failed verdict that no later one of its kind made good."""
    mended: set[str] = set()
    for run in reversed(judged):
        if run.good:
            mended |= run.judges
        elif not run.judges & mended:
            return run
    return None


def _mended(runs: Sequence[Verdict], written: Sequence[int]) -> Verdict | None:
    """The last command that failed and, word for word, did not once files were changed."""
    for run in reversed(runs):
        failed = (r.step for r in runs if r.command == run.command and not r.good)
        if run.good and any(first < e < run.step for first in failed for e in written):
            return run
    return None


def _shown(run: Verdict) -> str:
    line = cutting.head(" ".join(run.command.split()), _SHOWN)
    return f"step {run.step}: `{line}` {cutting.head(' '.join(run.reason.split()), _REASON)}"
