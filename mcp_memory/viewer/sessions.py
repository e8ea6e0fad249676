"""Sessions: one session's page, its steps with outputs folded, edits as diffs, and what came of it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import refs
from mcp_memory.domain.errors import UnknownRef
from mcp_memory.domain.models import Episode, Observation, State, Step, ToolCall
from mcp_memory.search import spans
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.trajectories import edits, evidence
from mcp_memory.trajectories.calls import called, failed
from mcp_memory.trajectories.edits import Edit
from mcp_memory.viewer import fields, memories
from mcp_memory.viewer.rendering import compared, page
from mcp_memory.viewer.visiting import Visit, Visits

A_PAGE = 100
PAGE_CHARS = 220_000
"""Characters of recalled text on one page; longer texts of a fuller page are cut the shorter."""
_EDIT_CHARS = 6_000
_MASK = re.compile(r"\[masked:([a-z0-9\-]+)\]")


@dataclass(frozen=True, slots=True)
class Shown:
    """One call as the page shows it."""

    call: ToolCall
    seen: Observation | None
    failed: bool
    edits: tuple[tuple[Edit, Sequence[tuple[str, str]]], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One step as the page shows it."""

    step: Step
    ref: str
    calls: tuple[Shown, ...]
    flags: tuple[str, ...]
    outputs: tuple[str, ...]
    """Refs of outputs that are too long for a step, in the order of what came back."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands about a session on its page."""

    row: SessionRow
    parent: SessionRow | None
    agents: tuple[SessionRow, ...]
    episodes: tuple[Episode, ...]
    masked: Mapping[str, int]
    path: str | None


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def session(request: Request) -> Response:
        async with visits(request) as visit:
            return await _session(request, visit)

    async def steps(request: Request) -> Response:
        """Any span of steps opened in place, such as a memory's evidence."""
        async with visits(request) as visit:
            return await _evidence(request, visit)

    return {"session": session, "steps": steps}


async def _session(request: Request, visit: Visit) -> Response:
    id_ = request.path_params["id"].removeprefix("t:")
    row = await spans.session(visit.bank.rooms, id_)
    visit.must_see(row.project, f"t:{id_}")
    if row.state == State.FORGOTTEN.value:
        raise UnknownRef(f"t:{id_}")
    first = _first(request.query_params.get("from", ""), row.steps)
    rows = await _rows(visit, id_, first, first + A_PAGE - 1)
    told = _told(rows)
    cited = [one for one in await memories.newest(visit.bank.rooms) if _cites(one.evidence, id_)]
    return page(
        request,
        visit,
        "session",
        about=await _around(visit, row, rows),
        steps=told,
        room=max(400, PAGE_CHARS // max(1, _texts(told))),
        first=first,
        a_page=A_PAGE,
        memories=[one for one in cited if visit.sees(one.project)],
    )


async def _evidence(request: Request, visit: Visit) -> Response:
    ref = refs.parse(request.query_params.get("ref", ""))
    rooms = visit.bank.rooms
    row = await spans.session(rooms, ref.id)
    visit.must_see(row.project, str(ref))
    first, last = await spans.bounds(rooms, ref)
    told = _told(await _rows(visit, ref.id, first, min(last, first + A_PAGE - 1)))
    return page(
        request,
        visit,
        "evidence",
        part="_steps",
        row=row,
        ref=str(ref),
        steps=told,
        room=max(400, PAGE_CHARS // 4 // max(1, _texts(told))),
    )


def _first(asked: str, steps: int) -> int:
    """The first step of the page that holds the one that is asked for."""
    step = min(max(1, fields.number(asked)), max(1, steps))
    return (step - 1) // A_PAGE * A_PAGE + 1


async def _rows(visit: Visit, id_: str, first: int, last: int) -> list[EvidenceRow]:
    where = Where(trajectories=(id_,), kinds=("step",), first=first, last=last)
    rows = await visit.bank.rooms.store.find("evidence", where)
    return sorted(rows, key=lambda row: row.first)


def _told(rows: Sequence[EvidenceRow]) -> list[Told]:
    return [
        Told(
            step=(step := evidence.step_of(row, {})),
            ref=row.key,
            calls=tuple(_calls(step)),
            flags=row.flags,
            outputs=evidence.output_refs(row),
        )
        for row in rows
    ]


def _calls(step: Step) -> Iterator[Shown]:
    written = list(edits.of_step(step))
    for call, seen in called(step):
        mine = [edit for edit in written if edit.path in call.paths] if call.edits else []
        written = [edit for edit in written if edit not in mine]
        shown = tuple(
            (edit, compared(edit.old[:_EDIT_CHARS], edit.new[:_EDIT_CHARS])) for edit in mine
        )
        yield Shown(call, seen, failed(seen), shown)


def _texts(told: Sequence[Told]) -> int:
    """How many texts share the page's room."""
    return sum(2 + 2 * len(one.calls) for one in told)


async def _around(visit: Visit, row: SessionRow, rows: Sequence[EvidenceRow]) -> Around:
    rooms = visit.bank.rooms
    family = await rooms.store.outlines((row.project,))
    where = Where(trajectories=(row.id,), kinds=("episode",))
    masked: Counter[str] = Counter()
    for each in rows:
        masked.update(_MASK.findall(each.body))
    return Around(
        row=row,
        parent=next((one for one in family if one.id == row.parent), None),
        agents=tuple(one for one in family if one.parent == row.id),
        episodes=spans.episodes_of(await rooms.store.find("evidence", where)),
        masked=masked,
        path=rooms.path_of(row.folder, 1),
    )


def _cites(cited: Sequence[object], id_: str) -> bool:
    return any(refs.session_of(str(getattr(each, "ref", ""))) == id_ for each in cited)
