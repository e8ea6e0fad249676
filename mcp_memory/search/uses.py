"""Uses: what is known of memories' use: feedback in the ledger, counts, and how later sessions ended."""

import logging
import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import anyio.to_thread

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome
from mcp_memory.domain.refs import Ref
from mcp_memory.domain.uses import Use
from mcp_memory.rooms import Rooms
from mcp_memory.store import Store, counts
from mcp_memory.store.rows import EvidenceRow, Where

logger = logging.getLogger(__name__)

_NOTHING: Mapping[Outcome, Counter[str]] = {each: Counter() for each in Outcome}
MOST_MET = 400
_MET = ("key", "trajectory", "first", "outcome", "text")
MOST_ASKED = 24
"""Refs of one look-up."""
_WRITES = re.compile(r"\b\w*(?:retain|consolidate|delete)\b *:", re.IGNORECASE)
"""A call that keeps or deletes a memory names it, and shows it to nobody."""
Met = tuple[int, int, int]
"""Sessions that ended well, badly, and otherwise."""
MOST_FOUND = 200
"""Of so many hits it is remembered that a search found them."""
MOST_SPAN = 40
"""Steps of a span that somebody opens for what is in it."""
_found: WeakKeyDictionary[Store, deque[Ref]] = WeakKeyDictionary()
_known: WeakKeyDictionary[Store, tuple[int, dict[str, Met]]] = WeakKeyDictionary()


async def note(rooms: Rooms, what: counts.What, told: Sequence[str]) -> None:
    """Count the memories among what was told, and steps that a search found and that were opened.

    Never in a call's way. What is opened that no search found was named by a plan, or known.
    """
    memories = [ref for ref in told if ref.startswith("m:")]
    found = _found.setdefault(rooms.store, deque(maxlen=MOST_FOUND))
    steps = [refs.parse(ref) for ref in told if ref.startswith("t:") and "#" in ref]
    if what == "shown":
        found.extend(steps)
    sought = [str(one) for one in steps if what == "opened" and any(_within(one, f) for f in found)]
    try:
        for kind, named in ((what, memories), ("sought", sought)):
            if not named:
                continue
            await anyio.to_thread.run_sync(counts.note, rooms.settings.home / "store", kind, named)
    except OSError as error:
        logger.debug("not counted: %s", error)


def _within(opened: Ref, found: Ref) -> bool:
    """Whether what is opened holds what was found, and not a whole session round it."""
    first, last = opened.first or 0, opened.last or opened.first or 0
    near = opened.id == found.id and last - first <= MOST_SPAN
    return near and first <= (found.first or 0) <= last


async def sought(rooms: Rooms) -> list[tuple[Ref, int]]:
    """Spans of steps that were searched for, with how often."""
    told = await anyio.to_thread.run_sync(counts.read, rooms.settings.home / "store")
    return [(refs.parse(ref), count) for ref, count in told.get("sought", {}).items()]


async def of(rooms: Rooms, named: Sequence[str]) -> Mapping[str, Use]:
    """To each memory what is known of its use."""
    if not named:
        return {}
    told = await rooms.feedback()
    noted = await anyio.to_thread.run_sync(counts.read, rooms.settings.home / "store")
    met = await _met(rooms, named)
    said = {ref: told.get(ref) or _NOTHING for ref in named}
    return {
        ref: Use(
            shown=noted.get("shown", {}).get(ref, 0),
            opened=noted.get("opened", {}).get(ref, 0),
            well=said[ref][Outcome.SUCCESS].total(),
            badly=said[ref][Outcome.FAILURE].total(),
            unknown=said[ref][Outcome.UNKNOWN].total(),
            voices=(len(said[ref][Outcome.SUCCESS]), len(said[ref][Outcome.FAILURE])),
            went_well=met[ref][0],
            went_badly=met[ref][1],
            went_unknown=met[ref][2],
        )
        for ref in dict.fromkeys(named)
    }


async def _met(rooms: Rooms, named: Sequence[str]) -> Mapping[str, Met]:
    """To each memory how the sessions ended in which it was met; looked up once a state of the store."""
    version = await rooms.store.count("evidence", Where(states=()))
    known = _known.get(rooms.store)
    if known is None or known[0] != version:
        known = (version, {})
        _known[rooms.store] = known
    lost = [ref for ref in dict.fromkeys(named) if ref not in known[1]]
    for start in range(0, len(lost), MOST_ASKED):
        some = lost[start : start + MOST_ASKED]
        known[1].update(_ended(some, await _rows(rooms, some)))
    return {ref: known[1][ref] for ref in named}


async def _rows(rooms: Rooms, named: Sequence[str]) -> list[EvidenceRow]:
    """The steps in whose words the refs stand."""
    ids = " ".join(ref.partition(":")[2] for ref in named)
    where = Where(kinds=("step", "output"))
    return await rooms.store.brief(where, limit=MOST_MET, columns=_MET, words=ids)


def _ended(named: Sequence[str], rows: Sequence[EvidenceRow]) -> dict[str, Met]:
    """A session counts once for a memory: by the last attempt in which it was met."""
    last: dict[tuple[str, str], tuple[int, str]] = {}
    for row in rows:
        if _WRITES.search(row.text):
            continue
        for ref in named:
            if ref in row.text:
                key = (ref, row.trajectory)
                last[key] = max(last.get(key, (0, "")), (row.first, row.outcome))
    told = {ref: Counter[str]() for ref in named}
    for (ref, _), (_, outcome) in last.items():
        told[ref][outcome] += 1
    return {
        ref: (
            count[Outcome.SUCCESS.value],
            count[Outcome.FAILURE.value],
            count.total() - count[Outcome.SUCCESS.value] - count[Outcome.FAILURE.value],
        )
        for ref, count in told.items()
    }
