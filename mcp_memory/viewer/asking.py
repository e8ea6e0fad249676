"""Asking: search as the tools see it, why each hit is there, and why another is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import projects, refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import State
from mcp_memory.memories import freshness
from mcp_memory.rooms import WEIGHTS, Rooms
from mcp_memory.search import searching, spans
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

MOST = 30
BUDGET = 6_000
CHANNELS = tuple(WEIGHTS)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked, and how."""

    words: str
    project: str
    off: frozenset[str]
    expected: str


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def search(request: Request) -> Response:
        async with visits(request) as visit:
            return await _search(request, visit)

    return {"search": search}


async def _search(request: Request, visit: Visit) -> Response:
    asked = request.query_params
    sought = Sought(
        asked.get("q", "").strip(),
        asked.get("project", ""),
        frozenset(asked.getlist("off")) & frozenset(CHANNELS),
        asked.get("expected", "").strip(),
    )
    known = await visit.projects()
    found, trouble = None, ""
    if sought.words:
        if sought.project:
            visit.must_see(sought.project, sought.project)
        try:
            found = await _found(visit, sought, known)
        except MemoryBankError as error:
            trouble = str(error)
    hits: Sequence[Hit] = (found.hits or found.nearest) if found else ()
    floor = visit.bank.rooms.settings.floor
    above = [hit for hit in hits if hit.score >= floor] if found and found.found else []
    reason = await _missing(visit, sought, hits) if found and sought.expected else ""
    return page(
        request,
        visit,
        "search",
        sought=sought,
        found=found,
        above=above,
        below=[hit for hit in hits if hit not in above],
        floor=floor,
        trouble=trouble,
        reason=reason,
        projects=known,
        channels=CHANNELS,
    )


async def _found(visit: Visit, sought: Sought, known: Sequence[str]) -> SearchResult:
    """What the tools' search finds, with what lies below the floor drawn in."""
    rooms = _without(visit.bank.rooms, sought.off)
    asked = Query(
        texts=(sought.words,),
        project=sought.project or ("*" if not visit.access.projects else None),
        limit=MOST,
        budget_tokens=BUDGET,
        explain=True,
    )
    if visit.access.projects and not sought.project:
        asked = asked.model_copy(update={"project": known[0] if known else projects.USER})
    found = await freshness.marked(rooms, asked, await searching.search(rooms, asked))
    if not found.found:
        return found
    # The same once more without a floor: what lies below it is drawn, not told to any model.
    open_ = replace(rooms, settings=rooms.settings.model_copy(update={"floor": 0.0}))
    every = await searching.search(open_, asked)
    told = {hit.ref for hit in found.hits}
    below = [hit for hit in every.hits if hit.ref not in told and hit.score < rooms.settings.floor]
    return found.model_copy(update={"hits": (*found.hits, *below)})


def _without(rooms: Rooms, off: frozenset[str]) -> Rooms:
    weights = {name: 0.0 if name in off else weight for name, weight in rooms.weights.items()}
    return replace(rooms, weights=weights)


async def _missing(visit: Visit, sought: Sought, hits: Sequence[Hit]) -> str:
    """Why a record that a person expected is not among the hits, in one sentence."""
    try:
        ref = refs.parse(sought.expected)
        owner = (await visit.bank.owners([sought.expected]))[sought.expected]
        visit.must_see(owner, sought.expected)
    except MemoryBankError as error:
        return str(error)
    for place, hit in enumerate(hits, 1):
        if sought.expected in (hit.ref, *hit.also):
            return f"It is there: hit {place}, {hit.score:.2f} (as {hit.ref})."
    if sought.project and owner not in (sought.project, projects.USER):
        return f"It belongs to another project: {owner}."
    if ref.kind == "memory":
        return await _unheard(visit.bank.rooms, sought.expected)
    return await _judged(visit.bank.rooms, sought, ref)


async def _unheard(rooms: Rooms, ref: str) -> str:
    memory = await spans.current(rooms, ref)
    if memory.state is not State.LIVE:
        return f"It is {memory.state.value}: search does not put it forward."
    return "It is a memory that no channel found near these words."


async def _judged(rooms: Rooms, sought: Sought, ref: refs.Ref) -> str:
    """How a step or episode would be judged if only its session were asked."""
    within = f"t:{ref.id}" if ref.kind == "trajectory" else str(ref)
    open_ = replace(
        _without(rooms, sought.off), settings=rooms.settings.model_copy(update={"floor": 0.0})
    )
    asked = Query(
        texts=(sought.words,), project="*", within=within, limit=50, budget_tokens=BUDGET,
        explain=True,
    )  # fmt: skip
    alone = await searching.search(open_, asked)
    first, last = await spans.bounds(rooms, ref)
    for hit in alone.hits:
        spot = refs.parse(hit.ref)
        if spot.id == ref.id and spot.first is not None and first <= spot.first <= last:
            told = ", ".join(f"{name} {value:g}" for name, value in hit.why.items())
            floor = rooms.settings.floor
            side = "below" if hit.score < floor else "above"
            return (
                f"Asked in its session alone it is judged {hit.score:.2f}, {side} the floor of "
                f"{floor:g} ({told}); others stood before it."
            )
    return "No channel finds any of these words near it, not even asked in its session alone."
