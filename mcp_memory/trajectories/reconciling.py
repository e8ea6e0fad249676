"""Reconciling: what is kept of a session and a new reading of it that lacks some of it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_memory.domain.models import Step, Trajectory
from mcp_memory.trajectories import lineage
from mcp_memory.trajectories.lineage import Alignment, Mark


@dataclass(frozen=True, slots=True)
class Former:
    """What is kept of a session: its steps, their marks, and how it was read."""

    trajectory: Trajectory
    marks: list[Mark]


def united(former: Former, now: Trajectory, laid: Alignment) -> Trajectory:
    """The new reading with what it lacks of the former one, each step under its number.

    Steps that the host no longer has are marked as taken back. Of a step that it shortened the
    former words stay; where an agent's or a person's own words changed, too, what it says now
    follows as a step of its own that revises the former.
    """
    kept = {step.number: step for step in former.trajectory.steps}
    numbers = dict(zip((step.number for step in now.steps), laid.numbers, strict=True))
    free = max([len(former.marks), *laid.numbers], default=0) + 1
    steps: dict[int, Step] = {}
    for step in now.steps:
        placed = _placed(step, numbers)
        before = kept.get(placed.number)
        if placed.number in laid.poorer and before is not None:
            steps[before.number] = before.model_copy(update={"taken_back": False})
            if placed.text and placed.text != before.text:
                update = {"number": free, "revises": before.number}
                steps[free] = placed.model_copy(update=update)
                free += 1
        else:
            steps[placed.number] = placed
    for number in laid.left:
        if number in kept:
            steps[number] = kept[number].model_copy(update={"taken_back": True})
    last = max(steps, default=0)
    whole = tuple(steps.get(n) or Step(number=n, kind="system") for n in range(1, last + 1))
    return now.model_copy(update={"steps": whole} | _told(former.trajectory, now))


def relaid(before: list[Mark], now: list[Mark], *, shorter: bool) -> Alignment:
    """As `aligned` where the session is read in another way than before.

    Then numbers are the new reading's own, and of what it lacks only that is kept which the host
    had taken back before, or all, where the transcript has become shorter.
    """
    laid = lineage.aligned(before, now)
    count = len(now)
    kept = [n for n in laid.left if shorter or before[n - 1].kind == lineage.TAKEN]
    kept = [n for n in kept if before[n - 1].held]
    return Alignment(tuple(range(1, count + 1)), tuple(kept))


def moved(former: Former, laid: Alignment, *, after: int) -> tuple[Former, Alignment]:
    """The former reading with the steps that are kept of it numbered on from `after`."""
    numbers = {old: after + place for place, old in enumerate(laid.left, 1)}
    steps = tuple(
        step.model_copy(update={"number": numbers[step.number], "revises": None})
        for step in former.trajectory.steps
        if step.number in numbers
    )
    told = former.trajectory.model_copy(update={"steps": steps})
    return Former(told, []), Alignment(laid.numbers, tuple(numbers.values()))


def _placed(step: Step, numbers: Mapping[int, int]) -> Step:
    number = numbers[step.number]
    revised = numbers.get(step.revises, None) if step.revises is not None else None
    if number == step.number and revised == step.revises:
        return step
    return step.model_copy(update={"number": number, "revises": revised})


def _told(former: Trajectory, now: Trajectory) -> dict[str, object]:
    """What an emptied session no longer says of itself."""
    began = [at for at in (former.started_at, now.started_at) if at is not None]
    ended = [at for at in (former.ended_at, now.ended_at) if at is not None]
    return {
        "title": now.title or former.title,
        "goal": former.goal or now.goal,
        "cwd": now.cwd or former.cwd,
        "started_at": min(began, default=None),
        "ended_at": max(ended, default=None),
    }
