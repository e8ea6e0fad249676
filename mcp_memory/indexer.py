"""The indexer: transcripts in, evidence rows and archive files out; idempotent by fingerprint."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
import filelock
import orjson

from mcp_memory import hosts, indexing
from mcp_memory.errors import Busy, MemoryBankError
from mcp_memory.indexing import Allowance, Known, Prepared, Stamp
from mcp_memory.models import FileReport
from mcp_memory.store.rows import SessionRow
from mcp_memory.verbs import writing
from mcp_memory.verbs.rooms import Rooms

logger = logging.getLogger(__name__)

BATCH_ROWS = 4_000
BATCH_BYTES = 24_000_000
"""A batch is written when either is reached: few appends, flat memory."""

ALLOWED = "everything-allowed"
"""File in the home that says: the user ran `index`, all histories of this machine may be read."""
SUFFIXES = (".jsonl", ".json", ".traj", ".gz")

Progress = Callable[[FileReport], None]


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
            found = await anyio.to_thread.run_sync(_new_files, rooms, scope)
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
        await writing.rerender(rooms, touched)


class _Run:
    """One pass over files: what is known, what waits to be written."""

    def __init__(self, rooms: Rooms, allowance: Allowance, gone: writing.Tombstones) -> None:
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
        allowance = Allowance(settings.include, settings.exclude, only_project, settings.step_chars)
        run = cls(rooms, allowance, await writing.tombstones(rooms))
        for row in await rooms.store.catalogue():
            run._stamps[row.source_path] = Stamp(row.size, row.mtime_ns)
            run._known[row.id] = _known(row)
        return run

    async def file(self, path: Path) -> FileReport:
        """Prepare one file and write the batch when it is full; nothing a file holds raises."""
        path = Path(os.path.abspath(path))  # noqa: ASYNC240, PTH100 text only, links kept
        try:
            if self._stamps.get(str(path)) == Stamp.of(path):
                return FileReport(path=path, status="unchanged")
            if not self._allowance.path(path):
                return FileReport(path=path, status="excluded")
            report, made = await anyio.to_thread.run_sync(
                indexing.prepare, path, self._known, self._gone, self._allowance
            )
        except Exception as error:
            # The outermost door of the indexer: a file that breaks a reader must not stop the rest.
            logger.exception("a transcript could not be read")
            return FileReport(
                path=path, status="refused", reason=f"{type(error).__name__}: {error}"
            )
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
            await writing.write_projects(self._rooms)

    async def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.prepared:
            await writing.write(self._rooms, "index", batch.prepared)
            self._wrote = True


def _known(row: SessionRow) -> Known:
    return Known(
        fingerprint=row.fingerprint,
        folder=row.folder,
        state=row.state,
        source_path=row.source_path,
        steps=row.steps,
        hidden=indexing.hidden_of(row),
    )


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


def _new_files(rooms: Rooms, scope: str | None) -> list[Path]:
    return [*_spooled(rooms), *_history(scope)]


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
