"""Succession: the memories that superseded one another, with when each held and what it says otherwise."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from difflib import SequenceMatcher
from itertools import pairwise

from mcp_memory.domain import validity
from mcp_memory.domain.models import Draft, Memory, State
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans

LOCK = "superseding.lock"
MOST = 20
"""Memories of one line that are read, the nearest to the one that is asked."""
AROUND = 3
"""Words that stay on each side of what changed."""


@asynccontextmanager
async def alone(rooms: Rooms, drafts: Sequence[Draft]) -> AsyncIterator[None]:
    """One writer at a time where something is superseded: of two each would find no successor yet.

    Raises:
        Busy: another process does not come to its end.
    """
    if any(draft.supersedes for draft in drafts):
        async with rooms.elected(LOCK, work="superseding"):
            yield
    else:
        yield


async def line(rooms: Rooms, memory: Memory) -> tuple[Memory, ...]:
    """What a memory superseded, itself, and what superseded it, oldest first; forgotten ones are not told."""
    before = [one async for one in _along(rooms, memory, "supersedes")]
    after = [one async for one in _along(rooms, memory, "superseded_by")]
    return (*reversed(before), memory, *after)


async def as_of(rooms: Rooms, memory: Memory, at: datetime) -> Memory | None:
    """The memory of its line that held at a moment; itself, where it did."""
    if validity.held(memory, at):
        return memory
    held = [one for one in await line(rooms, memory) if validity.held(one, at)]
    return held[-1] if held else None


def told(line: Sequence[Memory], of: str) -> tuple[str, ...]:
    """One line a memory, oldest first: when it held, and what it says otherwise than the one before."""
    if len(line) < 2:  # noqa: PLR2004 nothing came before or after
        return ()
    return tuple(
        f"{validity.spell(one)} {one.ref}{' (this)' if one.ref == of else ''}: "
        + (changed(earlier.text, one.text) if earlier else " ".join(one.text.split()))
        for earlier, one in zip((None, *line), line, strict=False)
    )


def changed(earlier: str, later: str) -> str:
    """The later text, what it took out in `[- -]` and what it put in in `{+ +}`, the rest shortened."""
    mine, its = earlier.split(), later.split()
    parts = SequenceMatcher(None, mine, its, autojunk=False).get_opcodes()
    told = [_part(kind, mine[a:b], its[c:d]) for kind, a, b, c, d in parts]
    return " ".join(part for part in told if part)


def _part(kind: str, gone: Sequence[str], come: Sequence[str]) -> str:
    if kind == "equal":
        short = len(come) <= 2 * AROUND + 1
        return " ".join(come if short else (*come[:AROUND], "\u2026", *come[-AROUND:]))
    out = f"[-{' '.join(gone)}-]" if gone else ""
    put = f"{{+{' '.join(come)}+}}" if come else ""
    return " ".join(part for part in (out, put) if part)


def versions(kept: Sequence[Memory]) -> Iterator[str]:
    """What each version of one memory has that the one before had not, newest first."""
    for older, newer in reversed(list(pairwise(kept))):
        yield f"Version {newer.version}: {', '.join(_differences(older, newer)) or 'the same again'}"
    yield f"Version {kept[0].version}: {kept[0].standing.value}, {kept[0].state.value}"


def _differences(older: Memory, newer: Memory) -> Iterator[str]:
    if newer.state is not older.state:
        yield newer.state.value
    if newer.standing is not older.standing:
        yield newer.standing.value
    for name in ("text", "title", "when_to_use", "not_when"):
        if getattr(newer, name) != getattr(older, name):
            yield f"{name} {changed(getattr(older, name), getattr(newer, name))}"
    for name in ("files", "tags", "challenged_by"):
        if getattr(newer, name) != getattr(older, name):
            yield f"{name.replace('_', ' ')} {' '.join(getattr(newer, name)) or 'none'}"
    for name in ("valid_from", "valid_to"):
        if at := getattr(newer, name):
            yield from (f"{name} {validity.day(at)}",) if at != getattr(older, name) else ()
    held = {each.ref for each in older.evidence}
    now = {each.ref for each in newer.evidence}
    yield from (f"+ {each.ref}" for each in newer.evidence if each.ref not in held)
    yield from (f"- {each.ref}" for each in older.evidence if each.ref not in now)


async def _along(rooms: Rooms, memory: Memory, way: str) -> AsyncIterator[Memory]:
    """The memories one way along the line, nearest first."""
    seen = {memory.ref}
    ref = getattr(memory, way)
    while ref and ref not in seen and len(seen) < MOST:
        seen.add(ref)
        rows = (await spans.memory_rows(rooms, (ref,))).get(ref)
        one = spans.memory_of(rows[-1]) if rows else None
        if one is None or one.state is State.FORGOTTEN:
            return
        yield one
        ref = getattr(one, way)
