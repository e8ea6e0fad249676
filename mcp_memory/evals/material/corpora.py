"""Corpora: banks made of them in a work folder, found again by what they were made of."""

import hashlib
import inspect
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import projects, refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Trajectory
from mcp_memory.embedding import embedder
from mcp_memory.evals.material.samples import Corpus
from mcp_memory.history import writing
from mcp_memory.memories import retain
from mcp_memory.settings import Settings
from mcp_memory.store import upkeep
from mcp_memory.text import guard, identifiers, redaction, redaction_rules, signatures
from mcp_memory.trajectories import admission, episodes, evidence, indexing, marks, rendering
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.terms import Place, Stamp

DONE = "made"
_SHAPING = (
    admission, embedder, episodes, evidence, guard, identifiers, indexing, marks, redaction,
    redaction_rules, refs, rendering, retain, signatures, upkeep,
)  # fmt: skip
"""The rooms that decide what rows come out: other code of theirs is another bank."""
BATCH, UPKEEP = 200, 32


@asynccontextmanager
async def opened(corpus: Corpus, work: Path, settings: Settings) -> AsyncIterator[MemoryBank]:
    """The corpus's bank, filled if it is not yet; what was half made is made again."""
    home = work / "banks" / f"{corpus.name}-{_digest(corpus, settings)}"
    chosen = settings.model_copy(update={"home": home, "exclude": (), "include": ()})
    made = home / DONE
    fresh = not made.exists()
    async with open_bank(chosen, actor="eval") as bank:
        if fresh:
            await fill(bank, corpus, home)
            made.touch()
        yield bank


async def fill(bank: MemoryBank, corpus: Corpus, folder: Path) -> None:
    """Everything of a corpus into a bank, through the doors that everything comes in by."""
    if corpus.trajectories is not None:
        await write(bank, corpus.trajectories())
    if corpus.transcripts is not None:
        paths = list(corpus.transcripts(folder / "transcripts"))
        reports = await bank.index(paths)
        refused = [report for report in reports if report.status == "refused"]
        if len(refused) == len(reports):
            raise InvalidInput(
                f"No transcript of {corpus.name} could be read.",
                next_step=refused[0].reason if refused else "Give --packs the unpacked folder.",
            )
    if corpus.memories is not None:
        for number, draft in enumerate(corpus.memories(), 1):
            await bank.retain(draft)
            await kept_up(bank, number)
    if corpus.told is not None:
        await corpus.told(bank)
    await bank.rooms.store.maintain(force=True)


async def kept_up(bank: MemoryBank, written: int) -> None:
    """Upkeep after every so many single writes, as a server does it."""
    if written % UPKEEP == 0:
        await bank.rooms.store.maintain(force=True)


async def write(bank: MemoryBank, trajectories: Iterable[Trajectory]) -> None:
    """Trajectories without a transcript, admitted, cut and written as any others."""
    waiting: list[Prepared] = []
    for trajectory in trajectories:
        made = await anyio.to_thread.run_sync(prepared, trajectory, bank.rooms.settings.step_chars)
        waiting.append(made)
        if len(waiting) >= BATCH:
            await writing.write(bank.rooms, "index", waiting)
            waiting = []
    if waiting:
        await writing.write(bank.rooms, "index", waiting)


def prepared(trajectory: Trajectory, step_chars: int) -> Prepared:
    """A trajectory made into rows and files; its `cwd` is its project."""
    masked = admission.admit_trajectory(trajectory).trajectory
    project = masked.cwd or projects.UNKNOWN
    mark = indexing.fingerprint(masked, reader_version=0, hidden={})
    row = indexing.catalogue_row(masked, Place("", Stamp(0, 0), project, 0), None, mark)
    session = replace(row, cwd=project, parent="")
    return indexing.rebuilt(masked, session, hidden={}, step_chars=step_chars)


def _digest(corpus: Corpus, settings: Settings) -> str:
    made = hashlib.sha256(f"{corpus.digest} {settings.embedding_model}".encode())
    for module in _SHAPING:
        made.update(inspect.getsource(module).encode())
    return made.hexdigest()[:16]
