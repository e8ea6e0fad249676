"""Disk: what the bank takes, how much of that is alive, and whether there is room to go on."""

import shutil

import anyio.to_thread

from mcp_memory.checkup.findings import Finding, ill, well
from mcp_memory.rooms import Rooms

MOST_TIMES = 2.0
LEAST_ROOM = 200 << 20
"""Bytes: upkeep writes a table anew before the old one goes."""
_SMALL = 8 << 20
"""Below this nothing is gained by looking."""


async def look(rooms: Rooms) -> list[Finding]:
    """The tables beside their live rows, and the room that is left."""
    weights = (await rooms.store.survey.weights()).values()
    on_disk, live = sum(w.on_disk for w in weights), sum(w.live for w in weights)
    told = f"the store takes {_mb(on_disk)}, of which {_mb(live)} are alive"
    heavy = on_disk > _SMALL and on_disk > MOST_TIMES * live
    free = (await anyio.to_thread.run_sync(shutil.disk_usage, rooms.settings.home)).free
    away = bool(rooms.settings.address)
    needed = LEAST_ROOM if away else max(LEAST_ROOM, live)
    room = f"{_mb(free)} are free on {'this machine, for its own part' if away else 'its disk'}"
    return [
        ill("disk", told) if heavy else well("disk", told),
        well("disk", room)
        if free > needed
        else ill("disk", room, f"Free some: upkeep and purges need up to {_mb(needed)}."),
    ]


async def mend(rooms: Rooms) -> list[str]:
    """Compact the tables and drop versions that no reader needs any more."""
    if all(found.good for found in (await look(rooms))[:1]):
        return []
    await rooms.store.survey.erase_again()
    return ["old versions of the tables dropped"]


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
