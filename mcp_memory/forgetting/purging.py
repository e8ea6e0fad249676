"""Purging: records erased from store and archive, kept from coming back, and looked for again."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory import hosts
from mcp_memory.archive.memory_files import MemoryFolder
from mcp_memory.domain.errors import Busy, MemoryBankError, PurgeUnfinished, UnknownRef, of_system
from mcp_memory.domain.models import Check, Deletion, Trajectory
from mcp_memory.forgetting import orders, resting
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.forgetting.orders import Order
from mcp_memory.history import wire, writing
from mcp_memory.history.writing import buried
from mcp_memory.hooks import diary, digesting
from mcp_memory.memories import promotion, retain
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store import detecting
from mcp_memory.store.changes import Change
from mcp_memory.store.detecting import Seen
from mcp_memory.store.home import backups_of
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import MemoryRow, Table, Where
from mcp_memory.store.shelf import FolderShelf
from mcp_memory.text.needles import Needles
from mcp_memory.trajectories import evidence, indexing, reaching, rendering
from mcp_memory.trajectories.naming import project_folder
from mcp_memory.trajectories.reaching import Reach

logger = logging.getLogger(__name__)

MOST_NEEDLES = 24
telling: ContextVar[Callable[[str], None]] = ContextVar("telling", default=lambda _: None)
"""Is told what a purge is at: it takes seconds in a large bank."""
Files = dict[str, Counter[str]]
"""How often each needle stands in the files of a folder."""
PUSHED = "pushed"
"""Folder in the home with what `push` remembers; a file a bank."""
_BANK = re.compile(rb'"bank":"([^"]{1,200})"')


async def purge(
    rooms: Rooms,
    hidden: Hidden,
    memories: Sequence[str],
    reach: Reach,
    *,
    heads: Mapping[str, tuple[str, ...]] | None = None,
    words: str = "",
) -> Deletion:
    """Erase sessions, steps and memories for good; what cannot be reached is named.

    `heads`: of sessions that stay, what is emptied of all that is told of them, because it holds
    the `words` that are to go. The order is written down first, so that a kill at any point is
    followed by the rest: tombstones, what replaces the sessions' other rows, the erasure, the files.

    Raises:
        PurgeUnfinished: the disk took no more, or another process does not let it go on.
        StoreFull: the disk took not even the order; nothing was begun.
    """
    order = Order(hidden=hidden, memories=tuple(memories), lost=reach.lost, heads=heads or {})
    async with rooms.elected(orders.LOCK, work="a purge"):
        file = await anyio.to_thread.run_sync(orders.give, rooms.settings, order)
        await rooms.store.tell()
        try:
            done = await _carried_out(rooms, order, words)
        except (MemoryBankError, OSError) as error:
            told = error if isinstance(error, MemoryBankError) else of_system(error)
            raise PurgeUnfinished(str(told)) from error
        await anyio.to_thread.run_sync(orders.done, file)
        await rooms.store.tell()
    return done.model_copy(update={"cascade": reach.cascade, "weakened": reach.weakened})


async def finish(rooms: Rooms) -> int:
    """Bring to its end what a kill or a full disk cut off; how many purges that were.

    One that another process is at is left to it.
    """
    if not await anyio.to_thread.run_sync(orders.pending, rooms.settings):
        return 0
    finished = 0
    with suppress(Busy):
        async with rooms.elected(orders.LOCK, seconds=0, work="a purge"):
            for file, order in await anyio.to_thread.run_sync(orders.pending, rooms.settings):
                await _carried_out(rooms, await _still_to_do(rooms, order), "")
                await _indexed_anew(rooms)
                await anyio.to_thread.run_sync(orders.done, file)
                await rooms.store.tell()
                finished += 1
    return finished


async def finish_if_it_can_be(rooms: Rooms) -> None:
    """`finish` where a bank is opened: what stands in its way now is in nobody else's."""
    try:
        await finish(rooms)
    except (MemoryBankError, OSError) as error:
        logger.warning("a purge that was begun is not finished yet: %s", error)


async def _indexed_anew(rooms: Rooms) -> None:
    """All indexes: of a session whose rows are gone nothing says any more which one names it."""
    known = await rooms.store.projects()
    await anyio.to_thread.run_sync(rooms.archive.sweep, set(map(project_folder, known)))
    await writing.write_projects(rooms, known)
    await writing.write_memories(rooms)
    await digesting.renew(rooms)
    await anyio.to_thread.run_sync(diary.clear, rooms.settings.home)


async def _still_to_do(rooms: Rooms, order: Order) -> Order:
    """The order without memories that lost their evidence already, or are no more."""
    lost = {}
    for ref, gone in order.lost.items():
        with suppress(UnknownRef):
            cited = {each.ref for each in (await spans.current(rooms, ref)).evidence}
            if cited & set(gone):
                lost[ref] = gone
    return order.model_copy(update={"lost": lost})


async def _carried_out(rooms: Rooms, order: Order, words: str) -> Deletion:
    hidden, memories = order.hidden, order.memories
    told = telling.get()
    told("reading what is to go")
    texts = await _texts(rooms, hidden, memories)
    needles = reaching.needles(texts, survives=lambda _: False, limit=MOST_NEEDLES)
    needles = list(dict.fromkeys((*filter(None, (words,)), *needles)))
    copies = await _copies(rooms, (*hidden.sessions, *hidden.steps, *order.heads), needles)
    copies += await _proposed(rooms, memories)
    before = await anyio.to_thread.run_sync(_in_files, rooms, needles)
    await _bury(rooms, order)
    async with rooms.store.change("purge", refs=(*hidden.refs, *memories)) as change:
        weakened = [await _weakened(rooms, ref, lost, hidden) for ref, lost in order.lost.items()]
        await change.add(memories=[retain.in_batch(row, change.batch) for row in weakened])
        await _replace(rooms, change, order)
    selected = _selected(hidden, memories)
    also: tuple[Table, ...] = ("evidence", "sessions") if hidden.steps or order.heads else ()
    erased = await rooms.store.purge(Erasure(selected, needles, also, partial(_stays, order), told))
    told("writing the archive's files anew")
    folder = MemoryFolder(rooms.settings.memories_dir)
    await anyio.to_thread.run_sync(folder.remove, memories)
    await writing.rerender(rooms, (*hidden.sessions, *hidden.steps, *order.heads))
    after = await anyio.to_thread.run_sync(_in_files, rooms, erased.needles)
    before = {name: _only(found, erased.needles) for name, found in before.items()}
    checks = [*erased.checks, *await _file_checks(rooms, before, after, order)]
    return Deletion(
        mode="purge",
        refs=(*hidden.refs, *memories),
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
        texts += [retain.searched(spans.memory_of(row)) for row in versions]
    return texts


def _stays(order: Order, seen: Seen) -> bool:
    """Whether a row that holds a needle is not to go: what is made anew without it does not count."""
    anew = {*order.hidden.steps, *order.heads}
    if seen.table == "memories":
        return seen.key not in order.memories
    if seen.table == "sessions":
        return seen.key not in order.hidden.sessions and seen.key not in anew
    if seen.trajectory in order.hidden.sessions:
        return False
    gone = order.hidden.steps.get(seen.trajectory, ())
    own = seen.kind != "episode" and seen.column == "text" and seen.first not in gone
    return seen.trajectory not in anew or own


def _only(found: Counter[str], needles: Sequence[str]) -> Counter[str]:
    return Counter({needle: found[needle] for needle in needles if needle in found})


async def _file_checks(rooms: Rooms, before: Files, after: Files, order: Order) -> list[Check]:
    """What the files held and hold, without what stands there by right: a memory may repeat a step."""
    left = {needle for found in after.values() for needle in found}
    rightly = {each for each in left if await _elsewhere(rooms, each, order)}
    asked = {needle for found in before.values() for needle in found} - rightly
    return [
        Check(
            where=place,
            control=sum(count for needle, count in before[place].items() if needle in asked),
            left=sum(count for needle, count in after[place].items() if needle not in rightly),
        )
        for place in before
    ]


async def _elsewhere(rooms: Rooms, piece: str, order: Order) -> bool:
    """Whether a record that stays holds the piece; what is made anew without it does not count."""
    hidden, anew = order.hidden, {*order.hidden.steps, *order.heads}
    for row in await rooms.store.find("evidence", Where(contains=piece, states=())):
        if row.trajectory in hidden.sessions:
            continue
        gone = hidden.steps.get(row.trajectory, ())
        own = row.kind != "episode" and piece in row.text and row.first not in gone
        if row.trajectory not in anew or own:
            return True
    kept = await rooms.store.find("memories", Where(contains=piece, states=()))
    if any(row.key not in order.memories for row in kept):
        return True
    others = await rooms.store.sessions()
    return any(
        piece in text
        for row in others
        if row.id not in hidden.sessions and row.id not in anew
        for text in (row.body, row.entry, row.goal, row.title, row.source_path, row.cwd)
    )


async def _bury(rooms: Rooms, order: Order) -> None:
    """Keyed hashes of what goes, so that no indexing, copy or import brings it back."""
    gone = await writing.tombstones(rooms)
    hidden = order.hidden
    marks = {reaching.tombstone(gone.key, session) for session in hidden.sessions}
    versions = (await spans.memory_rows(rooms, order.memories)).values() if order.memories else ()
    said = (spans.memory_of(version).text for rows in versions for version in rows)
    marks |= {reaching.tombstone(gone.key, reaching.spoken(text)) for text in said}
    ids = (*hidden.sessions, *hidden.steps, *order.heads)
    for row in await rooms.store.sessions(ids=ids) if ids else ():
        whole = await spans.trajectory(rooms, row)
        chosen = None if row.id in hidden.sessions else hidden.steps.get(row.id, ())
        for step in whole.steps:
            if chosen is None or step.number in chosen:
                marks |= {reaching.tombstone(gone.key, told) for told in buried(row.id, step)}
        heads = [getattr(whole, name) for name in order.heads.get(row.id, ())]
        marks |= {reaching.tombstone(gone.key, f"head:{text}") for text in heads if text}
    if marks:
        await rooms.store.put_tombstones(marks)


async def _replace(rooms: Rooms, change: Change, order: Order) -> None:
    """Sessions that lose steps are made anew without them: neighbours, episodes, goal, entry."""
    ids = tuple(dict.fromkeys((*order.hidden.steps, *order.heads)))
    if not ids:
        return
    prepared = []
    for row in await rooms.store.sessions(ids=ids):
        gone = dict.fromkeys(order.hidden.steps.get(row.id, ()), evidence.PURGED)
        hidden = {**indexing.hidden_of(row), **gone}
        emptied = order.heads.get(row.id, ())
        made = await writing.rebuilt(rooms, row, hidden, emptied=emptied)
        if (made.session.goal, made.session.title) != (row.goal, row.title):
            # The folder's name was made of words that must go: the only time that it changes.
            await anyio.to_thread.run_sync(rooms.archive.remove_session, row.folder)
            bare = Trajectory.model_validate_json(made.session.body)
            fresh = replace(row, folder=rendering.session_folder(row.project, bare))
            made = await writing.rebuilt(rooms, fresh, hidden, emptied=emptied)
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


async def _copies(rooms: Rooms, named: Iterable[str], needles: Sequence[str]) -> tuple[str, ...]:
    """Copies that a purge does not reach: hosts' own files, senders', remote banks, backups."""
    ids = tuple(dict.fromkeys(named))
    rows = await rooms.store.sessions(ids=ids) if ids else []
    transcripts = [row.source_path for row in rows]
    origins = filter(None, map(wire.source_of, transcripts))
    senders = sorted({f"the transcripts of {sender}, who pushed them" for sender, _ in origins})
    home = rooms.settings.home
    here = await anyio.to_thread.run_sync(_there, transcripts, needles, home)
    away = await anyio.to_thread.run_sync(_pushed, home, ids)
    return (*here, *senders, *away)


def _pushed(home: Path, ids: Sequence[str]) -> tuple[str, ...]:
    """Remote banks that were sent any of these sessions, as the notes of `push` say."""
    found = []
    for note in sorted((home / PUSHED).glob("*.json")):
        raw = note.read_bytes()
        if any(f'"{id_}"'.encode() in raw for id_ in ids):
            told = _BANK.search(raw)
            bank = told[1].decode() if told else "a remote bank"
            found.append(f"what was pushed to {bank}: purge it there, too")
    return tuple(found)


async def _proposed(rooms: Rooms, memories: Sequence[str]) -> tuple[str, ...]:
    """Teams' banks that were sent any of these memories, as this bank's ledger says."""
    rows = await rooms.store.ledger(op=promotion.PROPOSED) if memories else []
    told = (orjson.loads(row.inverse) for row in rows if set(memories) & set(row.refs))
    named = dict.fromkeys((str(one.get("there")), str(one.get("to"))) for one in told)
    return tuple(f"{there}, proposed to {to}: have it purged there, too" for there, to in named)


def _there(transcripts: Sequence[str], needles: Sequence[str], home: Path) -> tuple[str, ...]:
    kept = sorted(path for path in transcripts if Path(path).is_file())
    wanted = Needles(needles)
    typed = [str(path) for path in hosts.prompts() if detecting.in_file(path, wanted)]
    older = sorted(str(path) for path in home.glob("store.schema-*"))
    aside = [str(p) for p in home.glob("set-aside.jsonl") if detecting.in_file(p, wanted)]
    return (*kept, *typed, *older, *aside, *map(_backup, backups_of(home)))


def _backup(file: str) -> str:
    return f"the backup {file}: what it holds comes back where it is restored into another home"


def _in_files(rooms: Rooms, needles: Sequence[str]) -> Files:
    """How often needles occur in archive and spool, which hold plain text."""
    wanted = Needles(needles)
    places = {
        "archive": rooms.archive.shelf,
        "memory files": FolderShelf(rooms.settings.memories_dir),
        "spool": FolderShelf(rooms.settings.spool_dir),
    }
    return {name: detecting.in_files(shelf, wanted) for name, shelf in places.items()}


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
        notes.append(
            "Something is still there: see the checks. Files that another process was just writing "
            "go by themselves, with upkeep ten minutes from now; `mcp-memory doctor --repair` says "
            "whether anything else is left, and erases it."
        )
    return tuple(notes)
