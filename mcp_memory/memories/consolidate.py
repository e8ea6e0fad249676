"""consolidate: plan what deserves a memory, and apply what the host wrote as one batch."""

from collections.abc import Sequence
from itertools import combinations

from mcp_memory.domain import refs
from mcp_memory.domain.errors import GateRefused, InvalidInput
from mcp_memory.domain.models import Consolidation, Draft, Episode, Memory, State
from mcp_memory.memories import gate, planning, retain, superseding
from mcp_memory.memories.planning import EpisodeView, MemoryView
from mcp_memory.memories.retain import Proposal
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.search.channels import Scope, scope_of
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.trajectories import admission
from mcp_memory.trajectories.entries import Entry, Touched

MOST_GROUPS = 12
MOST_DRAFTS = 50
MOST_EPISODES = 2_000
"""How many of the newest episodes a plan looks at."""
MOST_COMPARED = 400
"""Memories compared with each other for duplicates, newest first."""
NEAR = 0.85
"""Cosine from which two memories are offered as duplicates."""


async def plan(rooms: Rooms, project: str | None) -> Consolidation:
    """Groups of records that may deserve a memory, or a second look; nothing is changed."""
    scope = await scope_of(rooms, project)
    memories = await _live(rooms, scope)
    groups = planning.plan(
        await _episodes(rooms, scope),
        await _memory_views(rooms, memories),
        similar=await _similar(rooms, memories),
        limit=MOST_GROUPS,
    )
    # Said in a note: without it the answer's JSON would be empty, and some hosts show nothing else.
    nothing = () if groups else ("Nothing to consolidate.",)
    return Consolidation(groups=groups, notes=(*scope.notes, *nothing))


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
        retain.row_of(superseding.following(memory, state=State.SUPERSEDED), None)
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
    notes = tuple(f"{each.memory.ref}: {note}" for each in proposals for note in each.notes)
    return Consolidation(batch=change.batch, refs=change.intent.refs, notes=notes)


async def _judged(rooms: Rooms, drafts: Sequence[Draft]) -> list[Proposal]:
    """Every draft through the gate; all faults of all drafts are named together."""
    proposals, faults = [], []
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


async def _nothing_lost(rooms: Rooms, retired: Sequence[Memory], drafts: Sequence[Draft]) -> None:
    """What stands is retired only for what says it still, or when its use speaks against it.

    Raises:
        GateRefused: something would be said nowhere any more.
    """
    usage = await rooms.usage() if retired else {}
    against = {ref for ref, used in usage.items() if planning.is_unhelpful(*used)}
    told = [one for one in retired if one.ref not in against]
    if faults := [fault for one in told for fault in gate.collapsed(one, drafts)]:
        raise GateRefused(faults)


async def _live(rooms: Rooms, scope: Scope) -> list[Memory]:
    rows = await rooms.store.find("memories", Where(projects=scope.projects, states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    memories = [spans.memory_of(row) for row in newest.values()]
    return [memory for memory in memories if memory.state is State.LIVE]


async def _memory_views(rooms: Rooms, memories: Sequence[Memory]) -> list[MemoryView]:
    usage = await rooms.usage()
    views = []
    for memory in memories:
        used, succeeded = usage.get(memory.ref, (0, 0))
        views.append(
            MemoryView(
                ref=memory.ref,
                kind=memory.kind,
                text=retain.said(memory),
                title=memory.title,
                evidence=tuple(cited.ref for cited in memory.evidence),
                used=used,
                succeeded=succeeded,
            )
        )
    return views


async def _similar(rooms: Rooms, memories: Sequence[Memory]) -> list[tuple[str, str, float]]:
    """Pairs of live memories that are near each other."""
    vectors = await rooms.vectors([retain.searched(memory) for memory in memories])
    known = [(m.ref, v) for m, v in zip(memories, vectors, strict=True) if v is not None]
    pairs = (
        (a, b, sum(x * y for x, y in zip(left, right, strict=True)))
        for (a, left), (b, right) in combinations(known[:MOST_COMPARED], 2)
    )
    return [pair for pair in pairs if pair[2] >= NEAR]


async def _episodes(rooms: Rooms, scope: Scope) -> list[EpisodeView]:
    """The newest episodes of the projects, with what failed, ran and was edited in each."""
    found = await rooms.store.find("evidence", Where(projects=scope.projects, kinds=("episode",)))
    found.sort(key=lambda row: (row.at.isoformat() if row.at else "", row.key), reverse=True)
    newest = found[:MOST_EPISODES]
    sessions = {row.id: row for row in await rooms.store.sessions(projects=scope.projects)}
    entries = {
        key: Entry.model_validate_json(row.entry) for key, row in sessions.items() if row.entry
    }
    return [_view(row, entries[row.trajectory]) for row in newest if row.trajectory in entries]


def _view(row: EvidenceRow, entry: Entry) -> EpisodeView:
    episode = Episode.model_validate_json(row.body)

    def within(touched: Sequence[Touched]) -> tuple[str, ...]:
        return tuple(
            each.name
            for each in touched
            if any(episode.first <= step <= episode.last for step in each.steps)
        )

    return EpisodeView(
        ref=row.key,
        first=episode.first,
        last=episode.last,
        goal=episode.goal,
        outcome=episode.outcome,
        errors=within(entry.errors),
        commands=within(entry.commands),
        files=row.paths,
        at=row.at,
    )
