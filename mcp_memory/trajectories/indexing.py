"""Indexing one transcript: read, admitted, cut into episodes, made into rows and files; no store."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from mcp_memory import readers
from mcp_memory.domain import projects, remotes, shipping
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import (
    Episode,
    Outcome,
    Refusal,
    State,
    Trajectory,
)
from mcp_memory.domain.reports import FileReport, FileStatus
from mcp_memory.store.packing import Packed
from mcp_memory.store.rows import EvidenceRow, SessionRow, sender_of
from mcp_memory.trajectories import (
    admission,
    continuing,
    episodes,
    evidence,
    foreign,
    holding,
    lineage,
    rendering,
)
from mcp_memory.trajectories.terms import (
    Allowance,
    Gone,
    Ground,
    Known,
    Place,
    Stamp,
    reading_of,
    spelled,
    versions_of,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One session ready to be written; its rows still lack batch and vectors."""

    session: SessionRow
    rows: list[EvidenceRow]
    files: rendering.Files
    masked: Mapping[str, int]
    told: tuple[str, str] = ("", "")
    """The folder that its project would have alone, and its remote."""
    lacks: bool = False
    """Whether the bank holds steps that the file no longer has: it is to be prepared with them."""
    packed: Packed | None = None
    """The rows as columns, once they are packed for their way; `rows` are none then."""

    def as_columns(self) -> "Prepared":
        """The same with its rows packed."""
        return self if self.packed else replace(self, rows=[], packed=Packed.of(self.rows))


@dataclass(frozen=True, slots=True)
class Admitted:
    """One session as it may be kept; rows and files are still to be made of it."""

    trajectory: Trajectory
    session: SessionRow
    hidden: Mapping[int, str]
    masked: Mapping[str, int]
    lacks: bool = False

    @property
    def own(self) -> bool:
        """Whether it says anything that no other session holds."""
        return any(mark.held for mark in lineage.split(self.session.marks.partition(":")[2]))

    def made(self, *, step_chars: int) -> Prepared:
        """The session with its rows and files."""
        made = rebuilt(self.trajectory, self.session, hidden=self.hidden, step_chars=step_chars)
        return replace(made, masked=self.masked, lacks=self.lacks)


class _Tally:
    """Counts what one file came to."""

    def __init__(self, path: Path, format_: str, size: int) -> None:
        self._path, self._format, self._bytes = path, format_, size
        self.sessions = self.steps = self.masked = self.purged = self.excluded = self.copies = 0
        self._unknown: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._refusals: list[Refusal] = []

    def count(self, trajectory: Trajectory) -> None:
        self.sessions += 1
        self.steps += len(trajectory.steps)
        self._unknown.update(trajectory.unknown)
        self._skipped.update(trajectory.skipped)
        self._refusals.extend(trajectory.refusals)

    def report(self, *, indexed: int) -> FileReport:
        return FileReport(
            path=self._path,
            format=self._format,
            status=self._status(indexed),
            sessions=self.sessions,
            steps=self.steps,
            bytes=self._bytes,
            masked=self.masked,
            unknown=dict(self._unknown),
            skipped=dict(self._skipped),
            refusals=tuple(self._refusals),
        )

    def _status(self, indexed: int) -> FileStatus:
        if indexed:
            return "indexed"
        if self.purged:
            return "purged"
        if self.excluded and not self.sessions:
            return "excluded"
        return "duplicate" if self.copies else "unchanged"


def prepare(  # PLR0913: what a bank has and allows, each apart, so that tests name what they need
    path: Path,
    known: Mapping[str, Known],
    gone: Gone,
    allowance: Allowance,
    *,
    ground: Ground | None = None,
) -> tuple[FileReport, list[Prepared]]:
    """Read a transcript and make everything that is to be written; blocking, to be run in a thread.

    Nothing of it raises for what a file holds: what could not be read is counted in the report.
    """
    stamp = Stamp.of(path)
    try:
        reader = readers.detect(path)
    except UnknownTranscript as error:
        return FileReport(path=path, status="refused", reason=str(error), bytes=stamp.size), []
    tally = _Tally(path, reader.FORMAT, stamp.size)
    ground = ground or Ground()
    made = []
    for trajectory in _sessions(path, reader):
        folder = projects.project_of(trajectory.cwd)
        remote = trajectory.remote or remotes.remote_of(folder)
        project = ground.identities.placed(folder, remote)
        if not allowance.project(project) or foreign.left_out(trajectory):
            tally.excluded += 1
            continue
        tally.count(trajectory)
        if gone.session(trajectory.id):
            tally.purged += 1
            continue
        place = _place(path, stamp, project, reader.VERSION)
        one = _prepared(trajectory, place, known, gone, ground)
        if one is None:
            continue
        if one.trajectory.id not in known and not one.own:
            tally.copies += 1
            continue
        done = one.made(step_chars=allowance.step_chars)
        made.append(replace(done, told=(admission.place(folder), remote)))
        tally.masked += sum(done.masked.values())
    return tally.report(indexed=len(made)), made


def _sessions(path: Path, reader: readers.Reader) -> Iterator[Trajectory]:
    """What a file holds; where it came with a clone, nobody here knows who typed what was typed."""
    read = map(foreign.unfed, reader.read(path))
    its = map(foreign.of_strangers, read) if shipping.carries(path) else read
    return map(admission.identified, its)


def _place(path: Path, stamp: Stamp, project: str, reader_version: int) -> Place:
    return Place(admission.place(spelled(path)), stamp, admission.place(project), reader_version)


def rebuilt(
    trajectory: Trajectory, session: SessionRow, *, hidden: Mapping[int, str], step_chars: int
) -> Prepared:
    """A session made anew from the store's own steps: after a purge, a forgetting, or a kill."""
    shown = evidence.blanked(trajectory, hidden)
    cut = _own_part(episodes.cut(shown), hidden)
    held = holding.by_step(shown.steps, brought=bool(sender_of(session.source_path)))
    made = rendering.render(
        shown,
        cut,
        folder=session.folder,
        step_chars=step_chars,
        hidden=hidden,
        project=session.project,
        held=held,
    )
    origin = evidence.Origin(session.project, "", session.state)
    rows = evidence.rows_of(trajectory, cut, origin, hidden=hidden, held=held)
    kept = replace(
        session,
        outcome=_outcome(cut).value,
        title=shown.title,
        goal=shown.goal,
        body=_catalogued(trajectory),
        entry=made.entry.model_dump_json(),
        hidden=orjson.dumps({str(n): why for n, why in sorted(hidden.items())}).decode(),
        batch="",
        marks=_without(session.marks, hidden),
    )
    return Prepared(kept, rows, made, {})


def _own_part(cut: Sequence[Episode], hidden: Mapping[int, str]) -> list[Episode]:
    """The episodes as far as no other session holds them, under their numbers."""
    away = {number for number, why in hidden.items() if lineage.pointer(why)}
    own = []
    for episode in cut:
        first = next((n for n in range(episode.first, episode.last + 1) if n not in away), None)
        if first is not None:
            own.append(episode.model_copy(update={"first": first}) if away else episode)
    return own


def _without(marks: str, hidden: Mapping[int, str]) -> str:
    """The marks without what tells the content of steps that the session does not hold."""
    reading, _, told = marks.partition(":")
    told = lineage.blanked(told, [n for n, why in hidden.items() if lineage.pointer(why)])
    gone = [n for n, why in hidden.items() if why == evidence.PURGED]
    return f"{reading}:{lineage.blanked(told, gone, opening=False)}"


def hidden_of(session: SessionRow) -> dict[int, str]:
    """Step number to why it is not shown."""
    return {int(number): why for number, why in orjson.loads(session.hidden or "{}").items()}


def fingerprint(trajectory: Trajectory, *, reader_version: int, hidden: Mapping[int, str]) -> str:
    """SHA-256 over a masked trajectory and every version that shapes what is made of it."""
    versions = (*versions_of(reader_version), sorted(hidden.items()))
    told = trajectory.model_dump_json().encode()
    return hashlib.sha256(orjson.dumps(versions) + told).hexdigest()


def admit(trajectory: Trajectory, place: Place, before: Known | None, gone: Gone) -> Admitted:
    """A session masked, without what was purged of it, and as the catalogue will have it."""
    masked = admission.admit_trajectory(trajectory)
    return _admitted(masked, place, before, gone, {})


def _prepared(
    trajectory: Trajectory,
    place: Place,
    known: Mapping[str, Known],
    gone: Gone,
    ground: Ground,
) -> Admitted | None:
    """The session as it may be kept; None where the catalogue has it just so, or more of it."""
    before = known.get(trajectory.id)
    if not trajectory.steps:
        return None
    if before is not None and continuing.older_copy(before, trajectory, place):
        return None
    masked = admission.admit_trajectory(trajectory)
    told = masked.trajectory
    if before is not None and before.marks and continuing.elsewhere(before, place):
        apart = continuing.apart(told, before, place)
        if apart is None:
            return None
        told, before = apart, known.get(apart.id)
    told, lacks = continuing.whole(told, place, before, ground)
    marks = lineage.marks_of(told.steps)
    told, away = continuing.away_from(told, marks, before, ground)
    masked = masked.model_copy(update={"trajectory": episodes.stood_by(told)})
    found = _admitted(masked, place, before, gone, away)
    if before is not None and before.fingerprint == found.session.fingerprint:
        return None
    row = replace(found.session, marks=_marks(place, marks, found.hidden))
    return replace(found, lacks=lacks, session=row)


def _admitted(
    masked: admission.AdmittedTrajectory,
    place: Place,
    before: Known | None,
    gone: Gone,
    away: Mapping[int, str],
) -> Admitted:
    kept = masked.trajectory
    its = [id_ for id_ in (kept.id, kept.origin) if id_]
    purged = {
        s.number: evidence.PURGED for s in kept.steps if any(gone.step(id_, s) for id_ in its)
    }
    kept = evidence.blanked(kept, purged)
    heads = [name for name in evidence.HEADS if gone.head(getattr(kept, name) or "")]
    kept = kept.model_copy(update=evidence.emptied(heads)) if heads else kept
    hidden = {**(before.hidden if before else {}), **away, **purged}
    mark = fingerprint(kept, reader_version=place.reader_version, hidden=hidden)
    return Admitted(kept, catalogue_row(kept, place, before, mark), hidden, masked.masked)


def _marks(place: Place, marks: str, hidden: Mapping[int, str]) -> str:
    return _without(f"{reading_of(place.reader_version)}:{marks}", hidden)


def catalogue_row(
    trajectory: Trajectory, place: Place, before: Known | SessionRow | None, mark: str
) -> SessionRow:
    """The catalogue's row, as far as it is known before the session is rendered."""
    return SessionRow(
        id=trajectory.id,
        format=trajectory.format,
        native_id=trajectory.native_id,
        project=place.project,
        cwd=trajectory.cwd or "",
        title=trajectory.title,
        goal=trajectory.goal,
        outcome="",
        steps=len(trajectory.steps),
        started_at=trajectory.started_at,
        ended_at=trajectory.ended_at,
        source_path=place.source,
        size=place.stamp.size,
        mtime_ns=place.stamp.mtime_ns,
        fingerprint=mark,
        folder=before.folder if before else rendering.session_folder(place.project, trajectory),
        parent=trajectory.parent or "",
        state=before.state if before else State.LIVE.value,
        body="",
        entry="",
        hidden="",
        batch="",
        origin=trajectory.origin or "",
        marks=_marks(place, lineage.marks_of(trajectory.steps), {}),
    )


def _outcome(cut: Sequence[Episode]) -> Outcome:
    """A session went as its last attempt with a known outcome."""
    known = [e.outcome for e in cut if e.outcome is not Outcome.UNKNOWN]
    return known[-1] if known else Outcome.UNKNOWN


def _catalogued(trajectory: Trajectory) -> str:
    return trajectory.model_copy(update={"steps": ()}).model_dump_json(exclude_defaults=True)
