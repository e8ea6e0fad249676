"""Timeline: sessions of people by day and project, their sub-agents folded below them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import orjson
from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain.models import State
from mcp_memory.store.rows import SessionRow
from mcp_memory.viewer import fields
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

A_PAGE = 40
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as the timeline tells it."""

    row: SessionRow
    agents: tuple[SessionRow, ...]
    errors: int
    commits: int
    files: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which part of the history is looked at."""

    project: str
    host: str
    outcome: str
    words: str
    number: int


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def timeline(request: Request) -> Response:
        async with visits(request) as visit:
            return await _timeline(request, visit)

    return {"timeline": timeline}


async def _timeline(request: Request, visit: Visit) -> Response:
    asked = request.query_params
    chosen = Chosen(
        asked.get("project", ""),
        asked.get("host", ""),
        asked.get("outcome", ""),
        asked.get("words", ""),
        max(1, fields.number(asked.get("page", ""))),
    )
    store = visit.bank.rooms.store
    known = await visit.projects()
    rows = [row for row in await store.outlines(known) if row.state == State.LIVE.value]
    roots = [row for row in rows if not row.parent and _fits(row, chosen)]
    roots.sort(key=lambda row: (row.started_at or _NEVER, row.id), reverse=True)
    shown = roots[(chosen.number - 1) * A_PAGE : chosen.number * A_PAGE]
    return page(
        request,
        visit,
        "timeline",
        chosen=chosen,
        days=_by_day(await _listed(visit, shown, rows)),
        total=len(roots),
        pages=max(1, -(-len(roots) // A_PAGE)),
        projects=known,
        hosts=sorted({row.format for row in rows}),
        outcomes=("success", "failure", "unknown"),
    )


def _fits(row: SessionRow, chosen: Chosen) -> bool:
    words = chosen.words.casefold().split()
    told = f"{row.title} {row.goal} {row.id}".casefold()
    return (
        chosen.project in ("", row.project)
        and chosen.host in ("", row.format)
        and chosen.outcome in ("", row.outcome)
        and all(word in told for word in words)
    )


async def _listed(
    visit: Visit, shown: Sequence[SessionRow], rows: Sequence[SessionRow]
) -> list[Listed]:
    """The shown sessions with what the archive's indexes say of them, and their sub-agents."""
    whole = await visit.bank.rooms.store.sessions(ids=[row.id for row in shown]) if shown else []
    entries = {row.id: orjson.loads(row.entry or "{}") for row in whole}
    parents = {row.id: row.parent for row in rows}
    below: dict[str, list[SessionRow]] = {}
    for row in rows:
        if row.parent:
            below.setdefault(root_of(row.id, parents), []).append(row)
    return [
        Listed(
            row,
            tuple(sorted(below.get(row.id, ()), key=lambda each: each.started_at or _NEVER)),
            errors=len(entries.get(row.id, {}).get("errors", ())),
            commits=len(entries.get(row.id, {}).get("landed", ())),
            files=sum(bool(f.get("marked")) for f in entries.get(row.id, {}).get("files", ())),
        )
        for row in shown
    ]


def root_of(session: str, parents: Mapping[str, str]) -> str:
    """The session that a person began, from which one comes; itself in a circle."""
    seen = {session}
    while (parent := parents.get(session, "")) and parent in parents and parent not in seen:
        seen.add(parent)
        session = parent
    return session


def _by_day(listed: Sequence[Listed]) -> list[tuple[datetime | None, list[Listed]]]:
    def day(one: Listed) -> str:
        return one.row.started_at.date().isoformat() if one.row.started_at else ""

    return [
        (group[0].row.started_at, group)
        for group in (list(some) for _, some in groupby(listed, key=day))
    ]
