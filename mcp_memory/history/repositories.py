"""Repositories: the commits of one into the bank, linked to the sessions that they were made in."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain import projects, remotes
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import State, Step, Trajectory
from mcp_memory.domain.reports import FileReport
from mcp_memory.history import commits, writing
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import admission, evidence, indexing, linking
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.terms import Gone, Place, Stamp


async def index_repository(rooms: Rooms, path: Path) -> FileReport:
    """Index the commits of the repository at `path`, and link them to its project's sessions.

    To be called after its transcripts were indexed, by one process at a time.

    Raises:
        InvalidInput: git is missing, the path is no repository, or the settings exclude it.
    """
    history = await anyio.to_thread.run_sync(commits.read, path)
    remote = await anyio.to_thread.run_sync(remotes.remote_of, history.project)
    history = replace(history, project=rooms.identities().placed(history.project, remote))
    settings = rooms.settings
    if not projects.allowed(history.project, include=settings.include, exclude=settings.exclude):
        raise InvalidInput(
            f"The settings exclude {history.project}.", next_step="Change `include` or `exclude`."
        )
    rows = await rooms.store.sessions(projects=(history.project,), states=())
    links = await _links(rooms, rows, history)
    gone = await writing.tombstones(rooms)
    kept = {row.id: row for row in rows if row.format == commits.FORMAT}
    before = {id_: (await spans.trajectory(rooms, row)).steps for id_, row in kept.items()}
    made: list[Prepared] = []
    masked = 0
    for trajectory in commits.trajectories(history, before, links):
        if gone.session(trajectory.id):
            continue
        admitted = admission.admit_trajectory(trajectory)
        fresh = _fresh(admitted.trajectory, before.get(trajectory.id, ()), gone)
        one = _prepared(rooms, fresh, kept.get(trajectory.id), path)
        if one is not None:
            made.append(one)
            masked += sum(admitted.masked.values())
    for one in made:
        await writing.write(rooms, "index", [one])
    if made:
        await writing.write_projects(rooms, {one.session.project for one in made})
    return FileReport(
        path=path,
        format=commits.FORMAT,
        status="indexed" if made else "unchanged",
        reason="" if history.whole else "older commits were left out",
        sessions=len(made),
        steps=sum(one.session.steps for one in made),
        masked=masked,
    )


async def _links(
    rooms: Rooms, rows: Sequence[SessionRow], history: commits.History
) -> dict[str, tuple[linking.Link, ...]]:
    """What the project's live sessions tell; their hidden steps tell nothing."""
    traces = []
    for row in rows:
        if row.format == commits.FORMAT or row.state != State.LIVE.value:
            continue
        whole = await spans.trajectory(rooms, row)
        shown = evidence.blanked(whole, indexing.hidden_of(row))
        traces.append(linking.trace(shown, project=history.project))
    return linking.link([entry.commit for entry in history.entries], traces)


def _fresh(trajectory: Trajectory, before: Sequence[Step], gone: Gone) -> Trajectory:
    """Without the new commits that were purged; the others get the next numbers."""
    steps = list(trajectory.steps[: len(before)])
    number = max((step.number for step in steps), default=0)
    for step in trajectory.steps[len(before) :]:
        if not gone.step(trajectory.id, step):
            number += 1
            steps.append(step.model_copy(update={"number": number}))
    return trajectory.model_copy(update={"steps": tuple(steps)})


def _prepared(
    rooms: Rooms, trajectory: Trajectory, before: SessionRow | None, path: Path
) -> Prepared | None:
    """A masked month of commits ready to be written; None where the bank has it just so."""
    if not trajectory.steps:
        return None
    hidden = indexing.hidden_of(before) if before else {}
    mark = indexing.fingerprint(trajectory, reader_version=commits.VERSION, hidden=hidden)
    if before is not None and before.fingerprint == mark:
        return None
    row = _row(trajectory, before, path, mark)
    return indexing.rebuilt(trajectory, row, hidden=hidden, step_chars=rooms.settings.step_chars)


def _row(trajectory: Trajectory, before: SessionRow | None, path: Path, mark: str) -> SessionRow:
    project = trajectory.cwd or projects.UNKNOWN
    place = Place(str(path.absolute()), Stamp(0, 0), project, commits.VERSION)
    row = indexing.catalogue_row(trajectory, place, before, mark)
    # Commits that were purged leave their numbers free.
    return replace(row, steps=trajectory.steps[-1].number)
