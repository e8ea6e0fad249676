"""Linked: the memories one step from those that are shown, read from the bank."""

from collections.abc import Sequence
from functools import partial

import anyio.to_thread
import orjson

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Memory, State
from mcp_memory.domain.projects import USER
from mcp_memory.memories import links
from mcp_memory.memories.links import Link
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.store.rows import Where

MOST_READ = 500
"""Of more memories in a project none are compared: that would take longer than the answer may."""
AT_ONCE = 16
"""So many are compared in less time than a thread takes to be woken."""
MOST_OF_HIT = 2
BYTES_PER_TOKEN = 4


async def to(
    rooms: Rooms, memories: Sequence[Memory]
) -> tuple[dict[str, tuple[Link, ...]], dict[str, Memory]]:
    """To each memory those that are tied to it, and these themselves: live ones that may be told."""
    if not memories:
        return {}, {}
    projects = tuple(dict.fromkeys((*(memory.project for memory in memories), USER)))
    where = Where(projects=projects, states=())
    if await rooms.store.count("memories", where) > MOST_READ:
        return {}, {}
    newest = {}
    for row in sorted(await rooms.store.find("memories", where), key=lambda row: row.version):
        newest[row.key] = row
    trusting = rooms.trusting()
    held = (spans.memory_of(row) for row in newest.values() if row.state == State.LIVE.value)
    live = {one.ref: one for one in held if not withholding.of_memory(one, trusting)}
    every = [*live.values(), *(one for one in memories if one.ref not in live)]
    wanted = [memory.ref for memory in memories]
    if len(every) <= AT_ONCE:
        return links.of(wanted, every), live
    return await anyio.to_thread.run_sync(partial(links.of, wanted, every)), live


async def marked(rooms: Rooms, query: Query, result: SearchResult) -> SearchResult:
    """The answer of a search, its memories with those one step away, as far as its budget has room."""
    keys = [hit.ref for hit in result.hits if hit.ref.startswith("m:")]
    if not keys:
        return result
    rows = await spans.memory_rows(rooms, keys)
    found, _ = await to(rooms, [spans.memory_of(rows[key][-1]) for key in keys if key in rows])
    if not any(found.values()):
        return result
    room = (query.budget_tokens or rooms.settings.search_tokens) * BYTES_PER_TOKEN
    left = room - len(orjson.dumps(result.model_dump(mode="json", exclude_defaults=True)))
    shown, hits = set(keys), []
    for hit in result.hits:
        tied = [link for link in found.get(hit.ref, ()) if link.ref not in shown][:MOST_OF_HIT]
        told = tuple(map(str, tied))
        cost = sum(len(one) + 16 for one in told)
        fits = bool(told) and cost <= left
        left -= cost if fits else 0
        shown.update(link.ref for link in tied if fits)
        hits.append(hit.model_copy(update={"linked": told}) if fits else hit)
    return result.model_copy(update={"hits": tuple(hits)})
