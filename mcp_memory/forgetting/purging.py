"""Purging: records erased from store and archive, kept from coming back, and looked for again."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio.to_thread

from mcp_memory import hosts
from mcp_memory.domain.models import Check, Deletion, Trajectory
from mcp_memory.forgetting import resting
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.history import wire, writing
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store import detecting
from mcp_memory.store.changes import Change
from mcp_memory.store.detecting import Seen
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import MemoryRow, Table, Where
from mcp_memory.text.needles import Needles
from mcp_memory.trajectories import evidence, indexing, reaching, rendering
from mcp_memory.trajectories.reaching import Reach

MOST_NEEDLES = 24
telling: ContextVar[Callable[[str], None]] = ContextVar("telling", default=lambda _: None)
"""Is told what a purge is at: it takes seconds in a large bank."""
Files = dict[str, Counter[str]]
"""How often each needle stands in the files of a folder."""


async def purge(rooms: Rooms, hidden: Hidden, memories: Sequence[str], reach: Reach) -> Deletion:
    """Erase sessions, steps and memories for good; what cannot be reached is named.

    The order is such that a kill at any point leaves nothing that comes back: tombstones first,
    then what replaces the sessions' other rows, then the erasure, then the files.
    """
    told = telling.get()
    told("reading what is to go")
    texts = await _texts(rooms, hidden, memories)
    needles = reaching.needles(texts, survives=lambda _: False, limit=MOST_NEEDLES)
    copies = await _copies(rooms, hidden, needles)
    before = await anyio.to_thread.run_sync(_in_files, rooms, needles)
    await _bury(rooms, hidden, memories)
    async with rooms.store.change("purge", refs=(*hidden.refs, *memories)) as change:
        weakened = [await _weakened(rooms, ref, lost, hidden) for ref, lost in reach.lost.items()]
        await change.add(memories=[retain.in_batch(row, change.batch) for row in weakened])
        await _replace(rooms, change, hidden)
    selected = _selected(hidden, memories)
    also: tuple[Table, ...] = ("evidence", "sessions") if hidden.steps else ()
    stays = partial(_stays, hidden, memories)
    erased = await rooms.store.purge(Erasure(selected, needles, also, stays, told))
    told("writing the archive's files anew")
    await writing.rerender(rooms, (*hidden.sessions, *hidden.steps))
    after = await anyio.to_thread.run_sync(_in_files, rooms, erased.needles)
    before = {name: _only(found, erased.needles) for name, found in before.items()}
    checks = [*erased.checks, *await _file_checks(rooms, before, after, hidden, memories)]
    return Deletion(
        mode="purge",
        refs=(*hidden.refs, *memories),
        cascade=reach.cascade,
        weakened=reach.weakened,
        batch=change.batch,
        checks=tuple(checks),
        beyond_reach=copies,
        notes=_notes(erased.needles, checks),
    )


async def _texts(rooms: Rooms, hidden: Hidden, memories: Sequence[str]) -> list[str]:
    """All that is to be erased, as it was written."""
    texts = []
    for session in hidden.sessions:
        rows = await rooms.store.find("evidence", Where(trajectories=(session,), states=()))
        texts += [row.text for row in rows]
    for trajectory, numbers in hidden.steps.items():
        where = Where(trajectories=(trajectory,), kinds=("step", "output"), states=())
        rows = await rooms.store.find("evidence", where)
        texts += [row.text for row in rows if row.first in numbers]
    for versions in (await spans.memory_rows(rooms, memories)).values() if memories else ():
        texts += [row.text for row in versions]
    return texts


def _stays(hidden: Hidden, memories: Sequence[str], seen: Seen) -> bool:
    """Whether a row that holds a needle is not to go: what is made anew without it does not count."""
    if seen.table == "memories":
        return seen.key not in memories
    if seen.table == "sessions":
        return seen.key not in hidden.sessions and seen.key not in hidden.steps
    if seen.trajectory in hidden.sessions:
        return False
    gone = hidden.steps.get(seen.trajectory)
    own = seen.kind != "episode" and seen.column == "text" and seen.first not in (gone or ())
    return gone is None or own


def _only(found: Counter[str], needles: Sequence[str]) -> Counter[str]:
    return Counter({needle: found[needle] for needle in needles if needle in found})


async def _file_checks(
    rooms: Rooms, before: Files, after: Files, hidden: Hidden, memories: Sequence[str]
) -> list[Check]:
    """What the files held and hold, without what stands there by right: a memory may repeat a step."""
    left = {needle for found in after.values() for needle in found}
    rightly = {each for each in left if await _elsewhere(rooms, each, hidden, memories)}
    asked = {needle for found in before.values() for needle in found} - rightly
    return [
        Check(
            where=place,
            control=sum(count for needle, count in before[place].items() if needle in asked),
            left=sum(count for needle, count in after[place].items() if needle not in rightly),
        )
        for place in before
    ]


async def _elsewhere(rooms: Rooms, piece: str, hidden: Hidden, memories: Sequence[str]) -> bool:
    """Whether a record that stays holds the piece; what is made anew without it does not count."""
    for row in await rooms.store.find("evidence", Where(contains=piece, states=())):
        if row.trajectory in hidden.sessions:
            continue
        gone = hidden.steps.get(row.trajectory)
        own = row.kind != "episode" and piece in row.text and row.first not in (gone or ())
        if gone is None or own:
            return True
    kept = await rooms.store.find("memories", Where(contains=piece, states=()))
    if any(row.key not in memories for row in kept):
        return True
    others = await rooms.store.sessions()
    return any(
        piece in text
        for row in others
        if row.id not in hidden.sessions and row.id not in hidden.steps
        for text in (row.body, row.entry, row.goal, row.title, row.source_path, row.cwd)
    )


async def _bury(rooms: Rooms, hidden: Hidden, memories: Sequence[str]) -> None:
    """Keyed hashes of what goes, so that no indexing and no import brings it back."""
    gone = await writing.tombstones(rooms)
    marks = {reaching.tombstone(gone.key, session) for session in hidden.sessions}
    versions = (await spans.memory_rows(rooms, memories)).values() if memories else ()
    said = (spans.memory_of(version).text for rows in versions for version in rows)
    marks |= {reaching.tombstone(gone.key, reaching.spoken(text)) for text in said}
    for row in await rooms.store.sessions(ids=tuple(hidden.steps)) if hidden.steps else ():
        whole = await spans.trajectory(rooms, row)
        for step in whole.steps:
            if step.number in hidden.steps[row.id]:
                told = f"{row.id}:{evidence.step_digest(step)}"
                marks.add(reaching.tombstone(gone.key, told))
    if marks:
        await rooms.store.put_tombstones(marks)


async def _replace(rooms: Rooms, change: Change, hidden: Hidden) -> None:
    """Sessions that lose steps are made anew without them: neighbours, episodes, goal, entry."""
    if not hidden.steps:
        return
    prepared = []
    for row in await rooms.store.sessions(ids=tuple(hidden.steps)):
        gone = dict.fromkeys(hidden.steps[row.id], evidence.PURGED)
        made = await writing.rebuilt(rooms, row, {**indexing.hidden_of(row), **gone})
        if (made.session.goal, made.session.title) != (row.goal, row.title):
            # The folder's name was made of words that must go: the only time that it changes.
            await anyio.to_thread.run_sync(rooms.archive.remove_session, row.folder)
            bare = Trajectory.model_validate_json(made.session.body)
            fresh = replace(row, folder=rendering.session_folder(row.project, bare))
            made = await writing.rebuilt(rooms, fresh, {**indexing.hidden_of(row), **gone})
        prepared.append(made)
    await writing.put(rooms, change, prepared)


async def _weakened(rooms: Rooms, ref: str, lost: Sequence[str], hidden: Hidden) -> MemoryRow:
    made = await resting.weakened(rooms, ref, lost, hidden)
    return retain.row_of(made, (await rooms.vectors([retain.searched(made)]))[0])


def _selected(hidden: Hidden, memories: Sequence[str]) -> dict[Table, Where]:
    selected: dict[Table, Where] = {}
    if hidden.sessions:
        selected["evidence"] = Where(trajectories=hidden.sessions, states=())
        selected["sessions"] = Where(keys=hidden.sessions, states=())
    if memories:
        selected["memories"] = Where(keys=tuple(memories), states=())
    return selected


async def _copies(rooms: Rooms, hidden: Hidden, needles: Sequence[str]) -> tuple[str, ...]:
    """Copies that a purge does not reach: hosts' own files, senders', backups of older schemas."""
    ids = tuple(dict.fromkeys((*hidden.sessions, *hidden.steps)))
    rows = await rooms.store.sessions(ids=ids) if ids else []
    transcripts = [row.source_path for row in rows]
    origins = filter(None, map(wire.source_of, transcripts))
    senders = sorted({f"the transcripts of {sender}, who pushed them" for sender, _ in origins})
    here = await anyio.to_thread.run_sync(_there, transcripts, needles, rooms.settings.home)
    return (*here, *senders)


def _there(transcripts: Sequence[str], needles: Sequence[str], home: Path) -> tuple[str, ...]:
    kept = sorted(path for path in transcripts if Path(path).is_file())
    wanted = Needles(needles)
    typed = [str(path) for path in hosts.prompts() if detecting.in_file(path, wanted)]
    return (*kept, *typed, *sorted(str(path) for path in home.glob("store.schema-*")))


def _in_files(rooms: Rooms, needles: Sequence[str]) -> Files:
    """How often needles occur in archive and spool, which hold plain text."""
    wanted = Needles(needles)
    places = {"archive": rooms.settings.archive_dir, "spool": rooms.settings.spool_dir}
    return {name: detecting.in_files(folder, wanted) for name, folder in places.items()}


def _notes(needles: Sequence[str], checks: Sequence[Check]) -> tuple[str, ...]:
    notes = []
    if not needles:
        notes.append(
            "Nothing in it stands only there: absence could not be told from other records."
        )
    elif not any(check.control for check in checks):
        notes.append(
            "The detector did not find the text before the purge: the checks prove nothing."
        )
    if any(check.left for check in checks):
        notes.append("Some of it is still there: see the checks. Purge again, or run `doctor`.")
    return tuple(notes)
