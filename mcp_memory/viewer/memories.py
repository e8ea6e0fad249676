"""Memories: their list and pages, and what a person does with them: confirm, edit, retire, undo."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mcp_memory.domain import trusting as trusted
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Draft, Memory, MemoryKind, Outcome, Standing, State
from mcp_memory.domain.teams import Decision
from mcp_memory.memories import freshness, promotion, releasing
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, uses, withholding
from mcp_memory.store.rows import MemoryRow, Where
from mcp_memory.viewer.rendering import compared, page
from mcp_memory.viewer.visiting import PREFIX, Visit, Visits

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a memory, and how it differs from the one before."""

    memory: Memory
    changed: Sequence[tuple[str, str]]


async def newest(rooms: Rooms) -> list[Memory]:
    """Every memory in its newest version, whatever its state but forgotten, newest first."""
    rows: dict[str, MemoryRow] = {}
    for row in await rooms.store.find("memories", Where(states=())):
        if row.key not in rows or rows[row.key].version < row.version:
            rows[row.key] = row
    kept = [spans.memory_of(row) for row in rows.values() if row.state != State.FORGOTTEN.value]
    return sorted(kept, key=lambda one: (one.created_at, one.ref), reverse=True)


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of these pages by name."""

    async def listed(request: Request) -> Response:
        async with visits(request) as visit:
            return await _listed(request, visit)

    async def memory(request: Request) -> Response:
        async with visits(request) as visit:
            return await _memory(request, visit)

    async def change(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must("write")
            return await _change(request, visit)

    async def write(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must("write")
            return await _write(request, visit)

    async def undo(request: Request) -> Response:
        async with visits(request) as visit:
            visit.must("admin", whole=True)
            await visit.bank.undo(request.path_params["batch"])
            return back(request)

    return {"memories": listed, "memory": memory, "change": change, "write": write, "undo": undo}


def back(request: Request, to: str = "/") -> Response:
    """Where a person was, after a change; a reload does not make it again."""
    wanted = request.query_params.get("to", to)
    inside = wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else to
    return RedirectResponse(f"{PREFIX}{inside}", 303)


async def _listed(request: Request, visit: Visit) -> Response:
    asked = request.query_params
    shown, words = asked.get("show", "all"), asked.get("words", "").casefold().split()
    every = [one for one in await newest(visit.bank.rooms) if visit.sees(one.project)]
    tests: Mapping[str, Callable[[Memory], bool]] = {
        "all": lambda one: one.state is State.LIVE,
        "established": lambda one: one.state is State.LIVE and one.standing is Standing.ESTABLISHED,
        "candidates": lambda one: one.state is State.LIVE and one.standing is Standing.CANDIDATE,
        "challenged": lambda one: bool(one.challenged_by),
        "flagged": lambda one: bool(one.flags),
        "retired": lambda one: one.state is not State.LIVE,
    }
    fits = tests.get(shown, tests["all"])
    found = [
        one
        for one in every
        if fits(one) and all(word in f"{one.title} {one.text}".casefold() for word in words)
    ]
    counts = {name: sum(map(test, every)) for name, test in tests.items()}
    return page(
        request,
        visit,
        "memories",
        found=found[:MOST_LISTED],
        total=len(found),
        show=shown,
        words=asked.get("words", ""),
        counts=counts,
        kinds=list(MemoryKind),
        projects=await visit.projects(),
        here=visit.bank.rooms.project,
    )


async def _memory(request: Request, visit: Visit) -> Response:
    ref = request.path_params["ref"]
    versions = await _versions(visit, ref)
    memory = versions[-1].memory
    rooms = visit.bank.rooms
    used = (await uses.of(rooms, (ref,)))[ref].told()
    trusting = await anyio.to_thread.run_sync(trusted.read, rooms.settings.home)
    looked = (await freshness.of_memories(rooms, [memory])).get(ref, ())
    known = {one.ref: one for one in await newest(rooms) if visit.sees(one.project)}
    beside = [
        (why, known[other])
        for why, other in (
            ("supersedes", memory.supersedes),
            ("superseded by", memory.superseded_by),
            *(("challenged by", one) for one in memory.challenged_by),
        )
        if other in known
    ]
    return page(
        request,
        visit,
        "memory",
        memory=memory,
        versions=list(reversed(versions)),
        used=used,
        beside=beside,
        held=withholding.of_memory(memory, trusting),
        looked=looked,
    )


async def _versions(visit: Visit, ref: str) -> list[Version]:
    rows = (await spans.memory_rows(visit.bank.rooms, (ref,))).get(ref) or ()
    told: list[Version] = []
    for row in rows:
        memory = spans.memory_of(row)
        before = told[-1].memory.text if told else memory.text
        told.append(Version(memory, compared(before, memory.text) if told else ()))
    if not told:
        await spans.current(visit.bank.rooms, ref)  # says that it is not there
    visit.must_see(told[-1].memory.project, ref)
    return told


async def _change(request: Request, visit: Visit) -> Response:
    """What a person does with one memory, by the form's button."""
    ref = request.path_params["ref"]
    memory = (await _versions(visit, ref))[-1].memory
    form = await request.form()
    match str(form.get("do", "")):
        case "confirm" | "retire" as how if promotion.waits(memory):
            return await _decided(request, visit, ref, approve=how == "confirm")
        case "confirm":
            kept = await visit.bank.retain(_draft_of(memory, memory.text), by=visit.by)
        case "edit":
            text = str(form.get("text", "")).strip()
            kept = await visit.bank.retain(_draft_of(memory, text), by=visit.by)
        case "retire":
            # A person takes back what they will; a token's wish goes through the gate.
            if visit.own:
                await visit.bank.delete([ref], mode="forget")
            else:
                await visit.bank.apply([], retire=[ref])
            return back(request, f"/memory/{ref}")
        case "release" | "distrust" as how:
            visit.must("admin", whole=True)
            rooms = visit.bank.rooms
            await (
                releasing.release(rooms, (ref,))
                if how == "release"
                else releasing.distrust(rooms, ref)
            )
            return back(request, f"/memory/{ref}")
        case "well" | "badly" as how:
            went = Outcome.SUCCESS if how == "well" else Outcome.FAILURE
            await visit.bank.feedback([ref], went)
            return back(request, f"/memory/{ref}")
        case other:
            raise InvalidInput(f"{other!r} is nothing to do.", next_step="Use the page's buttons.")
    return back(request, f"/memory/{kept.ref}")


async def _decided(request: Request, visit: Visit, ref: str, *, approve: bool) -> Response:
    """A proposal approved or declined, by somebody who may, and not their own."""
    visit.must("approve")
    decision = Decision(approve=approve, reason="" if approve else "declined on the page")
    async with visit.bank.silent():
        await promotion.decide(visit.bank.rooms, ref, decision, by=visit.access.person)
    return back(request, f"/memory/{ref}")


def _draft_of(memory: Memory, text: str) -> Draft:
    """A memory's words as a draft again; a title that is only their beginning is made anew."""
    titled = memory.title if not memory.text.startswith(memory.title.rstrip("….")) else ""
    return Draft(
        text=text,
        kind=memory.kind,
        title=titled,
        when_to_use=memory.when_to_use,
        not_when=memory.not_when,
        evidence=memory.evidence,
        files=memory.files,
        tags=memory.tags,
        project=memory.project,
        supersedes=memory.ref,
    )


async def _write(request: Request, visit: Visit) -> Response:
    """A new memory in a person's own words."""
    form = await request.form()
    text, project = str(form.get("text", "")).strip(), str(form.get("project", ""))
    kind = str(form.get("kind", "fact"))
    if not text or kind not in set(MemoryKind):
        raise InvalidInput("There is nothing to keep.", next_step="Write what you want kept.")
    if project and project != "user":
        visit.must_see(project, project)
    draft = Draft(text=text, kind=MemoryKind(kind), project=project or None)
    kept = await visit.bank.retain(draft, by=visit.by)
    return back(request, f"/memory/{kept.ref}")
