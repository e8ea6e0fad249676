"""Times: what a model or a person writes for one, as a moment."""

from datetime import datetime
from functools import partial
from typing import Literal

import anyio.to_thread

from mcp_memory.domain.errors import InvalidInput


async def moment(said: str, edge: Literal["start", "end"]) -> datetime | None:
    """The edge of the time that is meant, a day or a month as a whole; None where nothing is said.

    Raises:
        InvalidInput: it says no time.
    """
    if not said.strip():
        return None
    # Its patterns take 7 ms to compile: not for a host that waits for its handshake.
    from mcp_memory.text import periods

    now = datetime.now().astimezone()
    found = await anyio.to_thread.run_sync(partial(periods.meant, said, now=now))
    if found is None:
        raise InvalidInput(
            f"{said[:80]!r} says no time.",
            next_step="Write 2026-06-12, 2026-06, 2w, yesterday, last monday or an ISO time.",
        )
    return found.start if edge == "start" else found.end
