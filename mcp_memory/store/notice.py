"""Notice: a small object that whoever wrote renews, so that others ask one thing before they look at all."""

import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import anyio.to_thread

from mcp_memory.store.address import Home
from mcp_memory.store.bucket import BucketShelf

WRITTEN, ASKED = "written", "asked"
"""Of the bank and its papers; of how much callers ask."""
LOOK_SECONDS = 10.0
"""So long a look may be left out: who was killed before it, or is of an older version, renewed none."""


class Notice:
    """Looks are left out while nobody has said that something was written."""

    def __init__(self, shelf: BucketShelf, name: str) -> None:
        self._shelf = shelf
        self._name = name
        self._seen: str | None = None
        self._looked = 0.0

    async def after(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look, where something was written since the last look that ended well; one request else.

        Raises:
            StoreAway: the store does not answer.
        """
        began = time.monotonic()
        # Before the look: what is written while it lasts is told by another stamp than this.
        stamp = await anyio.to_thread.run_sync(self._shelf.stamp, self._name)
        if stamp != self._seen or began - self._looked >= LOOK_SECONDS:
            await look()
            self._seen, self._looked = stamp, began

    async def renew(self) -> None:
        """Say that something was written: after it lies there, and before it is acknowledged.

        Raises:
            StoreAway: the store does not take it.
        """
        await anyio.to_thread.run_sync(self._shelf.write, self._name, uuid4().hex.encode())


def notice_of(home: Home, name: str) -> Notice | None:
    """The notice of a home that machines share; None in a folder, and where a service keeps tables."""
    shelf = home.shelf("notices")
    return Notice(shelf, name) if isinstance(shelf, BucketShelf) else None
