"""Modes: what lies in the home is its owner's alone."""

import anyio.to_thread

from mcp_memory.checkup.findings import Finding, ill, well
from mcp_memory.domain import privacy
from mcp_memory.rooms import Rooms
from mcp_memory.text.counting import counted


async def look(rooms: Rooms) -> list[Finding]:
    """Files and folders that others than the owner may use."""
    home = rooms.settings.home
    found = await anyio.to_thread.run_sync(privacy.open_to_others, home)
    if not found:
        return [well("modes", f"the home is its owner's alone: {home}")]
    return [ill("modes", f"{counted(len(found), 'place')} of {home} may be used by others")]


async def mend(rooms: Rooms) -> list[str]:
    """Take the rights of others away."""
    found = await anyio.to_thread.run_sync(privacy.open_to_others, rooms.settings.home)
    done = await anyio.to_thread.run_sync(privacy.close, found)
    return [f"{counted(done, 'place')} closed to others"] if done else []
