"""consolidate: what the host wrote, through the gate and kept as one batch."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.errors import GateRefused, InvalidInput
from mcp_memory.domain.models import Consolidation, Draft, Memory, State
from mcp_memory.memories import clashes, gate, releasing, retain, superseding
from mcp_memory.memories.retain import Proposal
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.trajectories import admission

MOST_DRAFTS = 50


async def apply(rooms: Rooms, drafts: Sequence[Draft], *, retire: Sequence[str]) -> Consolidation:
    """Keep memories and put others to rest: all of it, as one batch, or nothing.

    Raises:
        InvalidInput: nothing was given, or too much at once.
        GateRefused: the gate refuses any of them; every fault is named.
        UnknownRef: a memory to retire does not exist.
    """
    if not 0 < len(drafts) + len(retire) <= MOST_DRAFTS:
        raise InvalidInput(
            f"{len(drafts)} memories and {len(retire)} to retire were given; "
            f"1 to {MOST_DRAFTS} are taken at once.",
            next_step="Plan first (action=plan), then apply what you wrote.",
        )
    retired = [await spans.current(rooms, str(refs.parse(ref))) for ref in retire]
    proposals = await _judged(rooms, drafts)
    await _nothing_lost(rooms, retired, drafts)
    rows = [row for proposal in proposals for row in await proposal.rows(rooms)]
    rows += [
        retain.row_of(
            superseding.following(memory, state=State.SUPERSEDED, rested_at=rooms.now()), None
        )
        for memory in retired
    ]
    if not rows:
        return Consolidation(notes=("Everything in it was known already; nothing was changed.",))
    async with rooms.store.change(
        "consolidate",
        refs=tuple(dict.fromkeys(row.key for row in rows)),
        hashes=tuple(row.hash for row in rows),
        inverse={"kind": "memories"},
    ) as change:
        await change.add(memories=[retain.in_batch(row, change.batch) for row in rows])
    if borne := tuple(each.memory.ref for each in proposals if each.released):
        await releasing.release(rooms, borne)
    notes = tuple(f"{each.memory.ref}: {note}" for each in proposals for note in each.notes)
    return Consolidation(batch=change.batch, refs=change.intent.refs, notes=notes)


async def _judged(rooms: Rooms, drafts: Sequence[Draft]) -> list[Proposal]:
    """Every draft through the gate; all faults of all drafts are named together."""
    proposals: list[Proposal] = []
    faults = list(_twice(drafts))
    for number, draft in enumerate(drafts, 1):
        admitted = admission.admit_draft(draft)
        project = rooms.writes_to(admitted.draft.project)
        named = admitted.draft.model_copy(update={"project": project})
        try:
            made = await retain.propose(rooms, named, flags=admitted.flags, strict=True)
        except GateRefused as refused:
            faults += [f"memory {number}: {reason}" for reason in refused.reasons]
            continue
        if isinstance(made, Proposal):
            proposals.append(made)
        else:
            faults += [f"memory {number}: {why}" for why in superseding.why_not_again(made)]
    if faults:
        raise GateRefused(faults)
    return proposals


def _twice(drafts: Sequence[Draft]) -> Iterator[str]:
    """Drafts of one batch that would each supersede the same memory."""
    first: dict[str, int] = {}
    for number, draft in enumerate(drafts, 1):
        if draft.supersedes and first.setdefault(draft.supersedes, number) != number:
            yield (
                f"memory {number}: {draft.supersedes} is superseded by memory {first[draft.supersedes]}"
                " already: a memory has one successor. Say all of it in one, or supersede with one."
            )


async def _nothing_lost(rooms: Rooms, retired: Sequence[Memory], drafts: Sequence[Draft]) -> None:
    """What stands is retired only for what says it still, or when its use speaks against it.

    Raises:
        GateRefused: something would be said nowhere any more.
    """
    usage = await rooms.usage() if retired else {}
    against = {ref for ref, used in usage.items() if clashes.is_unhelpful(*used)}
    told = [one for one in retired if one.ref not in against]
    if faults := [fault for one in told for fault in gate.collapsed(one, drafts)]:
        raise GateRefused(faults)
