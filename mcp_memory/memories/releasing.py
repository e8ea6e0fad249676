"""Releasing: what is held back is told after all, or a source no more: decisions in the ledger."""

import anyio.to_thread
import orjson

from mcp_memory.domain import refs, trusting
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Consolidation
from mcp_memory.domain.trusting import LEAST_NAME, Trusting
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import Where

RELEASE, DISTRUST = "release", "distrust"
_RECORDS = ("memory", "trajectory", "episode", "output")
MOST_STEPS = 5_000
"""Records of a distrusted file or host whose memories are looked for."""


async def release(rooms: Rooms, texts: tuple[str, ...]) -> Consolidation:
    """Tell these records from now on, though they give power away or are of unsure origin.

    Raises:
        InvalidInput: none is named, or one is no record.
        UnknownRef: one names nothing.
    """
    if not texts:
        raise InvalidInput("Nothing is named.", next_step="Name refs that an answer held back.")
    named = [await _known(rooms, text) for text in dict.fromkeys(texts)]
    return await _noted(rooms, RELEASE, tuple(named))


async def distrust(rooms: Rooms, source: str | tuple[str, ...]) -> Consolidation:
    """Tell nothing of a source any more: a session, or what names a file or a host; memories too.

    Several refs of sessions and memories are distrusted together.

    Raises:
        InvalidInput: the name is so short that it would stand everywhere.
        UnknownRef: the ref names nothing.
    """
    if isinstance(source, tuple):
        return await _distrust_these(rooms, source)
    name = source.strip()
    if name[:2] in ("t:", "m:", "e:"):
        name = await _known(rooms, name)
        cited = await rooms.store.find("memories", Where(cites=name, states=()))
        return await _noted(rooms, DISTRUST, (name, *dict.fromkeys(row.key for row in cited)))
    if len(name) < LEAST_NAME:
        raise InvalidInput(
            f"{name!r} is too short to name a source.",
            next_step="Give a session's ref, a file's path or a host's name.",
        )
    told = await rooms.store.brief(Where(contains=name, kinds=("step",)), limit=MOST_STEPS)
    steps = {row.key for row in told}
    memories = await rooms.store.find("memories", Where(states=()))
    derived = (row.key for row in memories if _rests(row.evidence, steps) or name in row.text)
    return await _noted(rooms, DISTRUST, (name, *dict.fromkeys(derived)))


async def _distrust_these(rooms: Rooms, named: tuple[str, ...]) -> Consolidation:
    """Sessions and memories by their refs, with the memories that cite them: one batch."""
    told = dict.fromkeys(named)
    for ref in named:
        if ref.startswith("t:"):
            cited = await rooms.store.find("memories", Where(cites=ref, states=()))
            told |= dict.fromkeys(row.key for row in cited)
    return await _noted(rooms, DISTRUST, tuple(told))


async def renew(rooms: Rooms) -> None:
    """Make the decisions anew from the ledger; what was undone counts no more."""
    undone: set[str] = set()
    for row in reversed(await rooms.store.ledger(op="undo")):
        if row.batch not in undone:
            undone.add(str(orjson.loads(row.inverse).get("undoes", "")))
    told = {
        op: frozenset(
            ref
            for row in await rooms.store.ledger(op=op)
            if row.batch not in undone
            for ref in row.refs
        )
        for op in (RELEASE, DISTRUST)
    }
    made = Trusting(told[RELEASE], told[DISTRUST])
    home = rooms.settings.home
    if made != await anyio.to_thread.run_sync(trusting.read, home):
        await anyio.to_thread.run_sync(trusting.write, home, made)


async def _noted(rooms: Rooms, op: str, named: tuple[str, ...]) -> Consolidation:
    batch = await rooms.store.note(op, refs=named, inverse={"kind": "note"})
    await renew(rooms)
    return Consolidation(batch=batch, refs=named)


async def _known(rooms: Rooms, text: str) -> str:
    """The ref as records are known by it.

    Raises:
        InvalidInput: it is the ref of no record.
        UnknownRef: it names nothing.
    """
    ref = refs.parse(text)
    if ref.kind not in _RECORDS:
        raise InvalidInput(f"{text} is no record.", next_step="Give m:…, t:…, e:… or o:….")
    if ref.kind == "memory":
        return (await spans.current(rooms, text)).ref
    if ref.kind == "trajectory" and ref.first is None:
        return f"t:{(await spans.session(rooms, ref.id)).id}"
    if ref.kind != "output":
        await spans.open_span(rooms, ref)
    return str(ref)


def _rests(evidence: tuple[str, ...], steps: set[str]) -> bool:
    """Whether a memory cites one of these steps, alone or in a span."""
    for text in evidence:
        try:
            ref = refs.parse(text)
        except InvalidInput:
            continue
        if ref.kind == "trajectory" and ref.first is not None:
            span = range(ref.first, (ref.last or ref.first) + 1)
            if any(refs.span(ref.id, number) in steps for number in span):
                return True
    return False
