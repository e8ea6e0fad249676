"""By hand: memory files read back before they are written, so that no edit of a person is lost."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio.to_thread

from mcp_memory.archive import memory_files
from mcp_memory.archive.memory_files import Edited, MemoryFolder, Written
from mcp_memory.domain.errors import GateRefused, InvalidInput, MemoryBankError
from mcp_memory.domain.models import Draft, Memory, Refusal, Retained, SourceClass, Standing, State
from mcp_memory.domain.projects import USER
from mcp_memory.forgetting import delete
from mcp_memory.forgetting.delete import Asked
from mcp_memory.memories import retain, superseding
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.locking import elected
from mcp_memory.store.rows import Where
from mcp_memory.text.counting import counted

logger = logging.getLogger(__name__)

LOCK = "memory-files.lock"
MOST_NAMED = 20
_DESCRIBED = ("files", "tags", "valid_from", "valid_to")
"""What may be changed without another memory coming of it."""
MOST_FORGOTTEN = 3
"""Files that may vanish at once and count as forgotten: a folder that is gone is no such word."""


@dataclass(slots=True)
class ByHand:
    """What people made of the files since they were last read."""

    edited: list[str] = field(default_factory=list)
    """Refs that their files have now."""
    added: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    broken: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether a memory changed."""
        return bool(self.edited or self.added or self.forgotten)


async def sync(rooms: Rooms) -> ByHand:
    """Take in what people changed in the files, then write those of all live memories anew.

    Who edits a file in the home is the user. A file that is broken, or was changed while it was
    read, is left as it is and named.

    Raises:
        Busy: another process does not come to its end.
        OSError: the folder cannot be written.
    """
    if rooms.settings.address:
        return ByHand()  # many machines, each with files of its own: whose edit would count?
    folder = MemoryFolder(rooms.settings.memories_dir)
    lock = rooms.settings.locks_dir / LOCK
    done = ByHand()
    async with elected(lock, seconds=rooms.settings.busy_seconds, work="reading memory files"):
        notes = await anyio.to_thread.run_sync(folder.notes)
        left = await _read(rooms, folder, notes, done)
        await _missing(rooms, folder, notes, done)
        await _write(rooms, folder, notes, left)
    for each in done.broken:
        logger.warning("memory file %s was not read: %s", each.where, each.reason)
    for note in done.notes:
        logger.warning("%s", note)
    return done


async def _read(
    rooms: Rooms, folder: MemoryFolder, notes: dict[str, Written], done: ByHand
) -> set[str]:
    """Carry out edits; names of files that are not to be written over."""
    left = set()
    for name in await anyio.to_thread.run_sync(lambda: list(folder.found())):
        written = notes.get(name)
        try:
            text = await anyio.to_thread.run_sync(folder.changed, name, written)
            if text is None:
                continue
            ref = await _edit(rooms, name, memory_files.read(text), written, done)
        except (MemoryBankError, ValueError, OSError) as error:
            done.broken.append(Refusal(where=name, reason=str(error).splitlines()[0]))
            left.add(name)
        else:
            notes[name] = Written(ref=ref, version=0, digest="")
    return left


async def _edit(
    rooms: Rooms, name: str, edited: Edited, written: Written | None, done: ByHand
) -> str:
    """The memory that a file is of now, changed as its text says."""
    older = await _older(rooms, written.ref if written else edited.ref)
    project = edited.draft.project or (older.project if older else None)
    draft = edited.draft.model_copy(update={"project": project or _project(name)})
    if older is None:
        kept = await _said(rooms, draft)
        (done.added if kept.created else done.edited).append(kept.ref)
        return kept.ref
    confirmed = edited.standing == Standing.ESTABLISHED.value != older.standing.value
    same = retain.content_hash(draft, older.source) == retain.content_hash(older, older.source)
    if same and not confirmed:
        if any(getattr(draft, name) != getattr(older, name) for name in _DESCRIBED):
            await _described(rooms, older, draft)
            done.edited.append(older.ref)
        return older.ref
    kept = await _said(
        rooms, draft.model_copy(update={"evidence": older.evidence, "supersedes": older.ref})
    )
    done.edited.append(kept.ref)
    return kept.ref


async def _said(rooms: Rooms, draft: Draft) -> Retained:
    """The user's word, with the evidence of what it replaces as far as that still bears it.

    Raises:
        InvalidInput: the same words were put to rest before, and stay so.
    """
    try:
        kept = await retain.retain(rooms, draft, by=SourceClass.USER)
    except GateRefused:
        bare = draft.model_copy(update={"evidence": ()})
        kept = await retain.retain(rooms, bare, by=SourceClass.USER)
    if await _older(rooms, kept.ref) is None:
        raise InvalidInput(
            f"{kept.ref} says just this and was put to rest.",
            next_step=f"Bring it back with `mcp-memory delete --mode restore {kept.ref}`.",
        )
    return kept


async def _described(rooms: Rooms, older: Memory, draft: Draft) -> None:
    """Another version of the same words, with other files or tags."""
    made = superseding.following(older, **{name: getattr(draft, name) for name in _DESCRIBED})
    row = retain.row_of(made, (await rooms.vectors([retain.searched(made)]))[0])
    await rooms.store.once(
        "edit", lambda batch: [retain.in_batch(row, batch)], inverse={"kind": "memories"}
    )


async def _older(rooms: Rooms, ref: str) -> Memory | None:
    """The live memory that a file was of."""
    versions = (await spans.memory_rows(rooms, (ref,))).get(ref) if ref else None
    newest = spans.memory_of(versions[-1]) if versions else None
    return newest if newest and newest.state is State.LIVE else None


def _project(name: str) -> str | None:
    return USER if name.partition("/")[0] == USER else None


async def _missing(
    rooms: Rooms, folder: MemoryFolder, notes: dict[str, Written], done: ByHand
) -> None:
    """Files that a person deleted are memories to be forgotten, unless many are gone at once."""
    there = await anyio.to_thread.run_sync(lambda: set(folder.found()))
    gone = {name: notes.pop(name).ref for name in sorted(notes.keys() - there)}
    live = [ref for ref in gone.values() if await _older(rooms, ref) is not None]
    if len(live) > MOST_FORGOTTEN:
        done.notes.append(
            f"{counted(len(live), 'memory file')} vanished from {folder.root}: nothing was "
            "forgotten, and they are written again. To forget them, name them to `mcp-memory "
            f"delete --mode forget`: {' '.join(live[:MOST_NAMED])}"
        )
        return
    for ref in live:
        await delete.delete(rooms, Asked((ref,), None, mode="forget"))
        done.forgotten.append(ref)


async def _write(
    rooms: Rooms, folder: MemoryFolder, notes: dict[str, Written], left: set[str]
) -> None:
    rows = await rooms.store.find("memories", Where(states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    memories = [m for m in map(spans.memory_of, newest.values()) if m.state is State.LIVE]
    begun = await anyio.to_thread.run_sync(folder.root.is_dir)
    if memories or begun:
        await anyio.to_thread.run_sync(_put, folder, notes, memories, left)


def _put(
    folder: MemoryFolder, notes: dict[str, Written], memories: Sequence[Memory], left: set[str]
) -> None:
    """One file a live memory; those of others go, unless a person has just changed them; blocking."""
    names = {written.ref: name for name, written in notes.items()}
    kept: dict[str, Written] = {name: notes[name] for name in left if name in notes}
    for memory in sorted(memories, key=lambda one: one.ref):
        name = names.get(memory.ref) or memory_files.name_of(memory, {*notes, *kept})
        before = notes.get(name)
        if name in left:
            continue
        whole = before and before.digest and before.version == memory.version
        kept[name] = before if before and whole else folder.write(name, memory)
    for name, written in notes.items():
        if name not in kept and name not in left and _as_written(folder, name, written):
            (folder.root / name).unlink(missing_ok=True)
    folder.note(kept)


def _as_written(folder: MemoryFolder, name: str, written: Written) -> bool:
    try:
        return not written.digest or folder.changed(name, written) is None
    except (OSError, ValueError):
        return False
