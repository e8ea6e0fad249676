"""Records: every row can be read, and belongs to a session that the catalogue knows."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.domain import privacy
from mcp_memory.history import indexer
from mcp_memory.hooks import digesting
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow, Where
from mcp_memory.text.counting import counted
from mcp_memory.trajectories import evidence, indexing, soundness

ASIDE = "set-aside.jsonl"
"""In the home: rows that could not be read, as they were. A purge names it among what it leaves."""
Row = EvidenceRow | MemoryRow | SessionRow


@dataclass(slots=True)
class _Seen:
    """Rows that no verb can work with, each with what is wrong."""

    unsound: list[tuple[Row, str]] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    """Sessions that rows are of and that the catalogue does not know."""
    hollow: list[SessionRow] = field(default_factory=list)
    """Sessions that lack rows of steps that they should have."""


async def look(rooms: Rooms) -> list[Finding]:
    """Bodies that cannot be read, rows of no session, sessions that lack rows."""
    seen = await _seen(rooms)
    bad = [f"{_name(row)} ({what})" for row, what in seen.unsound]
    orphans, hollow = ([f"t:{i}" for i in ids] for ids in (seen.orphans, _ids(seen.hollow)))
    steps = await rooms.store.count("evidence", Where(kinds=("step",), states=()))
    memories = await rooms.store.count("memories", Where(states=()))
    kept = counted(memories, "memory", "memories")
    return [
        ill("records", f"{counted(len(bad), 'record')} cannot be read: {named(bad)}")
        if bad
        else well("records", f"{counted(steps, 'step')} and {kept} can be read"),
        ill("records", f"rows of {counted(len(orphans), 'unknown session')}: {named(orphans)}")
        if orphans
        else well("records", "every row is of a known session"),
        ill("records", f"{counted(len(hollow), 'session')} without all rows: {named(hollow)}")
        if hollow
        else well("records", "every session has its rows"),
    ]


async def mend(rooms: Rooms) -> list[str]:
    """Set aside what cannot be read, and read the sessions that lack it again where their files are.

    Raises:
        Busy: another process is indexing.
    """
    seen = await _seen(rooms)
    stray = [(row, "of no session") for id_ in seen.orphans for row in await _rows(rooms, id_)]
    aside = [*seen.unsound, *stray]
    done = []
    if aside:
        await anyio.to_thread.run_sync(_set_aside, rooms.settings.home / ASIDE, aside)
        await _drop(rooms, [row for row, _ in aside])
        done.append(f"{counted(len(aside), 'record')} set aside in {rooms.settings.home / ASIDE}")
    lacking = {_session(row) for row, _ in aside} | set(_ids(seen.hollow))
    again = await _read_again(rooms, sorted(lacking - {""}), aside)
    if again:
        done.append(f"{counted(again, 'transcript')} read again")
    if stray:
        done.append("`mcp-memory index` brings back the sessions whose transcripts are still there")
    if any(isinstance(row, MemoryRow) for row, _ in aside):
        await digesting.renew(rooms)
    return done


async def _seen(rooms: Rooms) -> _Seen:
    seen = _Seen()
    sessions = await rooms.store.sessions()
    known = {row.id for row in sessions}
    owners = await rooms.store.survey.owners()
    seen.orphans = sorted(owners.keys() - known)
    for session in sessions:
        _judge(seen, session)
    for memory in await rooms.store.find("memories", Where(states=())):
        _judge(seen, memory)
    async for row, rows in _by_session(rooms, sessions):
        for each in rows:
            _judge(seen, each)
        if not _complete(row, rows):
            seen.hollow.append(row)
    return seen


def _judge(seen: _Seen, row: Row) -> None:
    what = soundness.fault(row)
    if what:
        seen.unsound.append((row, what))


async def _by_session(
    rooms: Rooms, sessions: Sequence[SessionRow]
) -> AsyncIterator[tuple[SessionRow, list[EvidenceRow]]]:
    """Each session with its rows: never all rows of the bank at a time."""
    for row in sessions:
        yield row, await _rows(rooms, row.id)


async def _rows(rooms: Rooms, session: str) -> list[EvidenceRow]:
    return await rooms.store.find("evidence", Where(trajectories=(session,), states=()))


def _complete(row: SessionRow, rows: Sequence[EvidenceRow]) -> bool:
    """Whether each step that is not purged or another's has its row, and each output that it names."""
    try:
        hidden = indexing.hidden_of(row)
    except (ValueError, AttributeError):
        return True  # named as unsound already
    there = Counter(each.first for each in rows if each.kind == "step")
    absent = {number for number, why in hidden.items() if evidence.absent(why)}
    wanted = set(range(1, row.steps + 1)) - absent
    outputs = {each.key for each in rows if each.kind == "output"}
    named_outputs = {ref for each in rows for ref in evidence.output_refs(each)}
    return wanted <= set(there) and named_outputs <= outputs


def _set_aside(file: Path, rows: Sequence[tuple[Row, str]]) -> None:
    with file.open("ab") as out:
        for row, what in rows:
            told = {k: v for k, v in asdict(row).items() if k != "vector"}
            line = {"kind": type(row).__name__, "fault": what, "row": told}
            out.write(orjson.dumps(line, default=str) + b"\n")
    file.chmod(privacy.FILE)


async def _drop(rooms: Rooms, rows: Sequence[Row]) -> None:
    survey = rooms.store.survey
    for row in rows:
        if isinstance(row, SessionRow):
            await survey.drop("sessions", [(row.id, row.batch)])
        elif isinstance(row, MemoryRow):
            await survey.drop("memories", [(row.key, str(row.version), row.batch)])
        else:
            await survey.drop("evidence", [(row.key, row.batch)])


async def _read_again(rooms: Rooms, ids: Sequence[str], aside: Sequence[tuple[Row, str]]) -> int:
    """Let the indexer read the transcripts of these sessions as if they had changed."""
    rows = await rooms.store.sessions(ids=tuple(ids)) if ids else []
    if rows:
        forgotten = [replace(row, fingerprint="", mtime_ns=0) for row in rows]
        async with rooms.store.change("repair", refs=[f"t:{row.id}" for row in rows]) as change:
            await change.add(sessions=forgotten)
            keys = tuple(row.id for row in rows)
            change.drop("sessions", Where(keys=keys, states=(), not_batches=(change.batch,)))
    sources = {row.source_path for row in rows}
    sources |= {row.source_path for row, _ in aside if isinstance(row, SessionRow)}
    paths = await anyio.to_thread.run_sync(_there, sources)
    if paths:
        await indexer.index(rooms, paths)
    return len(paths)


def _there(sources: Collection[str]) -> list[Path]:
    return [Path(source) for source in sorted(sources) if source and Path(source).is_file()]


def _name(row: Row) -> str:
    return f"t:{row.id}" if isinstance(row, SessionRow) else row.key


def _session(row: Row) -> str:
    if isinstance(row, SessionRow):
        return row.id
    return row.trajectory if isinstance(row, EvidenceRow) else ""


def _ids(rows: Sequence[SessionRow]) -> list[str]:
    return [row.id for row in rows]
