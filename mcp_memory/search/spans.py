"""Spans: from refs to the rows and steps that they name; every verb that cites looks up here."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import orjson
from pydantic import ValidationError

from mcp_memory.domain import refs
from mcp_memory.domain.errors import PastTheEnd, RecordUnreadable, UnknownRef
from mcp_memory.domain.models import Episode, Memory, Step, Trajectory
from mcp_memory.domain.refs import Ref
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow, Where
from mcp_memory.trajectories import evidence


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive steps of one session, as far as they are live."""

    trajectory: str
    first: int
    last: int
    rows: tuple[EvidenceRow, ...]
    steps: tuple[Step, ...]

    @property
    def ref(self) -> str:
        """`t:…#first-last`."""
        return refs.span(self.trajectory, self.first, self.last)

    def until(self, at: datetime | None) -> "Span":
        """The span without steps that were made later.

        Raises:
            UnknownRef: all of them were.
        """
        kept = [n for n, row in enumerate(self.rows) if at is None or not row.at or row.at <= at]
        if not kept:
            raise UnknownRef(self.ref)
        rows = tuple(self.rows[place] for place in kept)
        steps = tuple(self.steps[place] for place in kept)
        return replace(self, first=rows[0].first, last=rows[-1].last, rows=rows, steps=steps)

    @property
    def text(self) -> str:
        """All words of the span, tool outputs whole."""
        return "\n".join(
            "\n".join((row.text, *(seen.text for seen in step.observations)))
            for row, step in zip(self.rows, self.steps, strict=True)
        )


async def session(rooms: Rooms, trajectory: str) -> SessionRow:
    """The catalogue's row of a session.

    Raises:
        UnknownRef: it is not in the bank, or purged.
    """
    rows = await rooms.store.sessions(ids=(trajectory,))
    if not rows:
        raise UnknownRef(f"t:{trajectory}")
    return rows[0]


async def bounds(rooms: Rooms, ref: Ref) -> tuple[int, int]:
    """First and last step that a session, span or episode ref names.

    Raises:
        UnknownRef: there is no such session or episode.
    """
    if ref.kind == "episode":
        found = await rooms.store.by_keys("evidence", (str(ref),))
        if not found:
            raise UnknownRef(str(ref))
        return found[0].first, found[0].last
    row = await session(rooms, ref.id)
    if ref.first is None:
        return 1, max(1, row.steps)
    if ref.first > row.steps:
        raise PastTheEnd(str(ref), row.steps)
    return ref.first, min(ref.last or ref.first, row.steps)


async def open_span(
    rooms: Rooms, ref: Ref, *, around: int = 0, states: Sequence[str] = ("live",)
) -> Span:
    """The steps that a session, span or episode ref names, widened by `around` on both sides.

    Steps that another session holds are opened there, where the ref names no others.

    Raises:
        UnknownRef: nothing live is left of it.
    """
    first, last = await bounds(rooms, ref)
    first, last = max(1, first - around), last + around
    found = await rooms.store.find(
        "evidence",
        Where(
            trajectories=(ref.id,), kinds=("step",), states=tuple(states), first=first, last=last
        ),
    )
    rows = tuple(sorted(found, key=lambda row: row.first))
    if not rows:
        return await _open_elsewhere(rooms, ref, range(first, last + 1), states)
    outputs = await outputs_of(rooms, rows)
    steps = tuple(evidence.step_of(row, outputs) for row in rows)
    return Span(ref.id, rows[0].first, rows[-1].last, rows, steps)


async def _open_elsewhere(
    rooms: Rooms, ref: Ref, numbers: Collection[int], states: Sequence[str]
) -> Span:
    """The steps in the session that holds them for this one.

    Raises:
        UnknownRef: none does.
    """
    hidden = orjson.loads((await session(rooms, ref.id)).hidden or "{}")
    there = [
        refs.parse(why)
        for number, why in hidden.items()
        if int(number) in numbers and why.startswith("t:")
    ]
    same = [one for one in there if one.id == there[0].id and one.first is not None]
    if not same or same[0].id == ref.id:
        raise UnknownRef(str(ref))
    steps = [one.first for one in same if one.first is not None]
    return await open_span(
        rooms, refs.parse(refs.span(same[0].id, min(steps), max(steps))), states=states
    )


async def outputs_of(rooms: Rooms, rows: Iterable[EvidenceRow]) -> dict[str, str]:
    """The large outputs that step rows point to, by ref."""
    keys = tuple(dict.fromkeys(key for row in rows for key in evidence.output_refs(row)))
    if not keys:
        return {}
    return {row.key: row.text for row in await rooms.store.briefs(keys, ("key", "text"))}


async def trajectory(rooms: Rooms, row: SessionRow) -> Trajectory:
    """A session put together again from the store's own rows; purged steps are empty."""
    where = Where(trajectories=(row.id,), kinds=("step", "output"), states=())
    rows = await rooms.store.find("evidence", where)
    outputs = {each.key: each.text for each in rows if each.kind == "output"}
    kept = {each.first: evidence.step_of(each, outputs) for each in rows if each.kind == "step"}
    steps = tuple(
        kept.get(number) or Step(number=number, kind="system") for number in range(1, row.steps + 1)
    )
    return Trajectory.model_validate_json(row.body).model_copy(update={"steps": steps})


def episodes_of(rows: Iterable[EvidenceRow]) -> tuple[Episode, ...]:
    """The episodes among a session's rows, in order."""
    found = (Episode.model_validate_json(r.body) for r in rows if r.kind == "episode")
    return tuple(sorted(found, key=lambda episode: episode.number))


async def memory_rows(rooms: Rooms, keys: Sequence[str]) -> dict[str, list[MemoryRow]]:
    """All versions of memories, oldest first, by ref."""
    versions: dict[str, list[MemoryRow]] = {}
    for row in await rooms.store.by_keys("memories", keys):
        versions.setdefault(row.key, []).append(row)
    return {key: sorted(rows, key=lambda row: row.version) for key, rows in versions.items()}


async def current(rooms: Rooms, ref: str) -> Memory:
    """The newest version of a memory, in whatever state.

    Raises:
        UnknownRef: there is no such memory.
    """
    versions = await memory_rows(rooms, (ref,))
    if ref not in versions:
        raise UnknownRef(ref)
    return memory_of(versions[ref][-1])


def memory_of(row: MemoryRow) -> Memory:
    """The memory that a row holds.

    Raises:
        RecordUnreadable: its body is damaged.
    """
    try:
        return _read(row.body)
    except ValidationError as error:
        raise RecordUnreadable(row.key) from error


@lru_cache(maxsize=1_024)
def _read(body: str) -> Memory:
    """Read once: a search reads the same few memories some four times, and the next one again."""
    return Memory.model_validate_json(body)
