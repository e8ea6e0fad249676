"""Taking: what importers found as candidates of this bank: through the door, asked against tombstones."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mcp_memory.domain import projects, refs
from mcp_memory.domain.models import (
    Draft,
    Memory,
    Refusal,
    SourceClass,
    Standing,
)
from mcp_memory.history import writing
from mcp_memory.history.writing import Tombstones
from mcp_memory.importing.items import Item
from mcp_memory.memories import retain, ruling
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import MemoryRow
from mcp_memory.trajectories import admission

PURGED = "it was purged from this bank"


@dataclass(slots=True)
class Taken:
    """What became of what was found."""

    rows: list[MemoryRow] = field(default_factory=list)
    """Ready to be written, vectors included; the batch is still to be named."""
    known: int = 0
    masked: int = 0
    refused: list[Refusal] = field(default_factory=list)


async def take(rooms: Rooms, found: Iterable[Item | Refusal], *, project: str = "") -> Taken:
    """Make candidates of what was found; what is there already, purged or no memory is counted.

    Standing, trust and source are this bank's: a candidate, by whom it comes from, whatever was
    claimed. `project`: where those go that name none.
    """
    taken = Taken()
    gone = await writing.tombstones(rooms)
    known = await rooms.store.projects()
    made: dict[str, Memory] = {}
    for each in found:
        if isinstance(each, Refusal):
            taken.refused.append(each)
            continue
        memory = _memory(rooms, each, _placed(rooms, each.draft.project or project, known), taken)
        if memory is None:
            continue
        if reason := ruling.refusal(rooms.ruling(memory.project).rules, memory):
            taken.refused.append(Refusal(where=each.where, reason=reason))
        elif gone.memory(memory.text) or _rests_on_purged(memory, gone):
            taken.refused.append(Refusal(where=each.where, reason=PURGED))
        elif memory.ref in made:
            taken.known += 1
        else:
            made[memory.ref] = memory
    there = (
        {row.key for row in await rooms.store.by_keys("memories", tuple(made))} if made else set()
    )
    fresh = [memory for ref, memory in made.items() if ref not in there]
    taken.known += len(there)
    vectors = await rooms.vectors([retain.searched(memory) for memory in fresh])
    taken.rows = [retain.row_of(m, v) for m, v in zip(fresh, vectors, strict=True)]
    return taken


def _memory(rooms: Rooms, item: Item, project: str, taken: Taken) -> Memory | None:
    """The candidate that an item makes; None where it makes none, which is counted."""
    if fault := _fault(item.draft):
        taken.refused.append(Refusal(where=item.where, reason=fault))
        return None
    admitted = admission.admit_draft(item.draft)
    taken.masked += sum(admitted.masked.values())
    draft = admitted.draft.model_copy(update={"project": project, "supersedes": None})
    source = min(item.source, SourceClass.AGENT, key=lambda one: one.trust)
    told = {name: getattr(draft, name) for name in Draft.model_fields}
    now = rooms.now()
    return Memory(
        **told,
        ref=f"m:{refs.short_hash('memory', retain.content_hash(draft, source))}",
        version=1,
        source=source,
        trust=source.trust,
        standing=Standing.CANDIDATE,
        flags=admitted.flags,
        created_at=item.at if item.at is not None and item.at <= now else now,
        batch="",
    )


def _fault(draft: Draft) -> str:
    length = len(retain.said(draft))
    if length > retain.MOST_CHARS:
        return f"it has {length:,} characters; {retain.MOST_CHARS:,} are taken"
    return "" if draft.text.strip() else "it is empty"


def _placed(rooms: Rooms, asked: str, known: Iterable[str]) -> str:
    """The project that an item names, under the name that this bank has for it."""
    if asked in {"", projects.USER, projects.EVERY}:
        return projects.USER
    return admission.place(rooms.identities().named(projects.resolve(asked, known) or asked))


def _rests_on_purged(memory: Memory, gone: Tombstones) -> bool:
    return any(gone.session(refs.session_of(cited.ref)) for cited in memory.evidence)
