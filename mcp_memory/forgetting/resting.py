"""Resting: what memories rest on when some of their evidence goes, and when it comes back."""

from collections.abc import Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.models import Draft, Evidence, Memory, Standing, State
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.memories import citing, gate, superseding
from mcp_memory.memories.gate import Admit
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import MemoryRow, Where


async def weakened(rooms: Rooms, ref: str, lost: Sequence[str], hidden: Hidden) -> Memory:
    """The next version without the evidence that goes; it stands on if what is left bears it out."""
    memory = await spans.current(rooms, ref)
    left = tuple(cited for cited in memory.evidence if cited.ref not in lost)
    whole = tuple([each for each in left if not await _touched(rooms, each, hidden)])
    stands = memory.standing is Standing.ESTABLISHED and await _stands(rooms, memory, whole)
    standing = Standing.ESTABLISHED if stands else Standing.CANDIDATE
    return superseding.following(memory, evidence=left, standing=standing)


async def regained(rooms: Rooms, hidden: Hidden, named: Sequence[str]) -> list[Memory]:
    """The next versions when sessions and steps come back: evidence again, and what went with it.

    `named`: memories that are brought back by name.
    """
    made = {}
    for ref in named:
        versions = (await spans.memory_rows(rooms, (ref,)))[ref]
        if versions[-1].state != State.LIVE.value:
            made[ref] = _back(versions)
    for ref, versions in (await _weakened_before(rooms, hidden)).items():
        again = await _with_evidence(rooms, versions, hidden)
        if again is not None and ref not in made:
            made[ref] = again
    return list(made.values())


def _back(versions: Sequence[MemoryRow]) -> Memory:
    """A memory live again, or as it was when it was forgotten; by name it is no one's predecessor."""
    newest = spans.memory_of(versions[-1])
    if newest.state is State.SUPERSEDED:
        return superseding.following(newest, state=State.LIVE, superseded_by=None, rested_at=None)
    known = [row for row in versions if row.state != State.FORGOTTEN.value]
    before = spans.memory_of(known[-1]) if known else newest
    state = before.state if known else State.LIVE
    return superseding.following(newest, state=state)


async def _weakened_before(rooms: Rooms, hidden: Hidden) -> dict[str, list[MemoryRow]]:
    """All versions of the memories that changed when any of this was forgotten."""
    wanted = set(hidden.refs)
    ledger = await rooms.store.ledger(op="forget") if wanted else []
    batches = tuple(dict.fromkeys(row.batch for row in ledger if wanted & set(row.refs)))
    if not batches:
        return {}
    rows = await rooms.store.find("memories", Where(batches=batches, states=()))
    if not rows:
        return {}
    found = await spans.memory_rows(rooms, tuple(dict.fromkeys(row.key for row in rows)))
    first = {key: min(r.version for r in rows if r.key == key) for key in found}
    return {key: kept for key, kept in found.items() if kept[0].version < first[key]}


async def _with_evidence(
    rooms: Rooms, versions: Sequence[MemoryRow], hidden: Hidden
) -> Memory | None:
    """A memory with the evidence that comes back; None where nothing of it does."""
    newest = spans.memory_of(versions[-1])
    earlier = [spans.memory_of(row) for row in versions[:-1]]
    held = {each.ref for each in newest.evidence}
    lost = {e.ref: e for one in earlier for e in one.evidence if e.ref not in held}
    gained = tuple([each for each in lost.values() if await _touched(rooms, each, hidden)])
    forgotten = newest.state is State.FORGOTTEN
    if forgotten and not any([await _touched(rooms, e, hidden) for e in newest.evidence]):
        return None
    if not gained and not forgotten:
        return await _stands_again(rooms, newest, earlier, hidden)
    whole = {*held, *(each.ref for each in gained)}
    alike = [one for one in earlier if {each.ref for each in one.evidence} <= whole]
    standing = alike[-1].standing if alike else newest.standing
    states = [one.state for one in earlier if one.state is not State.FORGOTTEN]
    return superseding.following(
        newest,
        evidence=(*newest.evidence, *gained),
        standing=standing,
        state=states[-1] if forgotten and states else newest.state,
    )


async def _stands_again(
    rooms: Rooms, newest: Memory, earlier: Sequence[Memory], hidden: Hidden
) -> Memory | None:
    """A memory that lost only steps of its evidence, and its standing with them."""
    before = [one for one in earlier if one.evidence == newest.evidence]
    stood = any(one.standing is Standing.ESTABLISHED for one in before)
    if newest.standing is Standing.ESTABLISHED or not stood:
        return None
    back = [await _touched(rooms, each, hidden) for each in newest.evidence]
    return superseding.following(newest, standing=Standing.ESTABLISHED) if any(back) else None


async def _touched(rooms: Rooms, cited: Evidence, hidden: Hidden) -> bool:
    """Whether any step of a piece of evidence is among these."""
    ref = refs.parse(cited.ref)
    if ref.id in hidden.sessions or ref.id not in hidden.steps:
        return ref.id in hidden.sessions
    first, last = await spans.bounds(rooms, ref)
    return any(first <= number <= last for number in hidden.steps[ref.id])


async def _stands(rooms: Rooms, memory: Memory, evidence: tuple[Evidence, ...]) -> bool:
    kept = {name: getattr(memory, name) for name in Draft.model_fields}
    draft = Draft.model_validate({**kept, "evidence": evidence, "supersedes": None})
    verdict = gate.judge(draft, await citing.cite(rooms, draft), strict=False)
    return isinstance(verdict, Admit) and verdict.standing is Standing.ESTABLISHED
