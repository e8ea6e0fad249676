"""A process that applies a batch and is killed at one of its writes: `killed_apply.py HOME PLACE WHEN`."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import orjson

from mcp_memory.bank import open_bank
from mcp_memory.domain.models import Draft
from mcp_memory.settings import Settings
from mcp_memory.store.tables import Tables

BATCH = "batch.json"


async def main() -> None:
    """Apply what lies in the home, and die at the write that is asked for."""
    home, place, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    told = orjson.loads((home / BATCH).read_bytes())
    drafts = [Draft.model_validate(each) for each in told["memories"]]
    settings = Settings(home=home, embedding_model="none", index_auto=False)
    async with open_bank(settings, cwd=told["cwd"]) as bank:
        _deadly(place, when)
        await bank.apply(drafts)
    os.kill(os.getpid(), signal.SIGKILL)


def _deadly(place: int, when: str) -> None:
    """From now on the given write is the last, done or not."""
    write, made = Tables.write, [0]

    async def writes(tables: Tables, work: Callable[[], Awaitable[Any]]) -> Any:
        made[0] += 1
        if made[0] == place and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = await write(tables, work)
        if made[0] == place:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    Tables.write = writes  # type: ignore[method-assign]


if __name__ == "__main__":
    anyio.run(main)
