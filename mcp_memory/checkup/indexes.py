"""Indexes: words are indexed as they are searched, and vectors are of the configured model."""

from mcp_memory.checkup import remaking
from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.rooms import Rooms
from mcp_memory.text.counting import counted

_REEMBED = "`mcp-memory doctor --reembed` makes them anew."


async def look(rooms: Rooms) -> list[Finding]:
    """Missing word indexes, vectors of another model, and rows without one."""
    lacking = await rooms.store.survey.lacking_indexes()
    told = f"no word index on {named(lacking)}" if lacking else "words are indexed"
    found = [ill("indexes", told) if lacking else well("indexes", told)]
    vectors = f"vectors are by {rooms.store.model}"
    if rooms.embedder is None:
        return found
    if not rooms.store.vectors_ready:
        return [*found, ill("indexes", f"{vectors}, not by {rooms.embedder.name}", _REEMBED)]
    bare = await _bare(rooms)
    if bare:
        return [*found, ill("indexes", f"{counted(bare, 'record')} without a vector", _REEMBED)]
    return [*found, well("indexes", vectors)]


async def mend(rooms: Rooms) -> list[str]:
    """Build what is missing; vectors are made anew where rows lack them."""
    done = []
    if await rooms.store.survey.lacking_indexes():
        await rooms.store.survey.tidy()
        done.append("word indexes built")
    if rooms.embedder is not None and rooms.store.vectors_ready and await _bare(rooms):
        made = await remaking.reembed(rooms)
        done.append(f"{counted(made, 'vector')} made anew")
    return done


async def _bare(rooms: Rooms) -> int:
    survey = rooms.store.survey
    return await survey.without_vectors("evidence") + await survey.without_vectors("memories")
