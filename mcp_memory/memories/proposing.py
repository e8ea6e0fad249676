"""Proposing: what a plan is made of, read from the bank; the judging is done beside the event loop."""

from collections.abc import Callable, Sequence
from datetime import datetime

import anyio.to_thread

from mcp_memory.domain import validity
from mcp_memory.domain.asked import Planning
from mcp_memory.domain.models import Consolidation, Memory, State
from mcp_memory.embedding.nearness import near_pairs
from mcp_memory.memories import clashes, planning, retain, ruling
from mcp_memory.memories.experience import Known, MemoryView, Said, SessionView
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, uses
from mcp_memory.search.channels import Scope, scope_of
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.lineage import root_of

MOST_SESSIONS = 1_000
"""How many of the newest sessions a plan looks at."""
MOST_STEPS = 60_000
MOST_COMPARED = 1_000
"""Memories compared with each other, newest first."""


async def plan(rooms: Rooms, asked: Planning) -> Consolidation:
    """What may deserve a memory, or a second look; nothing is changed."""
    scope = await scope_of(rooms, asked.project)
    known = await all_known(rooms, scope, asked.since)
    held = rooms.ruling(scope.projects[0] if len(scope.projects) == 1 else rooms.project)

    def judged() -> Consolidation:
        groups = planning.plan(known(), about=asked.about, limit=asked.limit)
        groups = ruling.lifted(held, groups)
        # Said in a note: without it the answer's JSON would be empty, and some hosts show nothing else.
        nothing = () if groups else ("Nothing to consolidate.",)
        silent = [
            f"The rules for {kind} instruct and are not told."
            for kind in ruling.flagged(held.rules)
        ]
        return Consolidation(groups=groups, notes=(*scope.notes, *held.faults, *silent, *nothing))

    return await anyio.to_thread.run_sync(judged)


async def all_known(
    rooms: Rooms, scope: Scope, since: datetime | None = None
) -> Callable[[], Known]:
    """What a plan is made of, read now; what is worked out of it is called beside the event loop."""
    rows = await _sessions(rooms, scope, since)
    memories = await _live(rooms, scope)
    links = await rooms.store.links()
    steps = await _steps(rooms, rows)
    views = await _memory_views(rooms, memories)
    vectors = await rooms.vectors([retain.searched(one) for one in memories[:MOST_COMPARED]])
    sought: dict[str, list[tuple[int, int, int]]] = {}
    for ref, count in await uses.sought(rooms):
        first = ref.first or 1
        sought.setdefault(ref.id, []).append((first, ref.last or first, count))
    return lambda: Known(
        sessions=_views(rows, links),
        said=_said(steps),
        memories=views,
        similar=_similar(memories, vectors),
        sought=sought,
        lines={(row.trajectory, row.first): row.text for row in steps if row.source != "user"},
    )


async def _sessions(rooms: Rooms, scope: Scope, since: datetime | None) -> list[SessionRow]:
    """The newest live sessions of the projects, oldest first."""
    rows = await rooms.store.sessions(projects=scope.projects, states=(State.LIVE.value,))
    told = [row for row in rows if row.entry and (since is None or _at(row) >= _moment(since))]
    return sorted(told, key=lambda row: (_at(row), row.id))[-MOST_SESSIONS:]


def _at(row: SessionRow) -> float:
    at = row.ended_at or row.started_at
    return _moment(at) if at else 0.0


def _moment(at: datetime) -> float:
    return at.timestamp()


def _views(rows: Sequence[SessionRow], links: dict[str, str]) -> list[SessionView]:
    return [
        SessionView(
            root=root_of(row.id, links),
            project=row.project,
            entry=Entry.model_validate_json(row.entry),
        )
        for row in rows
    ]


async def _steps(rooms: Rooms, rows: Sequence[SessionRow]) -> list[EvidenceRow]:
    """The words of the sessions' steps, in their order."""
    ids = tuple(row.id for row in rows)
    if not ids:
        return []
    found = await rooms.store.brief(Where(trajectories=ids, kinds=("step",)), limit=MOST_STEPS)
    place = {id_: number for number, id_ in enumerate(ids)}
    return sorted(found, key=lambda row: (place[row.trajectory], row.first))


def _said(steps: Sequence[EvidenceRow]) -> list[Said]:
    return [
        Said(session=row.trajectory, step=row.first, by_user=row.source == "user", text=row.text)
        for row in steps
        if row.source in {"user", "agent"}
    ]


async def _live(rooms: Rooms, scope: Scope) -> list[Memory]:
    """Live memories whose time is not over, newest first."""
    rows = await rooms.store.find("memories", Where(projects=scope.projects, states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    memories = [spans.memory_of(row) for row in newest.values()]
    now = rooms.now()
    live = [m for m in memories if m.state is State.LIVE and not validity.out_of_time(m, now)]
    return sorted(live, key=lambda memory: (memory.created_at, memory.ref), reverse=True)


async def _memory_views(rooms: Rooms, memories: Sequence[Memory]) -> list[MemoryView]:
    use = await uses.of(rooms, [memory.ref for memory in memories])
    views = []
    for memory in memories:
        well, badly = use[memory.ref].weights
        views.append(
            MemoryView(
                ref=memory.ref,
                kind=memory.kind,
                text=retain.said(memory),
                title=memory.title,
                project=memory.project,
                evidence=tuple(cited.ref for cited in memory.evidence),
                valid_from=memory.valid_from,
                valid_to=memory.valid_to,
                used=round(well + badly),
                succeeded=round(well),
            )
        )
    return views


def _similar(
    memories: Sequence[Memory], vectors: Sequence[tuple[float, ...] | None]
) -> list[tuple[str, str, float]]:
    """Pairs of live memories that are near each other."""
    known = [(m.ref, v) for m, v in zip(memories, vectors, strict=False) if v is not None]
    found = near_pairs([vector for _, vector in known], clashes.NEAR)
    return [(known[a][0], known[b][0], cosine) for a, b, cosine in found]
