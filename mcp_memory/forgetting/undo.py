"""undo: one batch of the ledger taken back; the undoing is a batch itself."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from pydantic import JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.models import Consolidation, Memory, State
from mcp_memory.forgetting import hiding, standing
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.forgetting.standing import Ledger
from mcp_memory.history import regrouping
from mcp_memory.memories import releasing, retain, superseding
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import LedgerRow, MemoryRow, Where

LEFT = " was left: "
"""What a note says of a batch that was not taken back."""


async def undo(rooms: Rooms, batch: str) -> Consolidation:
    """Take a batch back, whatever made it; only a purge cannot be.

    Raises:
        InvalidInput: there is no such batch, it cannot be undone, or later ones stand on it.
    """
    entry = await _entry(rooms, batch)
    known = await standing.ledger(rooms)
    _not_yet(entry.batch, known)
    told = orjson.loads(entry.inverse)
    kind = told.get("kind")
    if kind == "projects":
        await regrouping.taken_back(rooms, entry)
        return Consolidation(refs=entry.refs)
    if entry.op == "feedback" or kind == "note":
        undone = await _forget_feedback(rooms, entry)
        await releasing.renew(rooms)
        return Consolidation(batch=undone, refs=entry.refs)
    if kind not in {"memories", "states", "index"}:
        raise InvalidInput(
            f"A batch of {entry.op} cannot be undone.",
            next_step="`mcp-memory list changes` shows the batches.",
        )
    await _nothing_on_top(rooms, entry, known)
    rows = await memories_before(rooms, batch)
    hidden = _hidden(entry, known)
    to = State(told.get("to", State.FORGOTTEN.value))
    undone = await hiding.mark(rooms, "undo", hidden, to=to, memories=rows, undoes=entry.batch)
    return Consolidation(batch=undone, refs=entry.refs)


def left(told: Consolidation) -> int:
    """How many batches were not taken back, of those that were to be."""
    return sum(LEFT in note for note in told.notes)


async def undo_since(rooms: Rooms, at: datetime) -> Consolidation:
    """Take back all that was changed since a moment, newest first; what cannot be is named."""
    done, notes = [], []
    for batch in (await standing.ledger(rooms)).since(at):
        try:
            done.append(str((await undo(rooms, batch)).batch or batch))
        except InvalidInput as error:
            notes.append(f"{batch}{LEFT}{error.args[0]}")
    nothing = () if done or notes else ("Nothing was changed since then.",)
    return Consolidation(refs=tuple(done), notes=(*notes, *nothing))


def _hidden(entry: LedgerRow, known: Ledger) -> Hidden:
    """The sessions and steps that a batch brought, or whose state it changed.

    Raises:
        InvalidInput: it only made anew what was there.
    """
    told = standing.told(entry)
    if told.get("kind") == "states":
        return Hidden.model_validate(told["hidden"])
    if told.get("kind") != "index":
        return Hidden()
    _says_what_grew(entry, known)
    longer, held = standing.grown(entry), told.get("grown")
    there = held if isinstance(held, dict) else {}
    sessions = tuple(ref.removeprefix("t:") for ref in entry.refs)
    fresh = tuple(one for one in sessions if one not in there)
    if not fresh and not longer:
        raise InvalidInput(
            f"{entry.batch} only made anew what was there before: there is nothing to take back.",
            next_step="`delete` forgets sessions by their refs.",
        )
    steps = {one: tuple(range(first + 1, last + 1)) for one, (first, last) in longer.items()}
    return Hidden(sessions=fresh, steps=steps)


def _says_what_grew(entry: LedgerRow, known: Ledger) -> None:
    """A batch of an earlier version does not say which of its sessions were there already.

    Raises:
        InvalidInput: some may have been.
    """
    if "grown" in standing.told(entry):
        return
    mine = set(entry.refs)
    earlier = (
        row for name, row in known.batches.items() if row.at < entry.at and known.holds(name)
    )
    if any(mine & set(row.refs) for row in earlier if standing.told(row).get("kind") == "index"):
        raise InvalidInput(
            f"{entry.batch} does not say how far its sessions had grown before.",
            next_step="`delete` forgets sessions, or steps of them, by their refs.",
        )


async def _nothing_on_top(rooms: Rooms, entry: LedgerRow, known: Ledger) -> None:
    """What was changed again since is taken back first: else two states would be mixed.

    Raises:
        InvalidInput: later batches stand on it; they are named.
    """
    if above := await standing.on_top(rooms, entry, known):
        raise InvalidInput(
            f"{entry.batch} cannot be taken back yet: {' '.join(above)} changed the same since. "
            "Nothing was changed.",
            next_step=f"Undo {' then '.join(above)} first.",
        )


async def _forget_feedback(rooms: Rooms, entry: LedgerRow) -> str:
    """Feedback is counted no more; the ledger keeps that it was given."""
    told: dict[str, JsonValue] = {"kind": "note", "undoes": entry.batch}
    return await rooms.store.note("undo", refs=(entry.batch,), inverse=told)


def _not_yet(batch: str, known: Ledger) -> None:
    """A batch is taken back once, until that is taken back itself.

    Raises:
        InvalidInput: it was taken back already.
    """
    if taken := known.taken_back_by(batch):
        raise InvalidInput(
            f"{batch} was taken back already, by {taken}.",
            next_step=f"Undo {taken} to have it again.",
        )


async def memories_before(rooms: Rooms, batch: str) -> list[MemoryRow]:
    """New versions that say again what memories said before a batch; new ones are forgotten."""
    touched = await rooms.store.find("memories", Where(batches=(batch,), states=()))
    keys = tuple(dict.fromkeys(row.key for row in touched))
    if not keys:
        return []
    first = {row.key: row.version for row in sorted(touched, key=lambda r: -r.version)}
    versions = await spans.memory_rows(rooms, keys)
    made = [_again(versions[key], first[key]) for key in keys]
    vectors = await rooms.vectors([retain.searched(memory) for memory in made])
    return [retain.row_of(memory, v) for memory, v in zip(made, vectors, strict=True)]


def _again(versions: Sequence[MemoryRow], first: int) -> Memory:
    newest = spans.memory_of(versions[-1])
    earlier = [row for row in versions if row.version < first]
    if not earlier:
        return superseding.following(newest, state=State.FORGOTTEN)
    return spans.memory_of(earlier[-1]).model_copy(update={"version": newest.version + 1})


async def _entry(rooms: Rooms, batch: str) -> LedgerRow:
    ref = refs.parse(batch)
    rows = await rooms.store.ledger(batch=str(ref)) if ref.kind == "batch" else []
    if not rows:
        raise UnknownRef(batch)
    if any(row.phase == "reversed" for row in rows):
        raise InvalidInput(
            f"{batch} was never completed.", next_step="There is nothing to take back."
        )
    known = [row for row in rows if row.inverse != "{}"]
    # The commit knows more than the intent did.
    return known[-1] if known else rows[0]
