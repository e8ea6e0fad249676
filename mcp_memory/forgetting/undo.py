"""undo: one batch of the ledger taken back; the undoing is a batch itself."""

from collections.abc import Mapping, Sequence

import orjson
from pydantic import JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.models import Consolidation, Memory, State
from mcp_memory.forgetting import hiding
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.history import regrouping, writing
from mcp_memory.memories import releasing, retain, superseding
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import LedgerRow, MemoryRow, Where


async def undo(rooms: Rooms, batch: str) -> Consolidation:
    """Take a batch back, whatever made it; only a purge cannot be.

    Raises:
        InvalidInput: there is no such batch, or it cannot be undone.
    """
    entry = await _entry(rooms, batch)
    await _not_yet(rooms, entry.batch)
    told = orjson.loads(entry.inverse)
    kind = told.get("kind")
    if kind == "projects":
        return await _regrouped(rooms, entry, told["from"])
    if entry.op == "feedback" or kind == "note":
        undone = await _forget_feedback(rooms, entry)
        await releasing.renew(rooms)
        return Consolidation(batch=undone, refs=entry.refs)
    if kind not in {"memories", "states", "index"}:
        raise InvalidInput(
            f"A batch of {entry.op} cannot be undone.",
            next_step="`mcp-memory list changes` shows the batches.",
        )
    rows = await memories_before(rooms, batch)
    if kind == "states":
        hidden = Hidden.model_validate(told["hidden"])
    elif kind == "index":
        hidden = Hidden(sessions=tuple(ref.removeprefix("t:") for ref in entry.refs))
    else:
        hidden = Hidden()
    to = State(told.get("to", State.FORGOTTEN.value))
    undone = await hiding.mark(rooms, "undo", hidden, to=to, memories=rows, undoes=entry.batch)
    return Consolidation(batch=undone, refs=entry.refs)


async def _regrouped(rooms: Rooms, entry: LedgerRow, was: Mapping[str, object]) -> Consolidation:
    names = {str(one): str(project) for one, project in was.items()}
    await regrouping.place(rooms, names, op="undo")
    await writing.write_projects(rooms, await rooms.store.projects())
    return Consolidation(refs=entry.refs)


async def _forget_feedback(rooms: Rooms, entry: LedgerRow) -> str:
    """Feedback is counted no more; the ledger keeps that it was given."""
    told: dict[str, JsonValue] = {"kind": "note", "undoes": entry.batch}
    return await rooms.store.note("undo", refs=(entry.batch,), inverse=told)


async def _not_yet(rooms: Rooms, batch: str) -> None:
    """A batch is taken back once, until that is taken back itself.

    Raises:
        InvalidInput: it was taken back already.
    """
    by: dict[str, list[str]] = {}
    for row in await rooms.store.ledger(op="undo"):
        undone = str(orjson.loads(row.inverse).get("undoes", ""))
        if undone:
            by.setdefault(undone, []).append(row.batch)

    def standing(one: str) -> str:
        return next((other for other in by.get(one, ()) if not standing(other)), "")

    if taken := standing(batch):
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
    return next(row for row in rows if row.inverse != "{}") if _has_inverse(rows) else rows[0]


def _has_inverse(rows: Sequence[LedgerRow]) -> bool:
    return any(row.inverse != "{}" for row in rows)
