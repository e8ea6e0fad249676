"""Beside: what is said beside the hits of a search: what their files became, and what is tied to them."""

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.memories import freshness, linked
from mcp_memory.rooms import Rooms
from mcp_memory.search import uses


async def told(rooms: Rooms, query: Query, result: SearchResult) -> SearchResult:
    """The answer with as much of that as its budget has room for; its memories count as shown."""
    # What files and ties are now says nothing of then.
    for marked in (freshness.marked, linked.marked) if query.as_of is None else ():
        result = await marked(rooms, query, result)
    await uses.note(rooms, "shown", [hit.ref for hit in result.hits])
    return result
