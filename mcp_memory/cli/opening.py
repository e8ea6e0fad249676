"""The bank that commands work on, opened."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.settings import Settings


@asynccontextmanager
async def opened(*, vectors: bool = True) -> AsyncIterator[MemoryBank]:
    """The bank of the current settings and folder."""
    settings = Settings() if vectors else Settings(embedding_model="none")
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    async with open_bank(settings, cwd=str(Path.cwd()), actor="cli") as bank:
        yield bank
