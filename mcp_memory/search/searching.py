"""search: questions asked of evidence and memories; what clears the floor, shown within a budget."""

from collections.abc import Mapping, Sequence

import anyio

from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import only
from mcp_memory.domain.hits import SearchResult
from mcp_memory.rooms import Rooms
from mcp_memory.search import candidates, ranking, repeats, showing, withholding, wordless
from mcp_memory.search.candidates import Candidate, Judged
from mcp_memory.search.channels import Scope, narrowed
from mcp_memory.search.repeats import Fact
from mcp_memory.search.showing import Shown
from mcp_memory.store.rows import EvidenceRow
from mcp_memory.text import wording
from mcp_memory.text.counting import counted
from mcp_memory.trajectories import holding

MOST_NEAREST = 3
_WIDE: Mapping[str, object] = {
    "since": None, "until": None, "outcome": None, "kinds": (), "path": "",
}  # fmt: skip
"""Filters that may hide what is there, and what each is where it hides nothing."""


async def search(rooms: Rooms, query: Query) -> SearchResult:
    """What bears on the questions, best first; where nothing clears the floor, the nearest.

    Where nothing is found it says so if something is without the filters: a day too late hides it.

    Raises:
        InvalidInput: `within` or `match` cannot be read.
        UnknownRef: `within` names nothing.
    """
    answer = await _answered(rooms, query)
    filters = [] if answer.found else [name for name in _WIDE if getattr(query, name)]
    if not filters or not query.texts:
        return answer
    wide = {name: _WIDE[name] for name in filters} | {"limit": 1, "budget_tokens": 150}
    beyond = await _answered(rooms, query.model_copy(update=wide))
    if not beyond.hits:
        return answer
    first = beyond.hits[0]
    day = f" of {first.at}" if first.at else ""
    note = f"Found without {', '.join(filters)}: {first.ref}{day}."
    return answer.model_copy(update={"notes": (note, *answer.notes)})


async def _answered(rooms: Rooms, query: Query) -> SearchResult:
    scope = await narrowed(rooms, query)
    query = await wordless.timed(rooms, query)
    if not query.texts:
        listed = await wordless.within(rooms, query, scope)
        frame = SearchResult(found=bool(listed), notes=(*scope.notes, *rooms.degraded()))
        return await showing.shown(rooms, query, _chosen([listed], query, query.limit), frame)
    lists: list[Judged] = [Judged() for _ in query.texts]

    async def ask(place: int, text: str) -> None:
        lists[place] = await candidates.asked(rooms, wording.clean_query(text), query, scope)

    try:
        async with anyio.create_task_group() as tasks:
            for place, text in enumerate(query.texts):
                tasks.start_soon(ask, place, text)
    except ExceptionGroup as group:
        raise only(group) from group
    floor = showing.floor(rooms)
    answered = [[c for c in each.candidates if c.score >= floor] for each in lists]
    # Other wordings guess at names: they find more, and say nothing of whether history has an answer.
    found = any(answered[:1] if query.reworded else answered)
    told = answered if found else [list(each.candidates)[:MOST_NEAREST] for each in lists]
    frame = SearchResult(
        found=found,
        unknown=tuple(dict.fromkeys(name for each in lists for name in each.unknown)),
        notes=(*scope.notes, *rooms.degraded(), *(() if found else await _looked(rooms, scope))),
    )
    most = showing.competing(rooms, query) if found else MOST_NEAREST
    chosen = _chosen(told, query, most + _flagged(told, most))
    pool = [one for each in lists for one in each.candidates]
    held = withholding.joined(each.held for each in lists)
    return await showing.shown(rooms, query, chosen, frame, pool, held)


async def _looked(rooms: Rooms, scope: Scope) -> tuple[str, ...]:
    """How much a silence covers."""
    known = {} if scope.session else await rooms.store.projects()
    sessions = sum(known[each] for each in scope.projects or known if each in known)
    return (f"Looked in {counted(sessions, 'session')}.",) if sessions else ()


def _flagged(lists: Sequence[Sequence[Candidate]], most: int) -> int:
    """How many of the first may turn out to be held back, so that others take their places."""
    rows = (one.row for each in lists for one in each[: 2 * most])
    return sum(isinstance(row, EvidenceRow) and bool(holding.reasons(row.flags)) for row in rows)


def _chosen(lists: Sequence[Sequence[Candidate]], query: Query, most: int) -> list[Shown]:
    """One list of all questions' candidates, each fact once, the first of them."""
    every = ranking.fair_shares(lists, sum(map(len, lists)), key=lambda each: each.ref)
    first = [Shown(each, also) for each, also in repeats.once(every, _fact)][:most]
    if query.order == "newest":
        return sorted(first, key=lambda one: one.candidate.row.at or showing.NEVER, reverse=True)
    return first


def _fact(candidate: Candidate) -> Fact:
    row = candidate.row
    if not isinstance(row, EvidenceRow):
        return Fact(candidate.ref, row.text, alone=True)
    begins = (row.trajectory, row.first) if row.kind in ("step", "episode") else None
    return Fact(candidate.ref, row.text, begins)
