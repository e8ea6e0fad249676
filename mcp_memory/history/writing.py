"""Writing: sessions into store and archive as one change, and files anew from the store's own rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
from pydantic import JsonValue

from mcp_memory.archive.remembered import remembered
from mcp_memory.domain.models import Memory, State, Step
from mcp_memory.domain.projects import USER
from mcp_memory.rooms import Rooms
from mcp_memory.search import restating, spans, withholding
from mcp_memory.store import trimming
from mcp_memory.store.changes import Change
from mcp_memory.store.packing import Packed
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.trajectories import evidence, indexing, reaching
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.naming import project_folder

MOST_ROWS = 6_000
"""Appended at a time: a session of 20,000 requests has 60,000 rows, which took 800 MB at once."""
MEMORIES_LOCK = "memories.lock"
"""Held by whoever writes MEMORIES.md."""


@dataclass(frozen=True, slots=True)
class Tombstones:
    """What was purged, as keyed hashes: known again, never told."""

    key: bytes
    marks: frozenset[str]

    def session(self, trajectory: str) -> bool:
        """Whether a whole session was purged."""
        return bool(self.marks) and reaching.tombstone(self.key, trajectory) in self.marks

    def step(self, trajectory: str, step: Step) -> bool:
        """Whether this step's content was purged from this session."""
        if not self.marks:
            return False
        return any(reaching.tombstone(self.key, t) in self.marks for t in buried(trajectory, step))

    def head(self, text: str) -> bool:
        """Whether a title, a goal or a branch was emptied of just these words."""
        return bool(self.marks) and reaching.tombstone(self.key, f"head:{text}") in self.marks

    def memory(self, text: str) -> bool:
        """Whether a memory with these words was purged."""
        return (
            bool(self.marks) and reaching.tombstone(self.key, reaching.spoken(text)) in self.marks
        )


def buried(trajectory: str, step: Step) -> Iterator[str]:
    """By what a purged step is known again: in its own session, and wherever it was copied to.

    A copy has the time of the step that it is of; what has none could be said twice by chance.
    """
    digest = evidence.step_digest(step)
    yield f"{trajectory}:{digest}"
    if step.at is not None:
        yield f"copy:{step.at.isoformat()}:{digest}"


async def tombstones(rooms: Rooms) -> Tombstones:
    """What was purged from this bank."""
    key, marks = await rooms.store.tombstones()
    return Tombstones(key, frozenset(marks))


async def write(rooms: Rooms, op: str, prepared: Sequence[Prepared]) -> str:
    """Write sessions as one change; the batch of it, which knows how far each had grown before.

    Of a session that two files hold the last stands, as if each were a change of its own.
    """
    prepared = [*{one.session.id: one for one in prepared}.values()]
    async with rooms.store.change(
        op,
        refs=tuple(f"t:{one.session.id}" for one in prepared),
        hashes=tuple(one.session.fingerprint for one in prepared),
        inverse={"kind": "index"},
    ) as change:
        before = _lengths(await put(rooms, change, prepared))
        grown: dict[str, JsonValue] = {
            one.session.id: [before[one.session.id], one.session.steps]
            for one in prepared
            if one.session.id in before
        }
        change.knows({"kind": "index", "grown": grown})
    return change.batch


def _lengths(keys: Iterable[str]) -> dict[str, int]:
    """The last step that there was a row of, by session."""
    last: dict[str, int] = {}
    for key in keys:
        session, _, number = key.removeprefix("t:").partition("#")
        if number.isdigit():
            last[session] = max(last.get(session, 0), int(number))
    return last


async def put(rooms: Rooms, change: Change, prepared: Sequence[Prepared]) -> dict[str, str]:
    """Rows, catalogue and archive files of sessions within a change; older rows go afterwards.

    Answers with key and hash of the rows that they had before.
    """
    trajectories = tuple(one.session.id for one in prepared)
    before = await change.hashes(trajectories)
    fresh, stale = await anyio.to_thread.run_sync(_difference, prepared, before)
    await _add(rooms, change, fresh)
    await change.add(sessions=[one.session for one in prepared])
    older = (change.batch,)
    change.drop("sessions", Where(keys=trajectories, states=(), not_batches=older))
    if stale:
        change.drop("evidence", Where(keys=stale, states=(), not_batches=older))
    await anyio.to_thread.run_sync(_write_sessions, rooms, prepared)
    return before


def _write_sessions(rooms: Rooms, prepared: Iterable[Prepared]) -> None:
    for one in prepared:
        if one.session.state == State.LIVE.value:
            rooms.archive.write_session(one.session.folder, one.files)


async def _add(rooms: Rooms, change: Change, rows: Packed) -> None:
    """Append rows with what the model makes of them; without a model they go by words."""
    if rows.embedded:
        await change.add_packed(rows, None, ())
        return
    for part in rows.parts(MOST_ROWS):
        texts = await anyio.to_thread.run_sync(evidence.embedded_texts, part)
        vectors = await rooms.packed_vectors([text for text in texts if text])
        await change.add_packed(part, vectors, [bool(text) for text in texts])
        await anyio.to_thread.run_sync(trimming.trim)


async def with_vectors(rooms: Rooms, rows: Sequence[EvidenceRow]) -> list[EvidenceRow]:
    """The rows with what the model makes of them; without a model they go by words."""
    vectors = await rooms.vectors([evidence.embedded_text(row) for row in rows])
    return [replace(row, vector=vector) for row, vector in zip(rows, vectors, strict=True)]


async def rebuilt(
    rooms: Rooms, row: SessionRow, hidden: Mapping[int, str], *, emptied: Collection[str] = ()
) -> Prepared:
    """A session made anew from the store's own rows, with these steps hidden.

    `emptied`: of what is told of it besides its steps, what goes.
    """
    whole = (await spans.trajectory(rooms, row)).model_copy(update=evidence.emptied(emptied))
    purged = [number for number, why in hidden.items() if why == evidence.PURGED]
    return indexing.rebuilt(
        evidence.blanked(whole, purged), row, hidden=hidden, step_chars=rooms.settings.step_chars
    )


def _difference(
    prepared: Sequence[Prepared], before: Mapping[str, str]
) -> tuple[Packed, tuple[str, ...]]:
    """Rows that are new or changed, and keys whose older rows must go."""
    made = Packed.joined([one.as_columns().packed or Packed.of(()) for one in prepared])
    keys, hashes = made.strings("key"), made.strings("hash")
    differ = [n for n, key in enumerate(keys) if before.get(key) != hashes[n]]
    changed = {keys[n] for n in differ if keys[n] in before}
    vanished = before.keys() - set(keys)
    return made.only(differ), tuple(sorted(changed | vanished))


async def rerender(rooms: Rooms, trajectories: Iterable[str]) -> None:
    """Write the files of sessions anew from the store, the indexes of their projects, and memories."""
    wanted = tuple(trajectories)
    rows = {row.id: row for row in await rooms.store.sessions(ids=wanted)} if wanted else {}
    folders = set()
    for trajectory in wanted:
        row = rows.get(trajectory)
        if row is None or row.state != State.LIVE.value:
            folders.add(await _remove(rooms, trajectory, row))
            continue
        await _rewrite(rooms, row)
    touched = {folder.partition("/")[0] for folder in folders}
    known = await rooms.store.projects()
    projects = {row.project for row in rows.values()}
    await write_projects(
        rooms, projects | {each for each in known if project_folder(each) in touched}
    )
    await anyio.to_thread.run_sync(_tidy, rooms, touched - set(map(project_folder, known)))
    await write_memories(rooms)


async def write_projects(rooms: Rooms, projects: Iterable[str]) -> None:
    """Write the indexes of projects that changed; of all, where an older version wrote the archive."""
    everything = not await anyio.to_thread.run_sync(rooms.archive.is_current)
    chosen = await rooms.store.projects() if everything else projects
    async for told in rooms.store.entered(chosen):
        rows = [row for its in told.values() for row in its]
        if everything:
            rows = [await _mended(rooms, row) for row in rows]
        await anyio.to_thread.run_sync(_write_indexes, rooms, tuple(told), rows)
    await anyio.to_thread.run_sync(rooms.archive.write_projects)
    # Last: until it is there, the next call begins anew.
    await anyio.to_thread.run_sync(rooms.archive.write_readme)


def _write_indexes(rooms: Rooms, projects: Iterable[str], rows: Iterable[SessionRow]) -> None:
    by_project: dict[str, list[Entry]] = {project: [] for project in projects}
    trusting = rooms.trusting()
    for row in rows:
        if not trusting.distrusts((f"t:{row.id}",)):
            by_project[row.project].append(Entry.model_validate_json(row.entry))
    rooms.archive.write_indexes(by_project)


async def write_memories(rooms: Rooms, projects: Iterable[str] | None = None) -> None:
    """Write MEMORIES.md of these projects, or of all, as memories are now.

    Processes take turns from reading to writing: none puts back what another has taken away.

    Raises:
        Busy: another process does not come to its end.
    """
    async with rooms.elected(MEMORIES_LOCK, work="writing memories"):
        chosen = () if projects is None else tuple(projects)
        rows = await rooms.store.find("memories", Where(projects=chosen, states=()))
        newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
        memories = [spans.memory_of(row) for row in newest.values()]
        doubted = restating.restated(memories)
        trusting = rooms.trusting()
        held = {m.ref: why for m in memories if (why := withholding.as_advice(m, trusting))}
        named = chosen or (*await rooms.store.projects(), USER)
        by_project: dict[str, list[Memory]] = {project: [] for project in named}
        for memory in memories:
            by_project.setdefault(memory.project, []).append(memory)
        texts = {p: remembered(p, its, doubted, held) for p, its in sorted(by_project.items())}
        put = partial(rooms.archive.write_memories, texts, all_there_are=projects is None)
        await anyio.to_thread.run_sync(put)


async def _mended(rooms: Rooms, row: SessionRow) -> SessionRow:
    """The session as it is; files that it lacks are written."""
    if not await anyio.to_thread.run_sync(rooms.archive.lacks, row.folder):
        return row
    (whole,) = await rooms.store.sessions(ids=(row.id,))
    return (await _rewrite(rooms, whole)).session


async def _rewrite(rooms: Rooms, row: SessionRow) -> Prepared:
    made = await rebuilt(rooms, row, indexing.hidden_of(row))
    await anyio.to_thread.run_sync(rooms.archive.write_session, row.folder, made.files)
    return made


def _tidy(rooms: Rooms, folders: Iterable[str]) -> None:
    """Folders of projects that the store knows no more."""
    for folder in folders:
        if folder:
            rooms.archive.tidy(folder, indexed=False)
    rooms.archive.write_projects()


async def _remove(rooms: Rooms, trajectory: str, row: SessionRow | None) -> str:
    """Take a session's folder out of the archive; without a catalogue row, by its id."""
    folder = (
        row.folder if row else await anyio.to_thread.run_sync(rooms.archive.folder_of, trajectory)
    )
    if folder:
        await anyio.to_thread.run_sync(rooms.archive.remove_session, folder)
    return folder or ""
