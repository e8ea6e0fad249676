"""Continuing: a session beside itself as it was, beside another file of it, and beside its kin."""

from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Step, Trajectory
from mcp_memory.trajectories import lineage, reconciling
from mcp_memory.trajectories.terms import Ground, Known, Place, Stamp, reading_of


def older_copy(before: Known, trajectory: Trajectory, place: Place) -> bool:
    """A second file of the same session that holds less of it, where its steps are not known."""
    shorter = before.source_path != place.source and len(trajectory.steps) < before.steps
    return shorter and not before.marks


def elsewhere(before: Known, place: Place) -> bool:
    """Whether the bank has the session from another file that is still there."""
    return before.source_path != place.source and Stamp.seen(Path(before.source_path)) is not None


def apart(trajectory: Trajectory, before: Known, place: Place) -> Trajectory | None:
    """A second file of a session: the session itself where it holds all of it, and more.

    None where it holds nothing new. Where both go on by themselves, a session of its own, named
    after the file, that goes on from the first.
    """
    laid = lineage.aligned(
        lineage.split(before.marks), lineage.split(lineage.marks_of(trajectory.steps))
    )
    new = any(number > before.steps for number in laid.numbers)
    lost = any(lineage.split(before.marks)[number - 1].held for number in laid.left)
    if not new:
        return None
    if not lost:
        return trajectory
    native = f"{trajectory.native_id}~{refs.short_hash('file', place.source)}"
    return trajectory.model_copy(
        update={
            "id": refs.trajectory_id(trajectory.format, native),
            "native_id": native,
            "origin": trajectory.id,
        }
    )


def whole(
    now: Trajectory, place: Place, before: Known | None, ground: Ground
) -> tuple[Trajectory, bool]:
    """The session with what its host took back; whether that is still to be had from the store."""
    if before is None or not before.marks:
        return now, False
    old, new = lineage.split(before.marks), lineage.split(lineage.marks_of(now.steps))
    if before.reading == reading_of(place.reader_version):
        laid = lineage.aligned(old, new)
        kept = laid.plain
    else:
        laid = reconciling.relaid(old, new, shorter=place.stamp.size < before.size)
        kept = not laid.left
    former = ground.former.get(now.id)
    if kept or former is None:
        return now, not kept
    if before.reading != reading_of(place.reader_version):
        former, laid = reconciling.moved(former, laid, after=len(now.steps))
    return reconciling.united(former, now, laid), False


def away_from(
    trajectory: Trajectory, marks: str, before: Known | None, ground: Ground
) -> tuple[Trajectory, dict[int, str]]:
    """The session and its steps that another holds; its goal is what it asks for itself."""
    away = {} if before is None else {n: w for n, w in before.hidden.items() if lineage.pointer(w)}
    if ground.kin is not None:
        own = lineage.blanked(marks, away)
        away |= ground.kin.shared(trajectory.id, own, trajectory.origin or "")
    if not away:
        return trajectory, {}
    asked = (
        s.text for s in trajectory.steps if s.number not in away and s.kind == "user" and s.text
    )
    origin = trajectory.origin or refs.session_of(away[min(away)])
    goal = next(asked, trajectory.goal)
    blank = tuple(
        Step(number=s.number, kind="system") if s.number in away else s for s in trajectory.steps
    )
    return trajectory.model_copy(update={"goal": goal, "origin": origin, "steps": blank}), away
