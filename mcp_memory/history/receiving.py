"""Receiving: sessions that others bring, as evidence and files of this bank; and its files for them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import orjson
from pydantic import ValidationError

from mcp_memory.archive.files import PROJECT_FILES, README, SESSION_FILES
from mcp_memory.domain import projects
from mcp_memory.domain.errors import InvalidInput, NotAllowed, UnknownRef
from mcp_memory.domain.models import State, Step, Trajectory
from mcp_memory.history import indexer, wire, writing
from mcp_memory.history.wire import (
    Holding,
    ListedFile,
    Listing,
    Mark,
    Part,
    Receipt,
    Refused,
    Taken,
)
from mcp_memory.hooks import digesting
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import SessionRow
from mcp_memory.trajectories import admission, foreign, indexing
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.naming import project_folder
from mcp_memory.trajectories.terms import Gone, Place, Stamp

logger = logging.getLogger(__name__)

BATCH_BYTES = 16 * 1024 * 1024
"""Sessions that are written together have about so many bytes: memory stays flat."""
_ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Held:
    """A session as the bank has it, and where it came from."""

    row: SessionRow
    trajectory: Trajectory
    sender: str
    mark: Mark


async def holdings(
    rooms: Rooms, ids: Sequence[str], *, within: Sequence[str] | None = None
) -> dict[str, Holding]:
    """How far these sessions are held; those outside the projects that count are not told of."""
    rows = await rooms.store.sessions(ids=tuple(ids)) if ids else []
    return {
        row.id: _holding(row.source_path, row.steps)
        for row in rows
        if within is None or row.project in within
    }


async def receive(rooms: Rooms, parts: Sequence[Part], *, sender: str) -> Receipt:
    """Take pieces of sessions in: masked again, indexed, in the archive; each for itself.

    A session that this bank read from a file of its own is left as it is. One that another sender
    brought may grow, but what is there of it must come again unchanged.

    Raises:
        Busy: something else brings sessions into this bank.
    """
    run = _Delivery(rooms, sender)
    async with _turn(rooms):
        await run.begin(parts)
        for part in parts:
            await run.take(part)
        await run.write()
        if run.projects:
            await writing.write_projects(rooms, run.projects)
            await digesting.renew(rooms, run.projects)
    return Receipt(taken=tuple(run.taken), refused=tuple(run.refused))


async def files(rooms: Rooms, project: str) -> Listing:
    """The files of a project's archive, with their digests, in order.

    Raises:
        InvalidInput: the bank has no such project.
    """
    whole = await _known_project(rooms, project)
    rows = await rooms.store.sessions(projects=(whole,), states=(State.LIVE.value,))
    paths = [README, *(f"{project_folder(whole)}/{name}" for name in PROJECT_FILES)]
    paths += [
        f"{folder}/{name}" for folder in sorted(r.folder for r in rows) for name in SESSION_FILES
    ]

    def listed() -> tuple[ListedFile, ...]:
        found = ((path, rooms.archive.digest(path)) for path in paths)
        return tuple(
            ListedFile(path=path, size=told[0], sha256=told[1]) for path, told in found if told
        )

    return Listing(project=whole, files=await anyio.to_thread.run_sync(listed))


async def file(rooms: Rooms, project: str, path: str) -> Path:
    """Where a file of a project's archive lies.

    Raises:
        InvalidInput: the bank has no such project.
        UnknownRef: no such file is among the project's.
    """
    whole = await _known_project(rooms, project)
    folder, _, name = path.rpartition("/")
    if path == README or (folder == project_folder(whole) and name in PROJECT_FILES):
        return rooms.archive.place_of(path)
    rows = await rooms.store.sessions(ids=(folder[-_ID_LENGTH:],)) if folder else []
    its = [r for r in rows if (r.folder, r.project, r.state) == (folder, whole, State.LIVE.value)]
    if not its or name not in SESSION_FILES:
        raise UnknownRef(path[:80])
    return rooms.archive.place_of(path)


class _Delivery:
    """Sessions that one sender brings at a time, judged one by one and written in batches."""

    def __init__(self, rooms: Rooms, sender: str) -> None:
        self._rooms = rooms
        self._sender = sender
        self._rows: dict[str, SessionRow] = {}
        self._gone: Gone | None = None
        self._prepared: list[Prepared] = []
        self._waiting: list[Taken] = []
        self._seen: set[str] = set()
        self.taken: list[Taken] = []
        self.refused: list[Refused] = []
        self.projects: set[str] = set()

    async def begin(self, parts: Iterable[Part]) -> None:
        """Look up what the bank has of these sessions."""
        ids = tuple({told for part in parts if isinstance(told := part.head.get("id"), str)})
        self._rows = {row.id: row for row in await self._rooms.store.sessions(ids=ids)}
        self._gone = await writing.tombstones(self._rooms)

    async def take(self, part: Part) -> None:
        """Prepare a session to be written, or say why not; nothing a part holds raises."""
        told = part.head.get("id")
        id_ = told if isinstance(told, str) else "?"
        try:
            if id_ in self._seen:
                raise _refusal("it stands twice in one delivery")
            self._seen.add(id_)
            made, taken = await self._made(part, id_)
        except (InvalidInput, NotAllowed) as error:
            self.refused.append(Refused(id=id_[:80], reason=str(error)))
        except (ValidationError, ValueError, TypeError, RecursionError) as error:
            self.refused.append(Refused(id=id_[:80], reason=fault(error)))
        else:
            self._prepared.append(made)
            self._waiting.append(taken)
            if sum(one.session.size for one in self._prepared) > BATCH_BYTES:
                await self.write()

    async def write(self) -> None:
        """Write what is prepared as one change; it is taken once that is done."""
        if self._prepared:
            await writing.write(self._rooms, "push", self._prepared)
        self.projects.update(one.session.project for one in self._prepared)
        self.taken.extend(self._waiting)
        self._prepared, self._waiting = [], []

    async def _made(self, part: Part, id_: str) -> tuple[Prepared, Taken]:
        row = self._rows.get(id_)
        held = None
        if row is not None:
            origin = wire.source_of(row.source_path)
            if origin is None:
                raise _refusal("that bank read it from a file of its own")
            if row.project != part.project:
                raise _refusal("it belongs to another project of that bank")
            held = Held(row, await spans.trajectory(self._rooms, row), *origin)
        assert self._gone is not None
        gone, chars = self._gone, self._rooms.settings.step_chars
        return await anyio.to_thread.run_sync(
            lambda: prepared(part, held, gone, sender=self._sender, step_chars=chars)
        )


def prepared(
    part: Part, held: Held | None, gone: Gone, *, sender: str, step_chars: int
) -> tuple[Prepared, Taken]:
    """The session as it is with this part, ready to be written; blocking.

    Raises:
        InvalidInput: it is no session, was purged, or is not to be kept.
        ValueError: a field is missing, unknown or of the wrong kind (pydantic's error is one).
    """
    piece = foreign.unfed(wire.read_part(part))
    if gone.session(piece.id):
        raise _refusal("it was purged there")
    if foreign.left_out(piece):
        raise _refusal("its user asked that it be left out, or it is a summariser's own")
    mark = _mark(part, held)
    merged = piece if held is None else _merged(part, piece, held, sender)
    size = len(orjson.dumps(part.steps)) + (held.row.size if held and part.first > 1 else 0)
    if size > wire.MOST_BYTES or len(merged.steps) > wire.MOST_STEPS:
        raise _refusal(f"it has more than {wire.MOST_BYTES:,} bytes or {wire.MOST_STEPS:,} steps")
    if not merged.steps:
        raise _refusal("it has no steps")
    owner = held.sender if held else sender
    place = Place(wire.source(owner, mark), Stamp(size, 0), part.project, 0)
    known = indexer.known_of(held.row) if held else None
    found = indexing.admit(merged, place, known, gone)
    taken = Taken(id=merged.id, mark=mark, masked=sum(found.masked.values()))
    return found.made(step_chars=step_chars), taken


def _mark(part: Part, held: Held | None) -> Mark:
    """How far the session has come with this part.

    Raises:
        InvalidInput: the part does not follow what is held.
    """
    before = held.mark if held else Mark()
    begins = part.first == 1 and not part.after
    follows = part.first == before.steps + 1 and part.after == before.digest
    if not (begins or follows):
        raise _refusal("these steps do not follow those that are held")
    return Mark(
        steps=part.first + len(part.steps) - 1,
        digest=wire.chained(part.after, part.steps),
        head=wire.head_digest(part.head),
    )


def _merged(part: Part, piece: Trajectory, held: Held, sender: str) -> Trajectory:
    """What is held with the piece in its place; nothing held goes, and only its sender changes it.

    Raises:
        NotAllowed: another sender brought it, and it would change.
    """
    last = part.first + len(part.steps) - 1
    kept = held.trajectory.steps
    steps = (*kept[: part.first - 1], *piece.steps, *kept[last:])
    if sender == held.sender:
        return piece.model_copy(update={"steps": steps})
    if not _same(kept, steps, indexing.hidden_of(held.row)):
        raise NotAllowed(
            "another sender brought this session, and steps of it would change.",
            next_step="It can grow; to replace it, delete it there first.",
        )
    told = {
        "steps": steps,
        "ended_at": piece.ended_at,
        "tokens_in": piece.tokens_in,
        "tokens_out": piece.tokens_out,
    }
    return held.trajectory.model_copy(update=told)


def _same(kept: Sequence[Step], steps: Sequence[Step], hidden: Mapping[int, str]) -> bool:
    """Whether what is held stands unchanged among the steps, as far as it is shown."""
    again = Trajectory(id="", format="", native_id="", steps=tuple(steps[: len(kept)]))
    told = admission.admit_trajectory(again)
    return all(
        old == new or old.number in hidden
        for old, new in zip(kept, told.trajectory.steps, strict=True)
    )


def _holding(source: str, steps: int) -> Holding:
    origin = wire.source_of(source)
    if origin is None:
        return Holding(steps=steps, own=True)
    return Holding(**origin[1].model_dump())


def _turn(rooms: Rooms) -> AbstractAsyncContextManager[None]:
    """The indexer's own lock: nobody else changes what is known of a session meanwhile."""
    return rooms.elected(indexer.LOCK, work="indexing")


async def _known_project(rooms: Rooms, asked: str) -> str:
    known = await rooms.store.projects()
    whole = projects.resolve(asked, known)
    if whole is None:
        raise InvalidInput(
            f"That bank has no sessions of a project {asked[:80]!r}, or of several.",
            next_step="Name it as `list projects` there does.",
        )
    return whole


def _refusal(reason: str) -> InvalidInput:
    return InvalidInput(
        f"The session was not taken: {reason}.", next_step="Everything else goes on."
    )


def fault(error: Exception) -> str:
    """What is wrong with a part, without its contents."""
    if isinstance(error, ValidationError):
        places = sorted({".".join(map(str, each["loc"]))[:60] for each in error.errors()})
        return f"not the shape of a session: {', '.join(places[:5])}"
    return f"not the shape of a session: {type(error).__name__}"
