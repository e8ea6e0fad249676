"""The indexer: transcripts in, evidence rows and archive files out; idempotent by fingerprint."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.to_thread
import filelock
import orjson

from mcp_memory import evidence, forgetting, hosts, indexing, projects, rendering
from mcp_memory.errors import Busy, MemoryBankError
from mcp_memory.indexing import Allowance, Known, Prepared, Stamp
from mcp_memory.models import FileReport, State, Step
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.verbs import spans
from mcp_memory.verbs.rooms import Rooms

logger = logging.getLogger(__name__)

BATCH_ROWS = 4_000
BATCH_BYTES = 24_000_000
"""A batch is written when either is reached: few appends, flat memory."""

ALLOWED = "everything-allowed"
"""File in the home that says: the user ran `index`, all histories of this machine may be read."""
SUFFIXES = (".jsonl", ".json", ".traj", ".gz")

Progress = Callable[[FileReport], None]


@dataclass(frozen=True, slots=True)
class Tombstones:
    """What was purged, as keyed hashes: known again, never told."""

    key: bytes
    marks: frozenset[str]

    def session(self, trajectory: str) -> bool:
        """Whether a whole session was purged."""
        return bool(self.marks) and forgetting.tombstone(self.key, trajectory) in self.marks

    def step(self, trajectory: str, step: Step) -> bool:
        """Whether this step's content was purged from this session."""
        if not self.marks:
            return False
        told = f"{trajectory}:{evidence.step_digest(step)}"
        return forgetting.tombstone(self.key, told) in self.marks


@dataclass(slots=True)
class _Batch:
    """Sessions waiting to be written together."""

    prepared: list[Prepared] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, made: Sequence[Prepared]) -> None:
        self.prepared.extend(made)
        self.rows += sum(len(one.rows) for one in made)
        self.size += sum(len(row.text) + len(row.body) for one in made for row in one.rows)

    @property
    def full(self) -> bool:
        return self.rows >= BATCH_ROWS or self.size >= BATCH_BYTES


async def index(
    rooms: Rooms,
    paths: Iterable[Path],
    *,
    only_project: str | None = None,
    progress: Progress | None = None,
) -> list[FileReport]:
    """Index transcript files; unchanged ones cost one `stat`.

    One file that cannot be read is reported and the next one read.

    Raises:
        Busy: another process is indexing this bank.
    """
    with _elected(rooms):
        run = await _Run.begin(rooms, only_project)
        reports = []
        for path in paths:
            report = await run.file(path)
            reports.append(report)
            if progress is not None:
                progress(report)
        await run.end()
    return reports


def transcripts(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that paths name; folders are walked in a stable order, links not followed."""
    for path in paths:
        if path.is_dir():
            found = (each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
            yield from sorted(each for each in found if each.suffix in SUFFIXES)
        else:
            yield path


async def keep_indexed(rooms: Rooms) -> None:
    """Drain the spool and index new history of what is allowed, again and again, until cancelled.

    One process at a time does it; the others look again later.
    """
    while True:
        try:
            scope = None if everything_allowed(rooms) else rooms.project
            found = await anyio.to_thread.run_sync(lambda: [*_spooled(rooms), *_history(scope)])
            await index(rooms, found, only_project=scope, progress=None)
            await rooms.store.maintain()
        except Busy:
            logger.debug("another process is indexing")
        except MemoryBankError as error:
            logger.warning("background indexing stopped for now: %s", error)
        await anyio.sleep(rooms.settings.index_seconds)


def everything_allowed(rooms: Rooms) -> bool:
    """Whether the user has let the whole history of this machine be read."""
    marked = (rooms.settings.home / ALLOWED).exists()
    return marked or rooms.settings.index_scope == "everything"


def allow_everything(rooms: Rooms) -> None:
    """Remember that the user ran `index` for all histories."""
    (rooms.settings.home / ALLOWED).touch()


async def repair(rooms: Rooms) -> None:
    """Bring the archive in line with what the store took back or carried out after a kill."""
    touched = {
        ref.removeprefix("t:").split("#")[0]
        for change in rooms.store.recovered
        for ref in change.refs
        if ref.startswith("t:")
    }
    if touched:
        await rerender(rooms, touched)


async def rerender(rooms: Rooms, trajectories: Iterable[str]) -> None:
    """Write the archive files of sessions anew from the store, and the indexes of their projects."""
    wanted = tuple(trajectories)
    rows = {row.id: row for row in await rooms.store.sessions(ids=wanted)}
    for trajectory in wanted:
        row = rows.get(trajectory)
        if row is None or row.state != State.LIVE.value:
            await _remove(rooms, trajectory, row)
            continue
        whole, kept = await spans.trajectory(rooms, row)
        hidden = hidden_steps(row, kept)
        made = indexing.rebuilt(
            evidence.blanked(whole, hidden), row, hidden=hidden, step_chars=rooms.settings.step_chars
        )
        await anyio.to_thread.run_sync(rooms.archive.write_session, row.folder, made.files)
    await write_projects(rooms)


def hidden_steps(row: SessionRow, rows: Iterable[EvidenceRow]) -> dict[int, str]:
    """Steps of a session that are not shown: forgotten ones, and those that have no row any more."""
    states = {each.first: each.state for each in rows if each.kind == "step"}
    missing = {number: evidence.PURGED for number in range(1, row.steps + 1)}
    return {
        number: reason
        for number, reason in {**missing, **states}.items()
        if reason != State.LIVE.value
    }


async def write_projects(rooms: Rooms) -> None:
    """Write the indexes of every project; only files whose bytes differ are touched."""
    rows = await rooms.store.sessions(states=(State.LIVE.value,))
    by_project: dict[str, list[rendering.Entry]] = {}
    for row in rows:
        by_project.setdefault(row.project, []).append(rendering.Entry.model_validate_json(row.entry))
    await anyio.to_thread.run_sync(rooms.archive.write_indexes, by_project)


class _Run:
    """One pass over files: what is known, what waits to be written."""

    def __init__(self, rooms: Rooms, allowance: Allowance, gone: Tombstones) -> None:
        self._rooms = rooms
        self._allowance = allowance
        self._gone = gone
        self._known: dict[str, Known] = {}
        self._stamps: dict[str, Stamp] = {}
        self._batch = _Batch()
        self._wrote = False

    @classmethod
    async def begin(cls, rooms: Rooms, only_project: str | None) -> "_Run":
        """A run that knows the catalogue as it is now."""
        settings = rooms.settings
        allowance = Allowance(
            settings.include, settings.exclude, only_project, settings.step_chars
        )
        run = cls(rooms, allowance, await tombstones(rooms))
        for row in await rooms.store.catalogue():
            run._stamps[row.source_path] = Stamp(row.size, row.mtime_ns)
            run._known[row.id] = _known(row)
        return run

    async def file(self, path: Path) -> FileReport:
        """Prepare one file and write the batch when it is full; nothing a file holds raises."""
        path = path.absolute()
        try:
            unchanged = self._stamps.get(str(path)) == Stamp.of(path)
            if unchanged:
                return FileReport(path=path, status="unchanged")
            if not self._allowance.path(path):
                return FileReport(path=path, status="excluded")
            report, made = await anyio.to_thread.run_sync(
                indexing.prepare, path, self._known, self._gone, self._allowance
            )
        except Exception as error:
            # The outermost door of the indexer: a file that breaks a reader must not stop the rest.
            logger.exception("a transcript could not be read")
            return FileReport(path=path, status="refused", reason=f"{type(error).__name__}: {error}")
        self._batch.add(made)
        for one in made:
            self._known[one.session.id] = _known(one.session)
        if self._batch.full:
            await self._flush()
        return report

    async def end(self) -> None:
        """Write what waits, and the projects' indexes."""
        await self._flush()
        if self._wrote:
            await write_projects(self._rooms)

    async def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.prepared:
            await write(self._rooms, "index", batch.prepared)
            self._wrote = True


async def write(rooms: Rooms, op: str, prepared: Sequence[Prepared]) -> str:
    """Write sessions as one change: rows, catalogue, archive files; older rows go afterwards."""
    trajectories = tuple(one.session.id for one in prepared)
    before = await _before(rooms, trajectories)
    fresh, stale = _difference(prepared, before)
    vectors = await rooms.vectors([evidence.embedded_text(row) for row in fresh])
    rows = [replace(row, vector=vector) for row, vector in zip(fresh, vectors, strict=True)]
    async with rooms.store.change(
        op,
        refs=tuple(f"t:{trajectory}" for trajectory in trajectories),
        hashes=tuple(one.session.fingerprint for one in prepared),
        inverse={"kind": op},
    ) as change:
        await change.add(evidence=rows, sessions=[one.session for one in prepared])
        change.drop("sessions", Where(keys=trajectories, states=(), not_batches=(change.batch,)))
        if stale:
            change.drop("evidence", Where(keys=stale, states=(), not_batches=(change.batch,)))
        for one in prepared:
            if one.session.state == State.LIVE.value:
                await anyio.to_thread.run_sync(
                    rooms.archive.write_session, one.session.folder, one.files
                )
    return change.batch


async def _before(rooms: Rooms, trajectories: Sequence[str]) -> dict[str, str]:
    """Key to hash of the rows that sessions have now."""
    rows = await rooms.store.find("evidence", Where(trajectories=tuple(trajectories), states=()))
    return {row.key: row.hash for row in rows}


def _difference(
    prepared: Sequence[Prepared], before: dict[str, str]
) -> tuple[list[EvidenceRow], tuple[str, ...]]:
    """Rows that are new or changed, and keys whose older rows must go."""
    made = [row for one in prepared for row in one.rows]
    fresh = [row for row in made if before.get(row.key) != row.hash]
    changed = {row.key for row in fresh if row.key in before}
    vanished = before.keys() - {row.key for row in made}
    return fresh, tuple(sorted(changed | vanished))


async def tombstones(rooms: Rooms) -> Tombstones:
    """What was purged from this bank."""
    key, marks = await rooms.store.tombstones()
    return Tombstones(key, frozenset(marks))


def _known(row: SessionRow) -> Known:
    return Known(row.fingerprint, row.folder, row.state, row.source_path, row.steps)


async def _remove(rooms: Rooms, trajectory: str, row: SessionRow | None) -> None:
    """Take a session's folder out of the archive; without a catalogue row, by its id."""
    folder = row.folder if row else await anyio.to_thread.run_sync(
        rooms.archive.folder_of, trajectory
    )
    if folder:
        await anyio.to_thread.run_sync(rooms.archive.remove_session, folder)


@contextmanager
def _elected(rooms: Rooms) -> Iterator[None]:
    """One indexer a bank."""
    lock = filelock.FileLock(rooms.settings.locks_dir / "index.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise Busy("indexing", 0) from None
    try:
        yield
    finally:
        lock.release()


def _history(scope: str | None) -> Iterator[Path]:
    for host in hosts.HOSTS:
        yield from host.transcripts(scope)


def _spooled(rooms: Rooms) -> list[Path]:
    """Transcripts that hooks handed over; each note is taken once."""
    found = []
    for note in sorted(rooms.settings.spool_dir.glob("*.json")):
        path = _noted(note)
        note.unlink(missing_ok=True)
        if path is not None and path.is_file():
            found.append(path)
    return found


def _noted(note: Path) -> Path | None:
    try:
        told = orjson.loads(note.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        logger.warning("a spooled note could not be read: %s", note.name)
        return None
    path = told.get("path") if isinstance(told, dict) else None
    return Path(path) if isinstance(path, str) else None
