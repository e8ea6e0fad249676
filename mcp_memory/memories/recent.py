"""recent: the newest sessions as they were left, people's first, within a budget and without words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread
import orjson

from mcp_memory.domain import projects
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import State, Step
from mcp_memory.domain.paths import relative
from mcp_memory.rooms import Rooms
from mcp_memory.search.channels import scope_of
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.text import resuming
from mcp_memory.trajectories import evidence, leaving
from mcp_memory.trajectories.leaving import LENGTHS, Session, Traces

BYTES_PER_TOKEN = 4
MOST_STEPS = 400
"""How many of its last steps are read of a session."""
STEP_COLUMNS, _NO_LIMIT = ("key", "trajectory", "body"), 1_000_000
"""What steps are made from, of all that the filter holds for."""
READ_AT_ONCE = 4
LOOKED_AT = 3
"""So many times as many sessions are looked at as are shown: nobody spoke in some."""
FIRST_SHARE = 0.5
"""What the newest session may take of the budget."""
_NEXT = 2
"""The longest of the lengths that any but the newest is told at."""
NO_SESSION = "No session "
"""How a note begins that says that nothing lies within a time."""
ALIKE_CHARS = 60
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A session that a person worked in, with what its steps show."""

    session: Session
    row: SessionRow
    traces: Traces

    def named(self, *, several: bool) -> Session:
        """The session; its project is told only where several are shown."""
        return self.session if several else replace(self.session, project="")


async def resumed(rooms: Rooms, query: Query) -> SearchResult | None:
    """The newest sessions, where a query asks for no more than them; else None.

    It does without words and filters, or with one question that only asks where work was left off.
    """
    narrowed = query.kinds or query.outcome or query.path or query.within or query.match
    if narrowed or query.since or query.until or query.as_of or len(query.texts) > 1:
        return None
    if not query.texts:
        return await recent(rooms, query)
    if not resuming.may_ask(query.texts[0]):
        return None
    now = rooms.now().astimezone()
    asked = await anyio.to_thread.run_sync(partial(resuming.asked, query.texts[0], now=now))
    if asked is None:
        return None
    changed: dict[str, object] = {"limit": 1} if asked.one else {}
    if asked.period:
        changed |= {"since": asked.period.start, "until": asked.period.end}
    return await recent(rooms, query.model_copy(update=changed))


async def recent(rooms: Rooms, query: Query) -> SearchResult:
    """The sessions of a project that were worked in last, newest first, at most as many as asked."""
    scope = await scope_of(rooms, query.project)
    rows = [
        row
        for row in await rooms.store.outlines(scope.projects)
        if row.state == State.LIVE.value and row.project != projects.USER
    ]
    return await left_off(rooms, rows, query, notes=scope.notes)


async def left_off(
    rooms: Rooms, rows: Sequence[SessionRow], query: Query, *, notes: tuple[str, ...] = ()
) -> SearchResult:
    """The same of these sessions of a project, whose catalogue was read."""
    roots = sorted((r for r in rows if not r.parent), key=_newness, reverse=True)
    within = [row for row in roots if _overlaps(row, query.since, query.until)]
    notes = (*notes, *(() if within or not roots else (_nothing(query),)))
    shown = within or [row for row in roots if _before(row, query.until)]
    looked = await _looked(rooms, shown, query, _agents(rows))
    several = len({each.row.project for each in looked}) > 1
    folder, _ = rooms.placed([each.row.folder for each in looked])
    files = f"{folder}/*-ID/SUMMARY.md" if folder else None
    frame = SearchResult(found=bool(within and looked), folder=folder, files=files, notes=notes)
    room = (query.budget_tokens or rooms.settings.search_tokens) * BYTES_PER_TOKEN
    told = _fitted(looked, room - _size(frame) - len('"sessions":[],'), several=several)
    return frame.model_copy(update={"sessions": tuple(told)})


def _newness(row: SessionRow) -> tuple[datetime, str]:
    return row.ended_at or row.started_at or _NEVER, row.id


def _overlaps(row: SessionRow, since: datetime | None, until: datetime | None) -> bool:
    begun, ended = row.started_at or row.ended_at, row.ended_at or row.started_at
    if begun is None or ended is None:
        return since is None and until is None
    return not (since and ended < _aware(since)) and not (until and begun > _aware(until))


def _before(row: SessionRow, until: datetime | None) -> bool:
    return until is None or (row.started_at or _NEVER) <= _aware(until)


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _nothing(query: Query) -> str:
    since = query.since.date().isoformat() if query.since else "the beginning"
    until = query.until.date().isoformat() if query.until else "now"
    return f"{NO_SESSION}between {since} and {until}; these are the newest before."


def _agents(rows: Sequence[SessionRow]) -> Mapping[str, int]:
    """How many sub-agents each session had, those of its sub-agents counted with it."""
    parents = {row.id: row.parent for row in rows}
    counts: Counter[str] = Counter()
    for row in rows:
        root, seen = row.parent, {row.id}
        while parents.get(root) and root not in seen:
            seen.add(root)
            root = parents[root]
        counts[root] += bool(root)
    return counts


async def _looked(
    rooms: Rooms, rows: Sequence[SessionRow], query: Query, agents: Mapping[str, int]
) -> list[_Looked]:
    """The first sessions in which a person spoke, those that began alike told once."""
    kept: dict[str, _Looked] = {}
    committed: set[str] = set()
    for start in range(0, min(len(rows), LOOKED_AT * query.limit), READ_AT_ONCE):
        some = rows[start : start + READ_AT_ONCE]
        read = await _steps(rooms, some)
        for row in some:
            known = row.project in committed
            trace = partial(_traced, rooms, row, read[row.id], committed=known)
            one = await anyio.to_thread.run_sync(trace)
            if one.traces.done:
                committed.add(row.project)
            key = f"{row.project} {_begins(one) or row.id}"
            if not one.traces.requests:
                continue
            if key in kept:
                session = kept[key].session
                again = replace(session, alike=session.alike + 1)
                kept[key] = replace(kept[key], session=again)
            elif len(kept) < query.limit:
                session = replace(one.session, agents=agents.get(row.id, 0))
                kept[key] = replace(one, session=session)
        if len(kept) >= query.limit:
            break
    return list(kept.values())


def _begins(one: _Looked) -> str:
    first = next((step.text for step in one.traces.requests), "")
    flat = " ".join(first.split())
    return flat[:ALIKE_CHARS].casefold() if len(flat) >= ALIKE_CHARS else ""


async def _steps(rooms: Rooms, rows: Sequence[SessionRow]) -> Mapping[str, list[Step]]:
    """The last steps of sessions; large outputs stay behind their refs."""
    read: dict[str, list[Step]] = {row.id: [] for row in rows}

    async def some(ids: tuple[str, ...], first: int) -> None:
        where = Where(trajectories=ids, kinds=("step",), first=first)
        found = await rooms.store.brief(where, limit=_NO_LIMIT, columns=STEP_COLUMNS)
        made = await anyio.to_thread.run_sync(_made, found)
        for each, step in zip(found, made, strict=True):
            read[each.trajectory].append(step)

    # A look costs more than what it brings: all that are read whole share one.
    whole = tuple(row.id for row in rows if row.steps <= MOST_STEPS)
    async with anyio.create_task_group() as tasks:
        if whole:
            tasks.start_soon(some, whole, 1)
        for row in rows:
            if row.id not in whole:
                tasks.start_soon(some, (row.id,), row.steps - MOST_STEPS + 1)
    return {id_: sorted(steps, key=lambda step: step.number) for id_, steps in read.items()}


def _made(rows: Sequence[EvidenceRow]) -> list[Step]:
    return [evidence.step_of(row, {}) for row in rows]


def _traced(rooms: Rooms, row: SessionRow, steps: list[Step], *, committed: bool) -> _Looked:
    roots = (row.project, row.cwd)

    def inside(path: str) -> str:
        name = relative(path, roots)
        return "" if name.startswith(("/", "~", "..")) or ":" in name[:3] else name

    def resumes(text: str) -> bool:
        return resuming.asked(text, now=rooms.now()) is not None

    traces = leaving.traced(steps, path=inside, committed=committed, resumes=resumes)
    titled = row.title or ("" if resumes(row.goal) else row.goal)
    session = Session(
        id=row.id,
        project=projects.pure_path(row.project).name or row.project,
        goal=titled,
        outcome=row.outcome,
        steps=row.steps,
        begun=row.started_at,
        ended=row.ended_at,
    )
    return _Looked(session, row, traces)


def _fitted(looked: Sequence[_Looked], room: float, *, several: bool) -> list[LeftOff]:
    """Sessions within the room: the newest at length, the others alike, one more word each in turn."""
    told = [
        [leaving.told(each.named(several=several), each.traces, length) for length in LENGTHS]
        for each in looked
    ]
    sizes = [[_size(one) + 1 for one in lengths] for lengths in told]
    lengths = _chosen(sizes, room)
    return [told[place][length] for place, length in enumerate(lengths)]


def _chosen(sizes: Sequence[Sequence[int]], room: float) -> list[int]:
    """A length for as many as fit: the newest takes its share, then each a line, then more in turn."""
    shortest = len(LENGTHS) - 1
    share = room if len(sizes) == 1 else room * FIRST_SHARE
    lengths: list[int] = []
    for size in sizes:
        fit = next((n for n, each in enumerate(size) if each <= share), None)
        wanted = shortest if lengths or fit is None else fit
        if size[wanted] > room:
            break
        lengths.append(wanted)
        room -= size[wanted]
    for length in reversed(range(shortest)):
        for place in range(len(lengths)):
            more = sizes[place][length] - sizes[place][lengths[place]]
            if (length >= _NEXT or place == 0) and length < lengths[place] and more <= room:
                lengths[place] = length
                room -= more
    return lengths


def _size(model: LeftOff | SearchResult) -> int:
    return len(orjson.dumps(model.model_dump(mode="json", exclude_defaults=True)))
