"""The indexer: transcripts in, evidence rows and archive files out; idempotent by fingerprint."""

import logging
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
import filelock
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from mcp_memory import hosts, readers
from mcp_memory.domain.errors import Busy, MemoryBankError
from mcp_memory.domain.models import FileReport, SourceClass
from mcp_memory.history import recovery, writing
from mcp_memory.history.crew import Crew, Made, Terms
from mcp_memory.history.stamps import STAMPS, Stamps
from mcp_memory.hooks import digesting, spool
from mcp_memory.hooks.ledger import Book
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.indexing import Allowance, Known, Prepared, Stamp, spelled

logger = logging.getLogger(__name__)

LOCK = "index.lock"
"""Held by whoever brings sessions into the bank."""
BATCH_ROWS = 2_000
BATCH_BYTES = 8_000_000
"""A batch is written when either is reached: few appends, flat memory."""

ALLOWED = "everything-allowed"
"""File in the home that says: the user ran `index`, all histories of this machine may be read."""
SUFFIXES = (".jsonl", ".json", ".traj", ".gz", ".zst")
"""Files with these names in a folder are read, and named where none knows their format."""
PERHAPS = (".md", ".vscdb", ".db", ".sqlite", ".sqlite3")
_ROTATED = (".jsonl.reset.", ".jsonl.deleted.")
"""Files with these names are transcripts now and then: the others are passed over in silence."""

_Begun = tuple[Stamp, "Future[Made]"]
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
    processes: int = 0,
) -> list[FileReport]:
    """Index transcript files; unchanged ones cost one `stat`.

    One file that cannot be read is reported and the next one read. With `processes`, that many
    more prepare transcripts while this one embeds and writes; what comes out is the same.

    Raises:
        Busy: another process is indexing this bank.
    """
    with elected(rooms):
        run = await _Run.begin(rooms, only_project, processes)
        return await run.over(paths, progress)


def transcripts(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that paths name; folders are walked in a stable order, links not followed."""
    for path in paths:
        if path.is_dir():
            found = (each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
            yield from sorted(each for each in found if _may_hold_one(each))
        else:
            yield path


def _may_hold_one(path: Path) -> bool:
    if readers.is_aside(path):
        return False
    if path.suffix not in PERHAPS:
        return path.suffix in SUFFIXES or any(part in path.name for part in _ROTATED)
    try:
        return any(reader.recognize(path) for reader in readers.READERS)
    except OSError:
        return False


async def keep_indexed(rooms: Rooms) -> None:
    """Drain the spool and index new history of what is allowed, again and again, until cancelled.

    One process at a time does it; the others look again later.
    """
    while True:
        try:
            scope = None if everything_allowed(rooms) else rooms.project
            notes = await anyio.to_thread.run_sync(spool.waiting, rooms.settings.spool_dir)
            handed = [note.transcript for note in notes]
            found = await anyio.to_thread.run_sync(_history, scope)
            await index(rooms, [*handed, *found], only_project=scope, progress=None)
            for note in notes:
                await anyio.to_thread.run_sync(spool.done, note)
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
    elif rooms.store.recovered:
        await writing.write_memories(rooms)


class _Run:
    """One pass over files: some are prepared ahead, one batch is written while the next fills."""

    def __init__(
        self, rooms: Rooms, terms: Terms, known: dict[str, Known], crew: Crew, stamps: Stamps
    ) -> None:
        self._rooms = rooms
        self._terms = terms
        self._known = known
        self._crew = crew
        self._stamps = stamps
        self._catalogued: dict[str, Stamp] = {}
        self._batch = _Batch()
        self._taken: set[str] = set()
        self._projects: set[str] = set()
        self._book = Book(rooms.settings.home)
        self._fault: Exception | None = None

    @classmethod
    async def begin(cls, rooms: Rooms, only_project: str | None, processes: int) -> "_Run":
        """A run that knows the catalogue as it is now."""
        settings = rooms.settings
        allowance = Allowance(settings.include, settings.exclude, only_project, settings.step_chars)
        rows = await rooms.store.catalogue()
        known = {row.id: known_of(row) for row in rows}
        terms = Terms(known, await writing.tombstones(rooms), allowance)
        stamps = await anyio.to_thread.run_sync(Stamps, settings.store_dir / STAMPS, allowance)
        run = cls(rooms, terms, known, Crew(terms, processes), stamps)
        run._catalogued.update((row.source_path, Stamp(row.size, row.mtime_ns)) for row in rows)
        return run

    async def over(self, paths: Iterable[Path], progress: Progress | None) -> list[FileReport]:
        """Report on each file in turn, and at the end write the projects' indexes."""
        reports: list[FileReport] = []
        send, receive = anyio.create_memory_object_stream[_Batch](0)
        try:
            async with anyio.create_task_group() as group, send:
                group.start_soon(self._write, receive)
                async with aclosing(self._prepared(paths)) as prepared:
                    async for report in prepared:
                        reports.append(report)
                        if progress is not None:
                            progress(report)
                        if self._batch.full:
                            await self._hand_over(send)
                        if self._fault is not None:
                            break
                await self._hand_over(send)
        finally:
            self._crew.close()
        if self._fault is not None:
            raise self._fault
        if self._taken:
            await writing.write_projects(self._rooms, self._projects)
            await digesting.renew(self._rooms, self._projects)
        await anyio.to_thread.run_sync(self._stamps.save)
        return reports

    async def _prepared(self, paths: Iterable[Path]) -> AsyncGenerator[FileReport]:
        waiting: deque[tuple[Path, _Begun | FileReport]] = deque()
        for path in paths:
            whole = Path(os.path.abspath(path))  # noqa: ASYNC240, PTH100 text only, links kept
            waiting.append((whole, self._begun(whole)))
            if len(waiting) > self._crew.ahead:
                yield await self._finished(*waiting.popleft())
        while waiting:
            yield await self._finished(*waiting.popleft())

    def _begun(self, path: Path) -> "_Begun | FileReport":
        try:
            now = Stamp.of(path)
            if self._stamps.unchanged(path, now, self._catalogued.get(spelled(path))):
                return FileReport(path=path, status="unchanged")
            if not self._terms.allowance.path(path):
                return FileReport(path=path, status="excluded")
        except OSError as error:
            return _broken(path, error)
        return now, self._crew.begin(path)

    async def _finished(self, path: Path, begun: "_Begun | FileReport") -> FileReport:
        """Take what was made of a file into the batch; nothing a file holds raises."""
        if isinstance(begun, FileReport):
            return begun
        stamp, future = begun
        try:
            report, made = await self._crew.finish(path, future)
            if any(one.session.id in self._taken for one in made):
                # Another file of this run told of the same session after this one was begun.
                report, made = await self._crew.again(path)
        except Exception as error:
            # The outermost door of the indexer: a file that breaks a reader must not stop the rest.
            logger.exception("a transcript could not be read")
            return _broken(path, error)
        kept = [one for one in made if not self._repeats(one)]
        if made and not kept:
            report = report.model_copy(update={"status": "unchanged"})
        self._batch.add(kept)
        self._stamps.note(report, stamp)
        for one in kept:
            self._known[one.session.id] = known_of(one.session)
            self._taken.add(one.session.id)
            self._projects.add(one.session.project)
        return report

    def _repeats(self, one: Prepared) -> bool:
        """Whether these are but the prompts of a session that the bank has; the crew knew less."""
        return recovery.left_out(one.session, self._known, self._terms.gone, self._terms.allowance)

    async def _hand_over(self, send: MemoryObjectSendStream[_Batch]) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.prepared:
            await send.send(batch)

    async def _write(self, receive: MemoryObjectReceiveStream[_Batch]) -> None:
        async with receive:
            async for batch in receive:
                try:
                    if self._fault is None:
                        await writing.write(self._rooms, "index", batch.prepared)
                        await anyio.to_thread.run_sync(self._named, batch.prepared)
                except Exception as error:  # noqa: BLE001 raised anew where files are taken
                    self._fault = error

    def _named(self, prepared: Sequence[Prepared]) -> None:
        """Note what agents named of that which a hook had told them in the same session."""
        for one in prepared:
            if self._book.watched(one.session.native_id):
                self._book.named(one.session.native_id, list(_said(one)))


def _said(one: Prepared) -> Iterator[str]:
    """An agent's own words; what it called and was answered is none."""
    for row in one.rows:
        step = orjson.loads(row.body) if row.kind == "step" and row.body else {}
        if step.get("source", SourceClass.AGENT) == SourceClass.AGENT:
            yield f"{step.get('text', '')}\n{step.get('reasoning', '')}"


def _broken(path: Path, error: Exception) -> FileReport:
    return FileReport(path=path, status="refused", reason=f"{type(error).__name__}: {error}")


def known_of(row: SessionRow) -> Known:
    """What the catalogue has of a session."""
    return Known(
        fingerprint=row.fingerprint,
        folder=row.folder,
        state=row.state,
        source_path=row.source_path,
        steps=row.steps,
        hidden=indexing.hidden_of(row),
    )


@contextmanager
def elected(rooms: Rooms) -> Iterator[None]:
    """One indexer a bank."""
    lock = filelock.FileLock(rooms.settings.locks_dir / LOCK, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise Busy("indexing", 0) from None
    try:
        yield
    finally:
        lock.release()


def _history(scope: str | None) -> list[Path]:
    found = [path for host in hosts.HOSTS for path in host.transcripts(scope)]
    return [*found, *hosts.prompts()]
