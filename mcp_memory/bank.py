"""MemoryBank: one open collection and its six verbs; `open_bank` is the composition root."""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Unpack

import anyio
import anyio.to_thread

from mcp_memory.checkup import remaking
from mcp_memory.domain.asked import (
    ANYTHING,
    Filter,
    Inspection,
    Manner,
    Planning,
    Query,
    Reading,
    Task,
)
from mcp_memory.domain.contract import Bank, Listable
from mcp_memory.domain.errors import Busy, EmbedderUnavailable, MemoryBankError
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import (
    Consolidation,
    Deletion,
    Draft,
    Listed,
    Outcome,
    Retained,
    Runbook,
    SourceClass,
    Status,
)
from mcp_memory.domain.reports import FileReport
from mcp_memory.forgetting import delete, proving, purging, undo
from mcp_memory.history import crew, following, indexer, receiving, writing
from mcp_memory.history.wire import Holding, Listing, Part, Receipt
from mcp_memory.hooks import digesting, ready
from mcp_memory.hooks.ledger import Book
from mcp_memory.importing import by_hand
from mcp_memory.importing.by_hand import ByHand
from mcp_memory.memories import (
    answered,
    feedback,
    fetch,
    listing,
    proposing,
    recent,
    releasing,
    retain,
    retrusting,
)
from mcp_memory.rooms import Rooms, open_rooms, utc_now
from mcp_memory.runbook import asking
from mcp_memory.settings import Settings
from mcp_memory.store import trimming

logger = logging.getLogger(__name__)

READS_FILES = 20.0
"""Seconds after which a server looks whether a person changed a memory's file."""
SETTLES, RESTS = 0.5, 9.0
"""Seconds after a memory is kept until the digests are made anew: it seldom comes alone; and so many
times as long as that took, so that where many keep memories at once it is a tenth of the work."""


class MemoryBank(Bank):
    """The six verbs over one open bank; errors are `MemoryBankError`s that say what to do next."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._book = Book(rooms.settings.home)
        self._stale: set[str] = set()
        self._changed = anyio.Event()

    async def retain(self, draft: Draft, *, by: SourceClass = SourceClass.AGENT) -> Retained:
        """Keep a memory; the same content and source has the same ref. `by`: who asks."""
        kept = await retain.retain(self.rooms, draft, by=by)
        if kept.created:
            self._stale.add(draft.project or self.rooms.project)
            self._changed.set()
        await self._note("used", [cited.ref for cited in draft.evidence])
        return kept

    async def feedback(self, used: Sequence[str], outcome: Outcome) -> Retained:
        """Record how it went when memories were used."""
        noted = await feedback.feedback(self.rooms, used, outcome)
        await self._note("used", used)
        return noted

    async def search(self, query: Query) -> SearchResult:
        """What bears on the questions, best first; the newest sessions where that is all they ask."""
        return await answered.search(self.rooms, query)

    async def recent(self, query: Query) -> SearchResult:
        """The newest sessions as they were left, within what the query says."""
        return await recent.recent(self.rooms, query)

    async def fetch(self, asked: Reading) -> FetchResult:
        """The text behind refs."""
        found = await fetch.fetch(self.rooms, asked)
        await self._note("opened", asked.refs)
        return found

    async def runbook(self, task: Task) -> Runbook:
        """Evidence-backed instructions for one task."""
        return await asking.runbook(self.rooms, task)

    async def plan(self, asked: Planning = ANYTHING) -> Consolidation:
        """What may deserve a memory, or a second look."""
        return await proposing.plan(self.rooms, asked)

    async def apply(self, drafts: Sequence[Draft], *, retire: Sequence[str] = ()) -> Consolidation:
        """Keep memories and put others to rest, through the gate, as one batch."""
        async with self.silent():
            applied = await proving.apply(self.rooms, drafts, retire=retire)
        await self._note("used", [cited.ref for draft in drafts for cited in draft.evidence])
        return applied

    async def undo(self, batch: str, *, since: datetime | None = None) -> Consolidation:
        """Take a batch of the ledger back, or instead all since a moment, newest first."""
        async with self.silent():
            if since is not None:
                return await undo.undo_since(self.rooms, since)
            return await undo.undo(self.rooms, batch)

    async def release(self, texts: Sequence[str]) -> Consolidation:
        """Tell these records from now on, though they would be held back: the user's to say."""
        async with self.silent():
            return await releasing.release(self.rooms, tuple(texts))

    async def distrust(self, source: str | tuple[str, ...]) -> Consolidation:
        """Tell nothing of a source any more, nor what rests on it: the user's to say."""
        async with self.silent():
            done = await releasing.distrust(self.rooms, source)
            await writing.write_projects(self.rooms, await self.rooms.store.projects())
            return done

    async def delete(
        self, refs: Sequence[str], chosen: Filter | None = None, **how: Unpack[Manner]
    ) -> Deletion:
        """Preview, forget, restore or purge."""
        asked = delete.Asked(tuple(refs), chosen, **how)
        if asked.mode == "preview":
            return await delete.delete(self.rooms, asked)
        async with self.silent(await delete.projects_of(self.rooms, asked)):
            return await delete.delete(self.rooms, asked)

    async def inspect(self, ref: str, asked: Inspection) -> str:
        """Steps of a session within a cap of characters."""
        shown = await listing.inspect(self.rooms, ref, asked)
        await self._note("opened", [ref])
        return shown

    async def owners(self, texts: Sequence[str]) -> Mapping[str, str]:
        """The project that each ref belongs to."""
        return await listing.owners(self.rooms, texts)

    async def listing(self, what: Listable, *, project: str = "*", limit: int = 50) -> list[Listed]:
        """Sessions, memories, projects or changes, newest first."""
        match what:
            case "sessions":
                return await listing.sessions(self.rooms, project=project, limit=limit)
            case "memories":
                return await listing.memories(self.rooms, project=project, limit=limit)
            case "projects":
                return (await listing.known_projects(self.rooms))[:limit]
            case "changes":
                return await listing.changes(self.rooms, limit=limit)

    async def status(self) -> Status:
        """What the bank holds and how it is."""
        return await listing.status(self.rooms)

    async def index(
        self,
        paths: Iterable[Path],
        *,
        progress: indexer.Progress | None = None,
        processes: int | crew.Hire = 0,
    ) -> list[FileReport]:
        """Index transcript files; a file that cannot be read is reported, not raised.

        With `processes`, that many more prepare transcripts, or whom a function hires; a program
        that gives any must guard its main module with `if __name__ == "__main__"`.
        """
        await self._move_over()
        await self.read_files()
        return await indexer.index(self.rooms, paths, progress=progress, processes=processes)

    async def holdings(
        self, ids: Sequence[str], *, within: Sequence[str] | None = None
    ) -> Mapping[str, Holding]:
        """How far sessions are held that somebody may bring."""
        return await receiving.holdings(self.rooms, ids, within=within)

    async def receive(self, parts: Sequence[Part], *, sender: str) -> Receipt:
        """Take in pieces of sessions that somebody brings."""
        return await receiving.receive(self.rooms, parts, sender=sender)

    async def files(self, project: str) -> Listing:
        """The files of a project's archive, with their digests."""
        return await receiving.files(self.rooms, project)

    async def file(self, project: str, path: str) -> Path:
        """Where a file of a project's archive lies."""
        return await receiving.file(self.rooms, project, path)

    async def maintain(self) -> None:
        """One round of upkeep, where it pays and no other process is at it."""
        await self.rooms.store.maintain()
        await indexer.repair(self.rooms)

    async def fresh(self) -> None:
        """See what other machines have written; in a folder every look does."""
        await self.rooms.store.fresh()

    async def tell(self) -> None:
        """Let other machines see what changed beside the tables; in a folder all of it lies open."""
        await self.rooms.store.tell()

    async def rest(self, idle_seconds: float) -> None:
        """Let go of the embedding model, where nothing was asked of it for so long."""
        if (embedder := self.rooms.embedder) and await embedder.rest(idle_seconds):
            await anyio.to_thread.run_sync(trimming.trim)

    async def keep_indexed(self) -> None:
        """Index new history of the allowed projects again and again, until cancelled."""
        await self._move_over()
        await following.keep_indexed(self.rooms)

    async def _move_over(self) -> None:
        """Vectors of the bundled model's former version made anew; words answer meanwhile."""
        try:
            moved = await remaking.move_over(self.rooms)
        except (Busy, EmbedderUnavailable) as error:
            logger.warning("vectors are of an older model until the next indexing: %s", error)
        else:
            if moved:
                logger.info("%s vectors made anew", moved)

    async def still_holds(self, cited: Sequence[str]) -> bool:
        """Whether all of these may be told unasked: nothing of them was forgotten or overtaken."""
        return await digesting.hold(self.rooms, cited)

    async def keep_ready(self) -> None:
        """Make digests anew after memories were kept, again and again, until cancelled."""
        await digesting.repair(self.rooms)
        began = anyio.current_time()
        while True:
            await self.read_files()
            took = anyio.current_time() - began
            with anyio.move_on_after(READS_FILES):
                await self._changed.wait()
                await anyio.sleep(max(SETTLES, RESTS * took))
            began = anyio.current_time()
            await self.settle()

    async def read_files(self) -> ByHand:
        """Take in what a person changed in the memory files, and say what changed."""
        done = await self._files()
        if done.any:
            await self._tell(None)
        return done

    async def settle(self) -> None:
        """Make the digests of what has changed anew; hooks say the former until then."""
        stale, self._stale, self._changed = self._stale, set(), anyio.Event()
        if stale:
            await self._tell(stale)

    @asynccontextmanager
    async def silent(self, wanted: Collection[str] | None = None) -> AsyncIterator[None]:
        """Hooks say nothing while something goes, nor after a kill: what is deleted is not told."""
        await anyio.to_thread.run_sync(ready.clear, self.rooms.settings.home, wanted)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self._tell(wanted)

    async def _tell(self, wanted: Iterable[str] | None) -> None:
        """Bring what hooks and files say of memories up to date; what fails is mended later."""
        if (await self._files()).any:
            wanted = None
        await digesting.renew(self.rooms, wanted)
        try:
            await writing.write_memories(self.rooms, wanted)
        except (MemoryBankError, OSError) as error:
            logger.warning("MEMORIES.md is not up to date: %s", error)

    async def _files(self) -> ByHand:
        try:
            return await by_hand.sync(self.rooms)
        except (MemoryBankError, OSError) as error:
            logger.warning("memory files are not up to date: %s", error)
            return ByHand()

    async def _note(self, what: str, cited: Sequence[str]) -> None:
        """Note in the hooks' ledger what came of what they said; never in a call's way."""
        if not cited:
            return
        try:
            await anyio.to_thread.run_sync(self._book.note, what, list(cited))
        except OSError as error:
            logger.debug("not noted: %s", error)


async def repaired(bank: MemoryBank) -> MemoryBank:
    """The bank, with what a kill or a full disk cut off brought to its end."""
    try:
        await indexer.repair(bank.rooms)
    except (MemoryBankError, OSError) as error:
        logger.warning("the archive is brought in line at the next upkeep: %s", error)
    await purging.finish_if_it_can_be(bank.rooms)
    await retrusting.renew_if_it_can_be(bank.rooms)
    return bank


async def _settled(bank: MemoryBank) -> None:
    """What hooks say is made once more; what fails is made at the next opening."""
    try:
        await bank.settle()
    except (MemoryBankError, OSError) as error:
        logger.warning("what hooks say is not up to date: %s", error)


@asynccontextmanager
async def open_bank(
    settings: Settings,
    *,
    cwd: str | None = None,
    actor: str = "library",
    now: Callable[[], datetime] = utc_now,
    build: Callable[[Rooms], MemoryBank] = MemoryBank,
) -> AsyncIterator[MemoryBank]:
    """The bank in `settings.home`, open until the block is left.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged.
    """
    async with open_rooms(settings, cwd=cwd, actor=actor, now=now) as rooms:
        bank = await repaired(build(rooms))
        try:
            yield bank
        finally:
            with anyio.CancelScope(shield=True):
                await _settled(bank)
