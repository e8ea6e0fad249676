"""Retrusting: memories of a time before lineage, judged by it once when their bank is opened."""

import logging
from collections.abc import Sequence

import anyio.to_thread

from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.domain.models import Draft, Memory, SourceClass, Standing, State
from mcp_memory.memories import citing, gate, retain, superseding
from mcp_memory.memories.gate import Admit, Cited
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.home import FORMER
from mcp_memory.store.rows import Where

logger = logging.getLogger(__name__)

OP = "retrust"
"""The ledger's word for it: a bank that has one was judged."""
TYPED = ("cli", "view")
"""How those begin who acted where a person typed it; what others called the user's must be borne."""


async def renew_if_it_can_be(rooms: Rooms) -> None:
    """`renew` where a bank is opened; what stands in its way now does not another time."""
    try:
        await renew(rooms)
    except (MemoryBankError, OSError) as error:
        logger.warning("older memories are not judged by their lineage yet: %s", error)


async def renew(rooms: Rooms) -> tuple[str, ...]:
    """Lower the trust of memories whose evidence carries less than they were given, as one batch.

    Nothing is raised. What the user typed stays, and what was kept without evidence says itself that
    it has none. The refs of those that changed; nothing where the bank was judged before.
    """
    former = await anyio.to_thread.run_sync(lambda: any(rooms.settings.home.glob(FORMER)))
    if not former or await rooms.store.ledger(op=OP):
        return ()
    rows = await rooms.store.find("memories", Where(states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    actors = {row.batch: row.actor for row in await rooms.store.ledger()}
    changed = []
    for memory in map(spans.memory_of, newest.values()):
        typed = actors.get(memory.batch, "").startswith(TYPED)
        if memory.state is State.LIVE and memory.evidence and not typed:
            lower = await _lowered(rooms, memory)
            changed += [lower] if lower is not None else []
    if not changed:
        await rooms.store.note(OP, refs=(), inverse={"kind": "note"})
        return ()
    vectors = await rooms.vectors([retain.searched(one) for one in changed])
    made = [retain.row_of(one, vector) for one, vector in zip(changed, vectors, strict=True)]
    await rooms.store.once(
        OP,
        lambda batch: [retain.in_batch(row, batch) for row in made],
        inverse={"kind": "memories"},
    )
    logger.warning("%s memories rest on less than they were trusted for", len(changed))
    return tuple(one.ref for one in changed)


async def _lowered(rooms: Rooms, memory: Memory) -> Memory | None:
    """Its next version, with the trust and the standing that its evidence bears; None where it does."""
    told = {name: getattr(memory, name) for name in Draft.model_fields}
    draft = Draft.model_validate({**told, "supersedes": None})
    cited = await citing.cite(rooms, draft)
    if any(each.users_word for each in cited):
        return None
    source = min(memory.source, SourceClass.AGENT, key=lambda one: one.trust)
    trust = min([memory.trust, source.trust, *(each.source.trust for each in cited if each.live)])
    standing = _standing(memory, draft, cited)
    if (trust, standing) == (memory.trust, memory.standing):
        return None
    return superseding.following(memory, trust=trust, source=source, standing=standing)


def _standing(memory: Memory, draft: Draft, cited: Sequence[Cited]) -> Standing:
    verdict = gate.judge(draft, cited, strict=False)
    stands = isinstance(verdict, Admit) and verdict.standing is Standing.ESTABLISHED
    return memory.standing if stands else Standing.CANDIDATE
