"""Deleting: what a deletion reaches, shown first; then forgotten, brought back or purged."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import refs
from mcp_memory.domain.asked import DeletionMode, Filter
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Deletion
from mcp_memory.store.rows import SessionRow
from mcp_memory.viewer import fields, memories
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

_MODES: tuple[DeletionMode, ...] = ("preview", "forget", "restore", "purge")

MOST_NAMED = 60
"""Sessions and memories told one by one."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is reached, as a person reads it: sessions with their steps, and memories."""

    steps: int
    sessions: tuple[tuple[str, SessionRow | None, tuple[int, ...]], ...]
    """Each with its id, what the catalogue says of it, and the steps; none where all of it goes."""
    memories: tuple[tuple[str, str], ...]
    """Each with what it is called."""


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def delete(request: Request) -> Response:
        async with visits(request) as visit:
            return await _delete(request, visit)

    return {"delete": delete}


async def _delete(request: Request, visit: Visit) -> Response:
    """The form; with refs or words the preview of what they reach; posted, the receipt."""
    posted = request.method == "POST"
    given = await request.form() if posted else request.query_params
    named = fields.refs(str(given.get("refs", "")))
    contains = str(given.get("contains", ""))
    mode: DeletionMode = "preview"
    if posted:
        mode = next((one for one in _MODES if one == given.get("mode")), mode)
    seen: Deletion | None = None
    if named or contains:
        visit.must("admin")
        if mode == "purge" and str(given.get("sure", "")) != "purge":
            raise InvalidInput(
                "A purge cannot be taken back, and was not confirmed; nothing was changed.",
                next_step="Type the word purge into its field.",
            )
        seen = await _asked(visit, named, contains, mode, str(given.get("confirm", "")))
    return page(
        request,
        visit,
        "delete",
        seen=seen,
        reach=await _reach(visit, seen) if seen else None,
        refs=" ".join(named),
        contains=contains,
        mode=mode,
        most=MOST_NAMED,
    )


async def _reach(visit: Visit, seen: Deletion) -> Reach:
    """Its refs by what a person knows them by."""
    steps: dict[str, list[int]] = {}
    named = []
    for ref in map(refs.parse, seen.refs):
        if ref.kind == "memory":
            named.append(str(ref))
            continue
        of_session = steps.setdefault(ref.id, [])
        if ref.first is not None:
            of_session += range(ref.first, (ref.last or ref.first) + 1)
    rooms = visit.bank.rooms
    rows = await rooms.store.sessions(ids=tuple(steps)[:MOST_NAMED]) if steps else []
    known = {row.id: row for row in rows}
    called = {m.ref: m.title or m.text for m in await memories.newest(rooms)} if named else {}
    return Reach(
        steps=sum(map(len, steps.values())),
        sessions=tuple((id_, known.get(id_), tuple(its)) for id_, its in steps.items()),
        memories=tuple((ref, called.get(ref, ref)) for ref in named),
    )


async def _asked(
    visit: Visit, named: tuple[str, ...], contains: str, mode: DeletionMode, confirm: str
) -> Deletion:
    for ref, owner in (await visit.bank.owners(named)).items() if named else ():
        visit.must_see(owner, ref)
    chosen = Filter(contains=contains) if contains else None
    if chosen is not None and visit.access.projects:
        raise InvalidInput(
            "A token of some projects deletes by ref.", next_step="Name the refs instead."
        )
    return await visit.bank.delete(named, chosen, mode=mode, confirm=confirm)
