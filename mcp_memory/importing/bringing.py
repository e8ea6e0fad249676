"""import: one file or folder of another bank or tool into this one, as one batch that can be undone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue, ValidationError

from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.domain.models import Refusal
from mcp_memory.domain.reports import Imported
from mcp_memory.history import exchange, indexer, receiving, writing
from mcp_memory.history.exchange import Use
from mcp_memory.history.writing import Tombstones
from mcp_memory.hooks import digesting
from mcp_memory.hosts import memories
from mcp_memory.importing import (
    bank_export,
    basic_memory,
    claude_mem,
    engram,
    host_files,
    knowledge_graph,
    mem0,
    taking,
)
from mcp_memory.importing.bank_export import Contents
from mcp_memory.importing.items import Importer
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow
from mcp_memory.trajectories.indexing import Prepared

IMPORTERS: tuple[Importer, ...] = (
    knowledge_graph,
    mem0,
    claude_mem,
    engram,
    host_files,
    basic_memory,
)
"""In this order: a folder of Markdown may be several; the first that knows it reads it."""
FORMATS = (bank_export.NAME, *(each.NAME for each in IMPORTERS))


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported, and how."""

    path: Path
    format: str = ""
    """Empty: told by its content."""
    project: str = ""
    """Where memories go that name no project."""
    keys: tuple[bytes, ...] = ()
    """Of further homes of the same owner."""


@dataclass(slots=True)
class _Found:
    """What is to be written, and what became of the rest."""

    rendered: list[Prepared] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    memories: list[MemoryRow] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    own: bool = False
    known: int = 0
    masked: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def add(self, taken: taking.Taken) -> None:
        """Candidates, and what became of others."""
        self.memories += taken.rows
        self.known += taken.known
        self.masked += taken.masked
        self.refused += taken.refused


async def import_(rooms: Rooms, source: Source) -> Imported:
    """Bring in what a file holds; nothing of it stands by its own word.

    What another home or tool wrote becomes candidates and external content. Only lines that the
    owner's own key has sealed come in with standing, trust and counters as they were.

    Raises:
        InvalidInput: no importer knows it.
        Busy: something else brings sessions into this bank.
        OSError: it cannot be opened.
    """
    name = source.format or await anyio.to_thread.run_sync(recognized, source.path)
    async with rooms.elected(indexer.LOCK, work="indexing"):
        if name == bank_export.NAME:
            found = await _of_bank(rooms, source)
        else:
            found = _Found()
            importer = next(each for each in IMPORTERS if name == each.NAME)
            read = await anyio.to_thread.run_sync(lambda: list(importer.read(source.path)))
            found.add(await taking.take(rooms, read, project=source.project))
        batch = await _write(rooms, found)
    return Imported(
        format=name,
        sessions=len(found.sessions) + len(found.rendered),
        memories=len({row.key for row in found.memories}),
        uses=len(found.uses),
        own=found.own,
        known=found.known,
        masked=found.masked,
        refused=tuple(found.refused),
        batch=batch,
    )


async def of_hosts(rooms: Rooms) -> list[Source]:
    """What hosts load by themselves here: everywhere, in this project, and notes of known ones."""
    known = await rooms.store.projects()
    by_slug = {
        re.sub(r"[^A-Za-z0-9]", "-", project): project for project in (*known, rooms.project)
    }

    def found() -> list[Source]:
        files = [*memories.everywhere(), *memories.of_project(Path(rooms.project))]
        return [
            *(Source(file, host_files.NAME) for file in files),
            *(
                Source(folder, host_files.NAME, by_slug.get(slug, ""))
                for folder, slug in memories.notes()
            ),
        ]

    return await anyio.to_thread.run_sync(found)


def recognized(path: Path) -> str:
    """The format of a file or folder; blocking.

    Raises:
        InvalidInput: no importer knows it.
        OSError: it cannot be opened.
    """
    if bank_export.recognize(path):
        return bank_export.NAME
    for each in IMPORTERS:
        if each.recognize(path):
            return each.NAME
    raise InvalidInput(
        f"{path} is nothing that can be imported.",
        next_step=f"What can be: {', '.join(FORMATS)}. Conversations that ChatGPT or Claude.ai "
        "exported (conversations.json), and other transcripts, are read by `index`.",
    )


async def _of_bank(rooms: Rooms, source: Source) -> _Found:
    key, _ = await rooms.store.tombstones()
    gone = await writing.tombstones(rooms)
    held = await anyio.to_thread.run_sync(bank_export.contents, source.path, (key, *source.keys))
    found = _Found(refused=held.refused)
    await _sessions(rooms, source, held, gone, found)
    await _memories(rooms, held.memories, gone, found)
    found.add(await taking.take(rooms, held.claimed, project=source.project))
    await _uses(rooms, held.uses, found)
    return found


async def _sessions(
    rooms: Rooms, source: Source, held: Contents, gone: Tombstones, found: _Found
) -> None:
    there = await rooms.store.sessions(ids=tuple(held.sessions)) if held.sessions else []
    known = {row.id for row in there}
    found.known += len(known)
    sender, chars = f"import of {source.path.name}", rooms.settings.step_chars
    for id_, session in held.sessions.items():
        if id_ in known:
            continue
        try:
            made = await anyio.to_thread.run_sync(
                partial(bank_export.prepared, session, gone, sender=sender, step_chars=chars)
            )
        except MemoryBankError as error:
            found.refused.append(Refusal(where=f"t:{id_}"[:80], reason=str(error)))
        except (ValidationError, ValueError, TypeError, RecursionError) as error:
            found.refused.append(Refusal(where=f"t:{id_}"[:80], reason=receiving.fault(error)))
        else:
            found.own |= session.own
            if made is None:
                found.sessions.append(session.row)
                found.evidence += session.rows
            else:
                found.rendered.append(made)
                found.masked += sum(made.masked.values())


async def _memories(
    rooms: Rooms, rows: Sequence[MemoryRow], gone: Tombstones, found: _Found
) -> None:
    """The owner's memories with all their versions; a ref that is here has its own history."""
    keys = tuple(dict.fromkeys(row.key for row in rows))
    there = {row.key for row in await rooms.store.by_keys("memories", keys)} if keys else set()
    found.known += len(there)
    buried = {row.key for row in rows if bank_export.purged(row, gone)}
    found.refused += [Refusal(where=key, reason=taking.PURGED) for key in sorted(buried - there)]
    fresh = [row for row in rows if row.key not in there | buried]
    found.own |= bool(fresh)
    found.memories += await retain.with_vectors(rooms, fresh)


async def _uses(rooms: Rooms, uses: Sequence[Use], found: _Found) -> None:
    """Feedback counts once, however often it is brought."""
    known = {use.batch for use in await exchange.uses(rooms, everything=True)}
    fresh = [use for use in uses if use.batch not in known]
    found.known += len(uses) - len(fresh)
    found.uses += fresh


async def _write(rooms: Rooms, found: _Found) -> str:
    """All of it as one batch; empty where nothing is new."""
    if not (found.rendered or found.sessions or found.memories or found.uses):
        return ""
    named = [row.id for row in found.sessions] + [one.session.id for one in found.rendered]
    # Sessions that are there already are passed over: none of these grew.
    inverse: dict[str, JsonValue] = {"kind": "index", "grown": {}}
    async with rooms.store.change(
        "import",
        refs=tuple(f"t:{one}" for one in named),
        inverse=inverse if named else {"kind": "memories"},
    ) as change:
        await change.add(
            evidence=await writing.with_vectors(rooms, found.evidence),
            sessions=found.sessions,
            memories=[retain.in_batch(row, change.batch) for row in found.memories],
        )
        if found.rendered:
            await writing.put(rooms, change, found.rendered)
    for use in found.uses:
        told: Mapping[str, JsonValue] = {"outcome": use.outcome, "of": use.batch}
        await rooms.store.note("feedback", refs=use.refs, inverse=told)
    await writing.rerender(rooms, named)
    await digesting.renew(rooms)
    return change.batch
