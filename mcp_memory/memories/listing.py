"""list, inspect and status: looking at what the bank holds, without search."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread

from mcp_memory.archive import inspection
from mcp_memory.domain import projects, refs
from mcp_memory.domain.asked import Inspection
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.models import Listed, State, Status
from mcp_memory.domain.refs import Ref
from mcp_memory.memories import ruling
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, uses
from mcp_memory.store.address import home_of
from mcp_memory.store.rows import SessionRow, Where
from mcp_memory.text.counting import counted


async def sessions(rooms: Rooms, *, project: str, limit: int) -> list[Listed]:
    """Sessions, newest first: those that people began, then those that sessions began."""
    rows = await rooms.store.sessions(projects=await _scope(rooms, project))
    rows.sort(key=lambda row: (not row.parent, _day(row), row.id), reverse=True)
    return [
        Listed(
            ref=f"t:{row.id}",
            at=_day(row),
            project=row.project,
            title=row.title or row.goal,
            marks=(
                row.format,
                row.outcome,
                counted(row.steps, "step"),
                *(("sub-agent",) if row.parent else ()),
                *_unless_live(row.state),
                *_if_gone(row.source_path),
            ),
        )
        for row in rows[:limit]
    ]


async def memories(rooms: Rooms, *, project: str, limit: int) -> list[Listed]:
    """Memories in their newest version, newest first."""
    where = Where(projects=await _scope(rooms, project), states=())
    rows = await rooms.store.find("memories", where)
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    listed = sorted(newest.values(), key=lambda row: (row.at, row.key), reverse=True)[:limit]
    used = await uses.of(rooms, [row.key for row in listed])
    return [
        Listed(
            ref=row.key,
            at=row.at,
            project=row.project,
            title=row.text,
            marks=(row.kind, row.standing, *_unless_live(row.state), *used[row.key].told()),
        )
        for row in listed
    ]


async def changes(rooms: Rooms, *, limit: int) -> list[Listed]:
    """Batches of the ledger, newest first; each can be undone until it is purged."""
    batches: dict[str, Listed] = {}
    for row in await rooms.store.ledger():
        known = batches.get(row.batch)
        how = () if row.phase in ("once", "done") else (row.phase,)
        marks = (row.op, *how, counted(len(row.refs), "ref"), row.actor)
        batches[row.batch] = Listed(ref=row.batch, at=known.at if known else row.at, marks=marks)
    return list(reversed(batches.values()))[:limit]


async def known_projects(rooms: Rooms) -> list[Listed]:
    """Projects with their numbers of sessions, those with most first."""
    counts = await rooms.store.projects()
    return [
        Listed(ref=name, marks=(counted(count, "session"),))
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]


async def owners(rooms: Rooms, texts: Sequence[str]) -> dict[str, str]:
    """The project that each ref belongs to, in whatever state the record is.

    A batch belongs to a project when all that it touched does; else to `*`.

    Raises:
        InvalidInput: one is not spelled like a ref.
        UnknownRef: one names nothing.
    """
    return {text: await _owner(rooms, refs.parse(text)) for text in dict.fromkeys(texts)}


async def _owner(rooms: Rooms, ref: Ref) -> str:
    match ref.kind:
        case "episode" | "trajectory":
            return (await spans.session(rooms, ref.id)).project
        case "memory":
            return (await spans.current(rooms, str(ref))).project
        case "output":
            found = await rooms.store.by_keys("evidence", (str(ref),))
        case "batch":
            rows = await rooms.store.ledger(batch=str(ref))
            touched = {text.partition("@")[0] for row in rows for text in row.refs}
            owners = {await _owner(rooms, refs.parse(text)) for text in touched}
            return owners.pop() if len(owners) == 1 else "*"
    if not found:
        raise UnknownRef(str(ref))
    return found[0].project


async def inspect(rooms: Rooms, text: str, asked: Inspection) -> str:
    """Steps of a session within a cap of characters.

    Raises:
        UnknownRef: the ref names nothing.
        InvalidInput: the span or the regular expression cannot be read.
    """
    ref = refs.parse(text)
    if asked.span:
        first, _, last = asked.span.replace("-", ":").partition(":")
        if not (first.isdigit() and (last.isdigit() or not last)):
            raise InvalidInput(
                f"{asked.span!r} is not a span.", next_step="Write it as 5-9, counted from 1."
            )
        ref = refs.parse(refs.span(ref.id, int(first), int(last or first)))
    span = await spans.open_span(rooms, ref)
    return await anyio.to_thread.run_sync(inspection.inspect, span.steps, asked)


async def status(rooms: Rooms) -> Status:
    """Counts, sizes, and what is degraded."""
    everything = Where(states=())
    counts = {
        "sessions": len(await rooms.store.catalogue()),
        "steps": await rooms.store.count("evidence", Where(kinds=("step",), states=())),
        "episodes": await rooms.store.count("evidence", Where(kinds=("episode",), states=())),
        "memory versions": await rooms.store.count("memories", everything),
    }
    used = await anyio.to_thread.run_sync(_size, rooms)
    return Status(
        home=rooms.settings.home,
        schema_version=rooms.store.schema_version,
        counts=counts,
        projects=await rooms.store.projects(),
        model=rooms.store.model,
        bytes=used,
        notes=(*rooms.degraded(), *_where(rooms), *await _due(rooms)),
    )


def _where(rooms: Rooms) -> tuple[str, ...]:
    """Where the bank lies, if that is not the folder that is told."""
    address = rooms.settings.address
    return (
        (f"The bank lies at {address}; the folder is this machine's own part.",) if address else ()
    )


async def _due(rooms: Rooms) -> tuple[str, ...]:
    """Whether a new plan is due by the project's own rules, and what of those was not taken."""
    held = rooms.ruling(rooms.project)
    batches = await rooms.store.ledger(op="consolidate") if held.rules.plan_days else []
    last = batches[-1].at if batches else None
    return (*ruling.due(held.rules, last, rooms.now()), *held.faults)


def _size(rooms: Rooms) -> int:
    if rooms.settings.address:
        home = home_of(rooms.settings)
        shelves = (home.shelf(name) for name in ("store/lance", "archive"))
        return sum(each.size for shelf in shelves for each in shelf.listed())
    return sum(path.stat().st_size for path in rooms.settings.home.rglob("*") if path.is_file())


async def _scope(rooms: Rooms, project: str) -> tuple[str, ...]:
    if project == "*":
        return ()
    known = await rooms.store.projects()
    found = projects.resolve(rooms.identities().asked(project), known)
    if found is None and (several := projects.ambiguity(project, known)):
        raise InvalidInput(several, next_step="`mcp-memory projects` shows them all.")
    return (found or project,)


def _day(row: SessionRow) -> datetime:
    """When a session began, else ended; of one that never said, when its file was written last."""
    return row.started_at or row.ended_at or datetime.fromtimestamp(row.mtime_ns / 1e9, UTC)


def _unless_live(state: str) -> tuple[str, ...]:
    return () if state == State.LIVE.value else (state,)


def _if_gone(source: str) -> tuple[str, ...]:
    """What is said of a session whose transcript its host deleted; of one that was brought, none."""
    path = Path(source)
    return ("no longer its host's",) if path.is_absolute() and not path.exists() else ()
