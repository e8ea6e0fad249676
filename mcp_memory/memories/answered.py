"""Answered: a search as its asker gets it: the hits and what is beside them, or the newest sessions."""

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.memories import beside, recent
from mcp_memory.rooms import Rooms
from mcp_memory.search import searching


async def search(rooms: Rooms, query: Query) -> SearchResult:
    """What bears on the questions, best first; the newest sessions where that is all they ask.

    Raises:
        InvalidInput: `within` or `match` cannot be read.
        UnknownRef: `within` names nothing.
    """
    left = await recent.resumed(rooms, query)
    if left is not None:
        return left
    return await beside.told(rooms, query, await searching.search(rooms, query))
