"""Indexing one transcript: read, admitted, cut into episodes, made into rows and files; no store."""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import orjson

from mcp_memory import readers
from mcp_memory.domain import projects
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import (
    Episode,
    FileReport,
    FileStatus,
    Outcome,
    Refusal,
    State,
    Step,
    Trajectory,
)
from mcp_memory.store.rows import EvidenceRow, SessionRow
from mcp_memory.text import redaction
from mcp_memory.trajectories import admission, episodes, evidence, foreign, rendering

VERSION = 7
"""Raised when rows or files of the same trajectory come out differently: all is indexed anew."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the user lets the indexer read, and how outputs are capped."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    only_project: str | None
    step_chars: int

    def project(self, project: str) -> bool:
        """Whether sessions of this project may be kept."""
        if self.only_project is not None and project != self.only_project:
            return False
        return projects.allowed(project, include=self.include, exclude=self.exclude)

    def path(self, path: Path) -> bool:
        """Whether this transcript may be opened at all."""
        return not projects.matches(str(path), self.exclude)


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of a session already."""

    fingerprint: str
    folder: str
    state: str
    source_path: str
    steps: int
    hidden: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One session ready to be written; its rows still lack batch and vectors."""

    session: SessionRow
    rows: list[EvidenceRow]
    files: rendering.Files
    masked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which an unchanged file is known without opening it."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """The stamp of a file as it is now, with what is read together with it."""
        status = path.stat()
        size, mtime_ns = status.st_size, status.st_mtime_ns
        for beside in readers.companions(path):
            with contextlib.suppress(OSError):
                status = beside.stat()
                size, mtime_ns = size + status.st_size, max(mtime_ns, status.st_mtime_ns)
        return cls(size, mtime_ns)

    @classmethod
    def seen(cls, path: Path) -> "Stamp | None":
        """The stamp of a file as it is now; None where it is not to be had."""
        try:
            return cls.of(path)
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Admitted:
    """One session as it may be kept; rows and files are still to be made of it."""

    trajectory: Trajectory
    session: SessionRow
    hidden: Mapping[int, str]
    masked: Mapping[str, int]

    def made(self, *, step_chars: int) -> Prepared:
        """The session with its rows and files."""
        made = rebuilt(self.trajectory, self.session, hidden=self.hidden, step_chars=step_chars)
        return replace(made, masked=self.masked)


class Gone(Protocol):
    """What was purged and must not come back."""

    def session(self, trajectory: str) -> bool:
        """Whether a whole session was purged."""
        ...

    def step(self, trajectory: str, step: Step) -> bool:
        """Whether this step's content was purged from this session."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session comes from, to which project it belongs, and what read it."""

    source: str
    """The file's path, or who brought it."""
    stamp: Stamp
    project: str
    reader_version: int


class _Tally:
    """Counts what one file came to."""

    def __init__(self, path: Path, format_: str, size: int) -> None:
        self._path, self._format, self._bytes = path, format_, size
        self.sessions = self.steps = self.masked = self.purged = self.excluded = 0
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
        return "unchanged"


def spelled(path: Path) -> str:
    """A path as text that can be written down, also where its name is no UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def prepare(
    path: Path, known: Mapping[str, Known], gone: Gone, allowance: Allowance
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
    made = []
    for trajectory in map(admission.identified, map(foreign.unfed, reader.read(path))):
        project = projects.project_of(trajectory.cwd)
        if not allowance.project(project) or foreign.left_out(trajectory):
            tally.excluded += 1
            continue
        tally.count(trajectory)
        if gone.session(trajectory.id):
            tally.purged += 1
            continue
        one = _prepared(
            trajectory, _place(path, stamp, project, reader.VERSION), known, gone, allowance
        )
        if one is not None:
            made.append(one)
            tally.masked += sum(one.masked.values())
    return tally.report(indexed=len(made)), made


def _place(path: Path, stamp: Stamp, project: str, reader_version: int) -> Place:
    return Place(admission.place(spelled(path)), stamp, admission.place(project), reader_version)


def rebuilt(
    trajectory: Trajectory, session: SessionRow, *, hidden: Mapping[int, str], step_chars: int
) -> Prepared:
    """A session made anew from the store's own steps: after a purge, a forgetting, or a kill."""
    shown = evidence.blanked(trajectory, hidden)
    cut = episodes.cut(shown)
    made = rendering.render(
        shown,
        cut,
        folder=session.folder,
        step_chars=step_chars,
        hidden=hidden,
        project=session.project,
    )
    rows = evidence.rows_of(
        trajectory, cut, evidence.Origin(session.project, "", session.state), hidden=hidden
    )
    kept = replace(
        session,
        outcome=_outcome(cut).value,
        title=shown.title,
        goal=shown.goal,
        body=_catalogued(trajectory),
        entry=made.entry.model_dump_json(),
        hidden=orjson.dumps({str(n): why for n, why in sorted(hidden.items())}).decode(),
        batch="",
    )
    return Prepared(kept, rows, made, {})


def hidden_of(session: SessionRow) -> dict[int, str]:
    """Step number to why it is not shown."""
    return {int(number): why for number, why in orjson.loads(session.hidden or "{}").items()}


def fingerprint(trajectory: Trajectory, *, reader_version: int, hidden: Mapping[int, str]) -> str:
    """SHA-256 over a masked trajectory and every version that shapes what is made of it."""
    versions = (VERSION, reader_version, redaction.RULES_VERSION, sorted(hidden.items()))
    told = trajectory.model_dump_json().encode()
    return hashlib.sha256(orjson.dumps(versions) + told).hexdigest()


def admit(trajectory: Trajectory, place: Place, before: Known | None, gone: Gone) -> Admitted:
    """A session masked, without what was purged of it, and as the catalogue will have it."""
    masked = admission.admit_trajectory(trajectory)
    kept = masked.trajectory
    purged = {s.number: evidence.PURGED for s in kept.steps if gone.step(kept.id, s)}
    kept = evidence.blanked(kept, purged)
    hidden = {**(before.hidden if before else {}), **purged}
    mark = fingerprint(kept, reader_version=place.reader_version, hidden=hidden)
    return Admitted(kept, catalogue_row(kept, place, before, mark), hidden, masked.masked)


def _prepared(
    trajectory: Trajectory,
    place: Place,
    known: Mapping[str, Known],
    gone: Gone,
    allowance: Allowance,
) -> Prepared | None:
    """The session ready to be written; None where the catalogue has it just so, or more of it."""
    before = known.get(trajectory.id)
    if not trajectory.steps:
        return None
    if before is not None and _older_copy(before, trajectory, place):
        return None
    found = admit(trajectory, place, before, gone)
    if before is not None and before.fingerprint == found.session.fingerprint:
        return None
    return found.made(step_chars=allowance.step_chars)


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
    )


def _older_copy(before: Known, trajectory: Trajectory, place: Place) -> bool:
    """A second file of the same session that holds less of it than the bank has."""
    return before.source_path != place.source and len(trajectory.steps) < before.steps


def _outcome(cut: Sequence[Episode]) -> Outcome:
    """A session went as its last attempt with a known outcome."""
    known = [e.outcome for e in cut if e.outcome is not Outcome.UNKNOWN]
    return known[-1] if known else Outcome.UNKNOWN


def _catalogued(trajectory: Trajectory) -> str:
    return trajectory.model_copy(update={"steps": ()}).model_dump_json(exclude_defaults=True)
