"""Rooms: what every verb works with; opened together by `open_bank`, closed together."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio.to_thread

from mcp_memory.archive.files import Archive
from mcp_memory.domain import identities, paths, projects, remotes, rules, trusting
from mcp_memory.domain.errors import EmbedderUnavailable, InvalidInput
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.models import Outcome
from mcp_memory.domain.rules import Ruling
from mcp_memory.domain.trusting import Trusting
from mcp_memory.embedding.embedder import Embedder, build_embedder
from mcp_memory.embedding.reranker import Reranker, build_reranker
from mcp_memory.settings import Settings
from mcp_memory.store import Store, open_store
from mcp_memory.store.address import home_of
from mcp_memory.store.rows import Look, Where
from mcp_memory.store.upkeep import SEARCHED, WORD_COLUMNS

logger = logging.getLogger(__name__)

WEIGHTS: Mapping[str, float] = {
    "words": 0.3,
    "context": 1.0,
    "identifiers": 0.2,
    "vectors": 0.5,
    "links": 1.0,
}
"""What each channel of search counts; a channel of 0 is not asked."""


OTHER_MODEL = (
    "Words only: vectors are of another model. `mcp-memory index` moves those of the bundled one "
    "over, `mcp-memory doctor --reembed` all."
)


def utc_now() -> datetime:
    """The clock of a real bank; tests pass their own."""
    return datetime.now(UTC)


def standing_in(settings: Settings, cwd: str | None) -> str:
    """The project that a folder belongs to, under the name that the bank has for it."""
    folder = projects.standing_in(cwd)
    remote = remotes.remote_of(folder) if projects.is_root(folder) else ""
    return identities.read(settings.home).placed(folder, remote)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Store, archive and embedder of one open bank, with its settings and its clock."""

    settings: Settings
    store: Store
    archive: Archive
    embedder: Embedder | None
    project: str
    """The project that this process was started in; answers come from it and from `user`."""
    now: Callable[[], datetime] = utc_now
    reranker: Reranker | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)

    def writes_to(self, asked: str | None) -> str:
        """The project that what is kept belongs to.

        Raises:
            InvalidInput: none is named, and this process stands in none.
        """
        if asked or self.project != projects.EVERY:
            return self.identities().named(asked or self.project)
        raise InvalidInput(
            "Nothing says which project this belongs to.",
            next_step="Name it in `project` (its folder's name will do), or 'user'.",
        )

    def elected(
        self, lock: str, *, work: str, seconds: float | None = None
    ) -> AbstractAsyncContextManager[None]:
        """One process at a time, of all that share the bank; waits as long as the settings say.

        Raises:
            Busy: another one is at it.
        """
        waits = self.settings.busy_seconds if seconds is None else seconds
        return self.store.elected(lock, seconds=waits, work=work)

    def identities(self) -> Identities:
        """Which folders are one project, as it is known now."""
        return identities.read(self.settings.home)

    def ruling(self, project: str) -> Ruling:
        """The rules that hold for a project, by the user's file and the repository's, as they are now."""
        return rules.read(self.settings.home, project)

    def trusting(self) -> Trusting:
        """What the user released, and which sources are distrusted, as it is known now."""
        return trusting.read(self.settings.home)

    def degraded(self) -> tuple[str, ...]:
        """What answers go without, said plainly."""
        lacking: tuple[str, ...] = ()
        if self.embedder is None:
            lacking = ("Words only: no vectors are in use.",)
        elif not self.store.vectors_ready:
            lacking = (OTHER_MODEL,)
        if self.reranker is not None and self.reranker.unavailable:
            lacking += (f"Not reranked: {self.reranker.unavailable}.",)
        return lacking

    def path_of(self, folder: str, step: int) -> str | None:
        """`file:line` of a step; None where the caller has no files of this machine to open."""
        return self.archive.path_of(folder, step) if self.settings.local_paths else None

    @property
    def archive_root(self) -> str | None:
        """The archive's folder; None where the caller has no files of this machine to open."""
        root = self.archive.root if self.settings.local_paths else None
        return root.as_posix() if root else None

    def placed(self, places: Sequence[str | None]) -> tuple[str | None, list[str | None]]:
        """The folder that these places of the archive are below, and each as seen from there."""
        root = self.archive_root
        if root is None or not any(places):
            return None, [None] * len(places)
        top, below = paths.gathered(places)
        return f"{root}/{top}".rstrip("/"), below

    async def warm_up(self) -> None:
        """Load the model, and read what each channel of a search looks into first."""
        vector = await self.query_vector("ready")
        for table in SEARCHED:
            looks = {each: Look(words="ready", column=each) for each in WORD_COLUMNS}
            if vector is not None:
                looks["vectors"] = Look(vector=vector)
            await self.store.by_each(table, looks, where=Where(), limit=1)

    async def query_vector(self, text: str) -> tuple[float, ...] | None:
        """The vector of a query; None while search goes by words only."""
        if self.embedder is None or not self.store.vectors_ready:
            return None
        try:
            return await self.embedder.embed_query(text)
        except EmbedderUnavailable:
            return None

    async def vectors(self, texts: list[str]) -> list[tuple[float, ...] | None]:
        """One vector a text; None for empty texts, and for all while there is no embedder."""
        wanted = [text for text in texts if text]
        if self.embedder is None or not self.store.vectors_ready or not wanted:
            return [None] * len(texts)
        try:
            made = iter(await self.embedder.embed(wanted))
        except EmbedderUnavailable:
            return [None] * len(texts)
        return [next(made) if text else None for text in texts]

    async def packed_vectors(self, texts: list[str]) -> bytes | None:
        """Vectors of texts as float32 rows; None while there is no embedder."""
        if self.embedder is None or not self.store.vectors_ready:
            return None
        try:
            return await anyio.to_thread.run_sync(self.embedder.embed_blocking, texts)
        except EmbedderUnavailable:
            return None

    async def likeness(self, text: str, others: Sequence[str]) -> list[float]:
        """How near each of the others is to a text, -1 to 1; 0 where to know it would take long."""
        ready = self.embedder is not None and self.store.vectors_ready
        if self.embedder is None or not ready or not self.embedder.light or not others:
            return [0.0] * len(others)
        try:
            return await self.embedder.likeness(text, others)
        except EmbedderUnavailable:
            return [0.0] * len(others)

    async def usage(self) -> dict[str, tuple[int, int]]:
        """How often each memory was used and it is known how that went, and how often well."""
        told = (await self.feedback()).items()
        ends = (
            (ref, one[Outcome.SUCCESS].total(), one[Outcome.FAILURE].total()) for ref, one in told
        )
        return {ref: (well + badly, well) for ref, well, badly in ends if well + badly}

    async def feedback(self) -> dict[str, Mapping[Outcome, Counter[str]]]:
        """How the uses of each memory went, by the word of who used it, and how often each said so.

        A ref stands for its words, so that all versions of a memory share their counters. Who says so
        is one caller of one process on one day: over stdio that is one session of one host.
        """
        undone: set[str] = set()
        for row in reversed(await self.store.ledger(op="undo")):
            # What takes an undo back comes after it.
            if row.batch not in undone:
                undone.update(ref for ref in row.refs if ref.startswith("b:"))
        counts: dict[str, Mapping[Outcome, Counter[str]]] = {}
        for row in await self.store.ledger(op="feedback"):
            if row.batch not in undone:
                outcome = next((one for one in Outcome if f'"{one.value}"' in row.inverse), None)
                who = f"{row.actor} {row.owner} {row.at.date()}"
                for key in row.refs if outcome else ():
                    told = counts.setdefault(
                        key.partition("@")[0], {each: Counter() for each in Outcome}
                    )
                    told[outcome or Outcome.UNKNOWN][who] += 1
        return counts


def embedder_of(settings: Settings) -> Embedder | None:
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
async def open_rooms(
    settings: Settings,
    *,
    cwd: str | None = None,
    actor: str = "library",
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Rooms]:
    """Store, archive and embedder of the home in `settings`, open until the block is left.

    Raises:
        StoreTooNew: a newer version wrote it.
        StoreUnreadable: its files are damaged.
    """
    home = home_of(settings)
    embedder = await anyio.to_thread.run_sync(embedder_of, settings)
    try:
        async with open_store(
            home,
            model=embedder.name if embedder else "none",
            dim=embedder.dim if embedder else 0,
            busy_seconds=settings.busy_seconds,
            actor=actor,
        ) as store:
            yield Rooms(
                settings=settings,
                store=store,
                archive=Archive(home.shelf("archive")),
                embedder=embedder,
                project=settings.project or standing_in(settings, cwd),
                now=now,
                reranker=build_reranker(
                    settings.rerank_model,
                    path=settings.rerank_path,
                    threads=settings.embedding_threads,
                ),
            )
    finally:
        if embedder is not None:
            await embedder.aclose()
