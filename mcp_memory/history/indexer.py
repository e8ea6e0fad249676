"""The indexer: transcripts in, evidence rows and archive files out; idempotent by fingerprint."""

import logging
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import orjson

from mcp_memory import readers
from mcp_memory.domain import identities, projects, remotes
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.models import SourceClass
from mcp_memory.domain.reports import FileReport
from mcp_memory.history import recovery, regrouping, writing
from mcp_memory.history.crew import Crew, Hire, Load, Made, Preparing, Terms, broken
from mcp_memory.history.stamps import STAMPS, Stamps
from mcp_memory.hooks import digesting
from mcp_memory.hooks.ledger import Book
from mcp_memory.readers import codex
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store import trimming
from mcp_memory.store.packing import Packed
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import admission, indexing, lineage
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.lineage import Kin
from mcp_memory.trajectories.reconciling import Former
from mcp_memory.trajectories.terms import Allowance, Ground, Known, Stamp, spelled

logger = logging.getLogger(__name__)

LOCK = "index.lock"
"""Held by whoever brings sessions into the bank."""

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
        packed = [one.packed for one in made if one.packed]
        self.rows += sum(map(len, packed))
        self.size += sum(each.size for each in packed)

    def full(self, load: Load) -> bool:
        return self.rows >= load.rows or self.size >= load.size


async def index(
    rooms: Rooms,
    paths: Iterable[Path],
    *,
    only_project: str | None = None,
    progress: Progress | None = None,
    processes: int | Hire = 0,
) -> list[FileReport]:
    """Index transcript files; unchanged ones cost one `stat`.

    One file that cannot be read is reported and the next one read. With `processes`, that many
    more prepare transcripts, or whom a function hires; what comes out is the same.

    Raises:
        Busy: another process is indexing this bank.
    """
    trimming.spare()
    async with elected(rooms):
        listed = list(paths)
        hire = partial(Crew, processes=processes) if isinstance(processes, int) else processes
        run = await _Run.begin(rooms, only_project, hire, listed)
        return await run.over(listed, progress)


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
    rooms.store.recovered.clear()


class _Run:
    """One pass over files: some are prepared ahead, one batch is written while the next fills."""

    def __init__(
        self, rooms: Rooms, terms: Terms, known: dict[str, Known], crew: Preparing, stamps: Stamps
    ) -> None:
        self._rooms = rooms
        self._terms = terms
        self._known = known
        self._sessions: Kin | None = None
        self._identities = terms.ground.identities
        self._crew = crew
        self._stamps = stamps
        self._catalogued: dict[str, Stamp] = {}
        self._batch = _Batch()
        self._written = anyio.Lock()
        self._taken: set[str] = set()
        self._projects: set[str] = set()
        self._book = Book(rooms.settings.home)
        self._fault: Exception | None = None
        self._send, self._receive = anyio.create_memory_object_stream[_Batch](0)

    @property
    def _kin(self) -> Kin:
        """Every session by its steps; made at the first that was read: most rounds read none."""
        if self._sessions is None:
            self._sessions = Kin({id_: one.marks for id_, one in self._known.items() if one.marks})
        return self._sessions

    @classmethod
    async def begin(
        cls, rooms: Rooms, only_project: str | None, hire: Hire, paths: Sequence[Path]
    ) -> "_Run":
        """A run that knows the catalogue as it is now."""
        settings = rooms.settings
        allowance = Allowance(
            settings.include,
            settings.exclude,
            only_project,
            settings.step_chars,
            ours=(str(settings.dreams_dir),),
        )
        rows = await rooms.store.catalogue()
        known = {row.id: known_of(row) for row in rows}
        stamped = {row.source_path: Stamp(row.size, row.mtime_ns) for row in rows}
        fresh = [p for p in paths if spelled(p) not in stamped and allowance.path(p)]
        told = await anyio.to_thread.run_sync(_told, rooms, fresh)
        terms = Terms(known, await writing.tombstones(rooms), allowance, Ground(told))
        stamps = await anyio.to_thread.run_sync(Stamps, settings.store_dir / STAMPS, allowance)
        run = cls(rooms, terms, known, hire(terms), stamps)
        run._catalogued.update(stamped)
        return run

    async def over(self, paths: Iterable[Path], progress: Progress | None) -> list[FileReport]:
        """Report on each file in turn, and at the end write the projects' indexes."""
        reports: list[FileReport] = []
        try:
            async with anyio.create_task_group() as group, self._send:
                group.start_soon(self._write)
                async with aclosing(self._prepared(paths)) as prepared:
                    async for report in prepared:
                        reports.append(report)
                        if progress is not None:
                            progress(report)
                        if self._batch.full(self._crew.load):
                            await self._hand_over()
                        if self._fault is not None:
                            break
                await self._hand_over()
        finally:
            self._crew.close()
        if self._fault is not None:
            raise self._fault
        await self._settle()
        await anyio.to_thread.run_sync(self._stamps.save)
        return reports

    async def _settle(self) -> None:
        """What is of the whole bank: names of projects that were learned, indexes, digests."""
        if not self._taken:
            return
        rooms, home = self._rooms, self._rooms.settings.home
        told = self._identities.unhashed(await rooms.store.projects())
        if told != identities.read(home):
            await anyio.to_thread.run_sync(identities.write, home, told)
        moved = await regrouping.settle(rooms, told)
        if moved.projects:
            await writing.write_memories(rooms, moved.projects)
        await writing.write_projects(rooms, self._projects | moved.projects)
        await digesting.renew(rooms, self._projects | moved.projects)

    async def _prepared(self, paths: Iterable[Path]) -> AsyncGenerator[FileReport]:
        waiting: deque[tuple[Path, _Begun | FileReport]] = deque()
        ahead = 0
        for path in paths:
            whole = Path(os.path.abspath(path))  # noqa: ASYNC240, PTH100 text only, links kept
            waiting.append((whole, self._begun(whole)))
            ahead += _size(waiting[-1][1])
            while self._crew.enough(len(waiting), ahead):
                ahead -= _size(waiting[0][1])
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
            return broken(path, error)
        return now, self._crew.begin(path)

    async def _finished(self, path: Path, begun: "_Begun | FileReport") -> FileReport:
        """Take what was made of a file into the batch; nothing a file holds raises."""
        if isinstance(begun, FileReport):
            return begun
        stamp, future = begun
        try:
            report, made = await self._crew.finish(path, future)
            report, made = await self._compared(path, report, made)
        except Exception as error:
            # The outermost door of the indexer: a file that breaks a reader must not stop the rest.
            logger.exception("a transcript could not be read")
            return broken(path, error)
        if report.status == "refused" and spelled(path) in self._catalogued:
            report = report.model_copy(update={"status": "unchanged", "reason": _EMPTIED})
        kept = [one for one in made if not self._repeats(one)]
        if made and not kept:
            report = report.model_copy(update={"status": "unchanged"})
        self._batch.add(kept)
        self._stamps.note(report, stamp)
        for one in kept:
            self._take(one)
        return report

    def _take(self, one: Prepared) -> None:
        self._known[one.session.id] = known = known_of(one.session)
        self._kin.add(one.session.id, known.marks)
        self._identities = self._identities.learned(*one.told)
        self._taken.add(one.session.id)
        self._projects.add(one.session.project)

    async def _compared(
        self, path: Path, report: FileReport, made: list[Prepared]
    ) -> tuple[FileReport, list[Prepared]]:
        """The sessions of a file beside all others, and beside what the bank holds of themselves.

        Prepared anew where another file of this run told of the same session after this one was
        begun, where another session holds some of its steps, or where the bank holds more of it.
        """
        if any(one.session.id in self._taken or self._shares(one) for one in made):
            report, made = await self._crew.again(path, self._ground())
        lacking = [one.session.id for one in made if one.lacks]
        if lacking:
            former = {id_: await self._former(id_) for id_ in lacking}
            report, made = await self._crew.again(path, self._ground(former))
        return report, made

    def _shares(self, one: Prepared) -> bool:
        marks = known_of(one.session).marks
        return bool(self._kin.shared(one.session.id, marks, one.session.origin))

    def _ground(self, former: Mapping[str, Former] | None = None) -> Ground:
        return Ground(self._identities, self._kin, former or {})

    async def _former(self, session: str) -> Former:
        """What the bank holds of a session, once all that was handed over is written."""
        if session in self._taken:
            await self._hand_over()
            async with self._written:
                pass
        row = await spans.session(self._rooms, session)
        whole = await spans.trajectory(self._rooms, row)
        return Former(whole, lineage.split(known_of(row).marks))

    def _repeats(self, one: Prepared) -> bool:
        """Whether these are but the prompts of a session that the bank has; the crew knew less."""
        return recovery.left_out(one.session, self._known, self._terms.gone, self._terms.allowance)

    async def _hand_over(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.prepared:
            await self._send.send(batch)

    async def _write(self) -> None:
        async with self._receive:
            async for batch in self._receive:
                async with self._written:
                    try:
                        if self._fault is None:
                            await writing.write(self._rooms, "index", batch.prepared)
                            await anyio.to_thread.run_sync(self._named, batch.prepared)
                            batch.prepared.clear()
                            await anyio.to_thread.run_sync(trimming.trim)
                    except Exception as error:  # noqa: BLE001 raised anew where files are taken
                        self._fault = error

    def _named(self, prepared: Sequence[Prepared]) -> None:
        """Note what agents named of that which a hook had told them in the same session."""
        for one in prepared:
            if self._book.watched(one.session.native_id):
                self._book.named(one.session.native_id, list(_said(one)))


_EMPTIED = "its host emptied it; what was indexed of it is kept"


def _told(rooms: Rooms, fresh: Iterable[Path]) -> Identities:
    """What is known of projects, with the one that this process stands in, and by new rollouts.

    Their first lines tell remotes: looked at ahead, or half of a first run would be moving what
    was prepared under the name of a worktree.
    """
    told = identities.read(rooms.settings.home)
    if projects.is_root(rooms.project):
        told = told.learned(rooms.project, remotes.remote_of(rooms.project))
    for path in fresh:
        if path.name.startswith("rollout-"):
            with suppress(OSError):
                folder, remote = codex.placed(path)
                place = admission.place(projects.project_of(folder)) if remote else ""
                told = told.learned(place, remote) if place else told
    return told


def _size(begun: "_Begun | FileReport") -> int:
    return 0 if isinstance(begun, FileReport) else begun[0].size


def _said(one: Prepared) -> Iterator[str]:
    """An agent's own words; what it called and was answered is none."""
    rows = one.as_columns().packed or Packed.of(())
    for kind, body in zip(rows.strings("kind"), rows.strings("body"), strict=True):
        step = orjson.loads(body) if kind == "step" and body else {}
        if step.get("source", SourceClass.AGENT) == SourceClass.AGENT:
            yield f"{step.get('text', '')}\n{step.get('reasoning', '')}"


def known_of(row: SessionRow) -> Known:
    """What the catalogue has of a session."""
    reading, _, marks = row.marks.partition(":")
    return Known(
        fingerprint=row.fingerprint,
        folder=row.folder,
        state=row.state,
        source_path=row.source_path,
        steps=row.steps,
        hidden=indexing.hidden_of(row),
        size=row.size,
        marks=marks,
        reading=reading,
    )


def elected(rooms: Rooms) -> AbstractAsyncContextManager[None]:
    """One indexer a bank."""
    return rooms.elected(LOCK, seconds=0, work="indexing")
