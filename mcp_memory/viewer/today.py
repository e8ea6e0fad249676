"""Today: what was learned, said and used, what waits for a person, and how the memory grows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from mcp_memory.domain import trusting as trusted
from mcp_memory.domain.models import Memory, Standing, State
from mcp_memory.history import keeping
from mcp_memory.history.keeping import Kept
from mcp_memory.hooks import ledger
from mcp_memory.memories import freshness
from mcp_memory.memories.freshness import Stale
from mcp_memory.search import withholding
from mcp_memory.store.rows import LedgerRow, SessionRow, Where
from mcp_memory.viewer import drawing, memories
from mcp_memory.viewer.rendering import page
from mcp_memory.viewer.visiting import Visit, Visits

WEEKS = 26
LATELY = 8
MOST_CHANGES = 12
_SAID = {
    "session-start": "When a session began",
    "prompt": "On a prompt",
    "before-edit": "Before an edit",
    "before-command": "Before a command",
    "tool-failed": "After a failure",
    "before-compaction": "Before compaction",
    "session-end": "When a session ended",
}
_FLOWING = frozenset({"index", "projects", "regroup"})
UNDOABLE = frozenset({"retain", "apply", "forget", "restore", "index", "feedback", "undo"})


@dataclass(frozen=True, slots=True)
class Change:
    """One batch of the ledger, as a line tells it."""

    batch: str
    op: str
    at: datetime
    actor: str
    refs: tuple[str, ...]
    undoable: bool
    more: int = 0
    """How many of the same kind came right before it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person's decision."""

    candidates: int
    challengers: tuple[Memory, ...]
    held: tuple[Memory, ...]
    """Held back: they give power away that nobody bore out, or are of a distrusted source."""
    stale: tuple[Stale, ...]
    at_risk: tuple[Kept, ...]

    @property
    def anything(self) -> bool:
        """Whether there is anything to decide."""
        told = (self.candidates, self.challengers, self.held, self.stale, self.at_risk)
        return any(told)


def build(visits: Visits) -> Mapping[str, object]:
    """The endpoints of this page by name."""

    async def today(request: Request) -> Response:
        async with visits(request) as visit:
            return await _today(request, visit)

    return {"today": today}


async def _today(request: Request, visit: Visit) -> Response:
    rooms = visit.bank.rooms
    known = await visit.projects()
    rows = [row for row in await rooms.store.outlines(known) if row.state == State.LIVE.value]
    held = [one for one in await memories.newest(rooms) if visit.sees(one.project)]
    live = [one for one in held if one.state is State.LIVE]
    weeks = _weekly(rows, rooms.now())
    tallies = await anyio.to_thread.run_sync(ledger.summary, rooms.settings.home)
    said = [(_SAID.get(name, name), tally) for name, tally in tallies.items() if tally.calls]
    return page(
        request,
        visit,
        "today",
        counts=_counts(rows, live),
        steps=await rooms.store.count("evidence", Where(kinds=("step",), projects=known)),
        learned=live[:LATELY],
        said=said,
        waiting=await _waiting(visit, live),
        changes=await _changes(visit),
        weeks=drawing.columns(weeks, title=_growth(rows)),
        first_week=next(iter(weeks)),
        growth=_growth(rows),
        degraded=rooms.degraded(),
        elsewhere=keeping.OTHER,
    )


def _counts(rows: Sequence[SessionRow], live: Sequence[Memory]) -> Mapping[str, int]:
    """What the bank holds, in the words of the page."""
    return {
        "sessions": sum(not row.parent for row in rows),
        "sub-agents": sum(bool(row.parent) for row in rows),
        "projects": len({row.project for row in rows}),
        "established memories": sum(m.standing is Standing.ESTABLISHED for m in live),
    }


async def _waiting(visit: Visit, live: Sequence[Memory]) -> Waiting:
    rooms = visit.bank.rooms
    trusting = await anyio.to_thread.run_sync(trusted.read, rooms.settings.home)
    stale = await freshness.stale(rooms) if live else []
    at_risk: tuple[Kept, ...] = ()
    if visit.own:
        told = await keeping.history(rooms)
        at_risk = tuple(kept for kept in told.hosts if kept.soon or kept.new or kept.changed)
    return Waiting(
        candidates=sum(one.standing is Standing.CANDIDATE for one in live),
        challengers=tuple(one for one in live if one.challenged_by),
        held=tuple(one for one in live if withholding.of_memory(one, trusting)),
        stale=tuple(one for one in stale if visit.sees(one.project)),
        at_risk=at_risk,
    )


async def _changes(visit: Visit) -> list[Change]:
    """The last batches, newest first; only for who may undo them."""
    if not visit.deletes or visit.access.projects:
        return []
    rows = await visit.bank.rooms.store.ledger()
    undone = {ref for row in rows if row.op == "undo" for ref in row.refs if ref.startswith("b:")}
    batches: dict[str, LedgerRow] = {}
    for row in rows:
        batches.setdefault(row.batch, row)
    runs = [list(run) for _, run in groupby(reversed(batches.values()), key=_alike)]
    return [
        Change(row.batch, row.op, row.at, row.actor, row.refs[:3], _may(row, undone), len(rest))
        for row, *rest in runs[:MOST_CHANGES]
    ]


def _alike(row: LedgerRow) -> str:
    """What is told as one line when it follows itself: reading history, which goes on and on."""
    return row.op if row.op in _FLOWING else row.batch


def _may(row: LedgerRow, undone: set[str]) -> bool:
    return row.op in UNDOABLE and row.batch not in undone


def _weekly(rows: Sequence[SessionRow], now: datetime) -> dict[str, int]:
    """Sessions a week over the last half year, by the Monday that each began with."""
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    begun = Counter(_monday(row.started_at.date()) for row in rows if row.started_at)
    weeks = [first + timedelta(weeks=place) for place in range(WEEKS)]
    return {week.isoformat(): begun[week] for week in weeks}


def _monday(of: date) -> date:
    return of - timedelta(days=of.weekday())


def _growth(rows: Sequence[SessionRow]) -> str:
    dated = sorted(row.started_at for row in rows if row.started_at)
    if not dated:
        return "No sessions yet"
    return (
        f"Sessions a week, the last half year; the first of all began {dated[0].date().isoformat()}"
    )
