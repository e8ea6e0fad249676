"""Promotion: a person's memory proposed to the bank that a team shares, and what others decide of it."""

from collections.abc import Sequence

from mcp_memory.domain.access import Person
from mcp_memory.domain.errors import InvalidInput, NotAllowed
from mcp_memory.domain.models import Draft, Memory, Retained, Standing, State
from mcp_memory.domain.reviews import Review
from mcp_memory.domain.teams import Decision, Waiting
from mcp_memory.memories import retain, superseding
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.store.rows import Where
from mcp_memory.text import redaction
from mcp_memory.trajectories import admission

PROPOSE, APPROVE, DECLINE = "propose", "approve", "decline"
PROPOSED = "proposed"
"""What a person's own ledger calls that a memory was sent to a team's bank: a note, to where."""
STANDS = "It stands there already."
WAITS = "It is a proposal: a candidate until somebody else who may approve says that it stands."


async def propose(rooms: Rooms, draft: Draft, *, by: Person) -> Retained:
    """Keep a memory as a proposal: through the gate, and a candidate whatever bears it out.

    It supersedes nothing before it is approved. What waits or stands already is left as it is.

    Raises:
        InvalidInput: the text is empty or too long, or a ref is not one.
        GateRefused: a quote does not occur where it is said to, or evidence does not exist.
    """
    retain.check(draft)
    admitted = admission.admit_draft(draft)
    named = {"project": rooms.writes_to(admitted.draft.project)}
    draft = admitted.draft.model_copy(update=named)
    made = await retain.propose(rooms, draft, flags=admitted.flags, strict=False)
    memory, notes = (made, ()) if isinstance(made, Memory) else (made.memory, made.notes)
    live = await _live(rooms, memory.ref)
    if live is not None and live.standing is Standing.ESTABLISHED:
        return _told(live, batch=live.batch, notes=(STANDS,))
    if isinstance(made, Memory):
        if live is None or waits(live):
            why = superseding.why_not_again(made) or (WAITS,)
            return _told(made, batch=made.batch, notes=why)
        memory = superseding.following(made)
    review = memory.review if waits(memory) else Review(proposer=by.id, proposed_by=by.name)
    changed = {"review": review, "standing": Standing.CANDIDATE}
    memory = memory.model_copy(update=changed)
    batch = await _kept(rooms, PROPOSE, [memory])
    told = _told(memory, batch=batch, notes=(WAITS, *notes))
    return told.model_copy(update={"created": True, "masked": admitted.masked})


async def decide(rooms: Rooms, ref: str, decision: Decision, *, by: Person) -> Retained:
    """Approve a proposal, which then stands, or decline it, which puts it to rest; one batch, undone.

    Raises:
        UnknownRef: there is no such memory.
        InvalidInput: it is no proposal that waits.
        NotAllowed: it is one's own.
    """
    memory = await spans.current(rooms, ref)
    review = memory.review
    if review is None or not waits(memory):
        what = review.told if review and review.decision else "nobody proposed it, or it is gone"
        raise InvalidInput(
            f"{ref} does not wait for a decision ({what}).",
            next_step="`mcp-memory proposals` lists what waits.",
        )
    if by.is_also(Person(id=review.proposer, name=review.proposed_by)):
        raise NotAllowed(
            f"{ref} is your own proposal, and nobody approves or declines their own.",
            next_step="Ask somebody else who may approve; `mcp-memory undo` takes a proposal back.",
        )
    told = {"decided_by": by.name, "decision": "approved" if decision.approve else "declined"}
    told["reason"] = redaction.redact(" ".join(decision.reason.split())).text
    decided = review.model_copy(update=told)
    if decision.approve:
        changes = [superseding.following(memory, review=decided, standing=Standing.ESTABLISHED)]
        changes += await _overtaken(rooms, changes[0])
    else:
        changes = [superseding.following(memory, review=decided, state=State.FORGOTTEN)]
    batch = await _kept(rooms, APPROVE if decision.approve else DECLINE, changes)
    told_of = _told(changes[0], batch=batch, notes=(f"{decided.told}.",))
    return told_of.model_copy(update={"created": True})


async def waiting(rooms: Rooms, within: Sequence[str] | None = None) -> tuple[Waiting, ...]:
    """The proposals that wait, oldest first, with all that a reviewer weighs; of these projects."""
    rows = await rooms.store.find("memories", Where(projects=tuple(within or ()), states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    trusting = rooms.trusting()
    found = [
        Waiting(
            ref=memory.ref,
            proposed_by=memory.review.proposed_by,
            at=memory.created_at,
            project=memory.project,
            kind=memory.kind,
            title=memory.title,
            text=memory.text,
            when_to_use=memory.when_to_use,
            not_when=memory.not_when,
            supersedes=memory.supersedes,
            evidence=memory.evidence,
            flags=(*memory.flags, *withholding.of_memory(memory, trusting)),
        )
        for memory in map(spans.memory_of, newest.values())
        if memory.review and waits(memory)
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.ref)))


async def _overtaken(rooms: Rooms, memory: Memory) -> list[Memory]:
    """The next version of what a memory supersedes, now that it stands."""
    if not memory.supersedes:
        return []
    changed = superseding.overtaken(await spans.current(rooms, memory.supersedes), memory)
    return [changed] if changed else []


async def _kept(rooms: Rooms, op: str, memories: Sequence[Memory]) -> str:
    rows = await retain.with_vectors(rooms, [retain.row_of(one, None) for one in memories])
    return await rooms.store.once(
        op,
        lambda name: [retain.in_batch(row, name) for row in rows],
        inverse={"kind": "memories"},
    )


async def _live(rooms: Rooms, ref: str) -> Memory | None:
    rows = (await spans.memory_rows(rooms, (ref,))).get(ref)
    newest = spans.memory_of(rows[-1]) if rows else None
    return newest if newest and newest.state is State.LIVE else None


def waits(memory: Memory) -> bool:
    """Whether a memory is a proposal of which nobody has decided."""
    review = memory.review
    return review is not None and not review.decision and memory.state is State.LIVE


def _told(memory: Memory, *, batch: str, notes: tuple[str, ...]) -> Retained:
    return Retained(
        ref=memory.ref,
        version=memory.version,
        standing=memory.standing,
        created=False,
        notes=notes,
        batch=batch,
    )
