"""Reviewing: proposals and candidates one after another, each decided by a key or a button."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import trusting as trusted
from mcp_memory.domain.asked import Planning
from mcp_memory.domain.models import Draft, Evidence, Group, Memory, Standing, State
from mcp_memory.domain.trusting import Trusting
from mcp_memory.memories import promotion
from mcp_memory.search import withholding
from mcp_memory.viewer import memories
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

MOST = 40


@dataclass(frozen=True, slots=True)
class Undecided:
    """A memory that waits for a person, and why."""

    memory: Memory
    why: str
    against: Memory | None = None


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def review(request: Request) -> Response:
        async with visits(request) as visit:
            return await _review(request, visit)

    async def proposals(request: Request) -> Response:
        """What a plan proposes; asked apart, for it reads the whole history."""
        async with visits(request) as visit:
            groups = await _proposed(visit, request.query_params.get("project", ""))
            return page(request, visit, "proposals", part="_proposals", groups=groups)

    async def accept(request: Request) -> Response:
        """A proposal written as a memory, through the gate."""
        async with visits(request) as visit:
            visit.must("write")
            return await _accept(request, visit)

    return {"review": review, "proposals": proposals, "accept": accept}


async def _review(request: Request, visit: Visit) -> Response:
    every = [one for one in await memories.newest(visit.bank.rooms) if visit.sees(one.project)]
    known = await visit.projects()
    trusting = await anyio.to_thread.run_sync(trusted.read, visit.bank.rooms.settings.home)
    return page(
        request,
        visit,
        "review",
        undecided=_undecided(every, trusting)[:MOST],
        projects=known,
        project=request.query_params.get("project", ""),
    )


async def _accept(request: Request, visit: Visit) -> Response:
    form = await request.form()
    project = str(form.get("project", ""))
    visit.must_see(project, project)
    cited = tuple(str(form.get("refs", "")).split())
    for ref, owner in (await visit.bank.owners(cited)).items():
        visit.must_see(owner, ref)
    draft = Draft(
        text=str(form.get("text", "")).strip(),
        when_to_use=str(form.get("when", "")).strip(),
        evidence=tuple(Evidence(ref=ref) for ref in cited),
        project=project,
    )
    applied = await visit.bank.apply([draft])
    return memories.back(request, f"/memory/{applied.refs[0]}" if applied.refs else "/review")


def _undecided(every: Sequence[Memory], trusting: Trusting) -> list[Undecided]:
    known = {one.ref: one for one in every}
    live = [one for one in every if one.state is State.LIVE]
    challengers = [
        Undecided(known[ref], "challenges what stands", against=one)
        for one in live
        for ref in one.challenged_by
        if ref in known and known[ref].state is State.LIVE
    ]
    told = {one.memory.ref for one in challengers}
    proposed = [
        Undecided(one, one.review.told)
        for one in live
        if one.review and promotion.waits(one) and one.ref not in told
    ]
    told |= {one.memory.ref for one in proposed}
    held = [
        Undecided(one, f"held back: {', '.join(why)}")
        for one in live
        if one.ref not in told and (why := withholding.of_memory(one, trusting))
    ]
    told |= {one.memory.ref for one in held}
    candidates = [
        Undecided(one, "a candidate: one session, or one source, bears it")
        for one in live
        if one.standing is Standing.CANDIDATE and one.ref not in told
    ]
    return [*challengers, *proposed, *held, *candidates]


async def _proposed(visit: Visit, project: str) -> Sequence[Group]:
    if project:
        visit.must_see(project, project)
    elif visit.access.projects:
        return ()
    return (await visit.bank.plan(Planning(project=project or "*", limit=MOST))).groups
