"""MemoryBank: one open collection and its six verbs; `open_bank` is the composition root."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import anyio.to_thread

from mcp_memory import indexer, projects
from mcp_memory.archive import Archive
from mcp_memory.asked import DeletionMode, Filter, Inspection, Query, Task
from mcp_memory.contract import Listable
from mcp_memory.embedder import Embedder, build_embedder
from mcp_memory.errors import EmbedderUnavailable
from mcp_memory.models import (
    Consolidation,
    Deletion,
    Draft,
    FetchResult,
    FileReport,
    Listed,
    Outcome,
    Retained,
    Runbook,
    SearchResult,
    Status,
)
from mcp_memory.settings import Settings
from mcp_memory.store import open_store
from mcp_memory.verbs import consolidate, delete, fetch, listing, retain, runbook, search, undo
from mcp_memory.verbs.rooms import Rooms, utc_now

logger = logging.getLogger(__name__)


class MemoryBank:
    """The six verbs over one open bank; errors are `MemoryBankError`s that say what to do next."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms

    async def retain(self, draft: Draft) -> Retained:
        """Keep a memory; the same content and source has the same ref."""
        return await retain.retain(self.rooms, draft)

    async def feedback(self, used: Sequence[str], outcome: Outcome) -> Retained:
        """Record how it went when memories were used."""
        return await retain.feedback(self.rooms, used, outcome)

    async def search(self, query: Query) -> SearchResult:
        """What bears on the questions, best first, or the nearest below the floor."""
        return await search.search(self.rooms, query)

    async def fetch(
        self, texts: Sequence[str], *, around: int = 0, budget_tokens: int | None = None
    ) -> FetchResult:
        """The full text behind refs."""
        return await fetch.fetch(self.rooms, texts, around=around, budget_tokens=budget_tokens)

    async def runbook(self, task: Task) -> Runbook:
        """Evidence-backed instructions for one task."""
        return await runbook.runbook(self.rooms, task)

    async def plan(self, project: str | None = None) -> Consolidation:
        """Groups of records that may deserve a memory, or a second look."""
        return await consolidate.plan(self.rooms, project)

    async def apply(self, drafts: Sequence[Draft], *, retire: Sequence[str] = ()) -> Consolidation:
        """Keep memories and put others to rest, through the gate, as one batch."""
        return await consolidate.apply(self.rooms, drafts, retire=retire)

    async def undo(self, batch: str) -> Consolidation:
        """Take a batch of the ledger back."""
        return await undo.undo(self.rooms, batch)

    async def delete(
        self,
        refs: Sequence[str],
        chosen: Filter | None = None,
        *,
        mode: DeletionMode = "preview",
        reason: str = "",
        confirm: str = "",
    ) -> Deletion:
        """Preview, forget, restore or purge."""
        asked = delete.Asked(tuple(refs), chosen, mode=mode, reason=reason, confirm=confirm)
        return await delete.delete(self.rooms, asked)

    async def inspect(self, ref: str, asked: Inspection) -> str:
        """Steps of a session within a cap of characters."""
        return await listing.inspect(self.rooms, ref, asked)

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
                return await listing.known_projects(self.rooms)
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
        processes: int = 0,
    ) -> list[FileReport]:
        """Index transcript files; a file that cannot be read is reported, not raised.

        With `processes`, that many more prepare transcripts; a program that gives any must guard
        its main module with `if __name__ == "__main__"`.
        """
        return await indexer.index(self.rooms, paths, progress=progress, processes=processes)

    async def maintain(self) -> None:
        """One round of upkeep, where it pays and no other process is at it."""
        await self.rooms.store.maintain()

    async def keep_indexed(self) -> None:
        """Index new history of the allowed projects again and again, until cancelled."""
        await indexer.keep_indexed(self.rooms)


def _embedder(settings: Settings) -> Embedder | None:
    """The configured model; one that is not to be had leaves words, and the answers say so."""
    try:
        return build_embedder(
            settings.embedding_model,
            path=settings.embedding_path,
            threads=settings.embedding_threads,
        )
    except EmbedderUnavailable as error:
        logger.warning("%s", error)
        return None


@asynccontextmanager
async def open_bank(
    settings: Settings,
    *,
    cwd: str | None = None,
    actor: str = "library",
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[MemoryBank]:
    """The bank in `settings.home`, open until the block is left.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged.
    """
    embedder = await anyio.to_thread.run_sync(_embedder, settings)
    try:
        async with open_store(
            settings.store_dir,
            locks=settings.locks_dir,
            model=embedder.name if embedder else "none",
            dim=embedder.dim if embedder else 0,
            busy_seconds=settings.busy_seconds,
            actor=actor,
        ) as store:
            rooms = Rooms(
                settings=settings,
                store=store,
                archive=Archive(settings.archive_dir),
                embedder=embedder,
                project=projects.project_of(cwd),
                now=now,
            )
            await indexer.repair(rooms)
            yield MemoryBank(rooms)
    finally:
        if embedder is not None:
            await embedder.aclose()
