"""While something is deleted hooks are silent of its projects, and others are not made anew for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.models import Draft, SourceClass
from mcp_memory.hooks import digesting, ready
from mcp_memory.settings import Settings

SHOP, MILL = "/home/ada/shop", "/home/ada/mill"


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=SHOP) as bank:
        yield bank


async def kept(bank: MemoryBank, text: str, project: str) -> str:
    made = await bank.retain(Draft(text=text, project=project), by=SourceClass.USER)
    await bank.settle()
    return made.ref


def _written(file: Path) -> tuple[int, int]:
    """Which file it is, and when it was written: a file system gives a number that is free again."""
    told = file.stat()
    return told.st_ino, told.st_mtime_ns


async def test_only_the_projects_of_what_goes_are_made_anew(
    bank: MemoryBank, settings: Settings
) -> None:
    till = await kept(bank, "The till listens on port 8080.", SHOP)
    await kept(bank, "The wheel turns at port 7070.", MILL)
    other = ready.file_of(settings.home, MILL)
    before = _written(other)
    await bank.delete([till], mode="forget")
    assert _written(other) == before, "it was not written again"
    assert not ready.file_of(settings.home, SHOP).exists()
    await bank.delete([till], mode="restore")
    assert "8080" in ready.file_of(settings.home, SHOP).read_text("utf-8")
    everywhere = await kept(bank, "Answers are short.", "user")
    before = _written(other)
    await bank.delete([everywhere], mode="forget")
    assert _written(other) != before, "what holds everywhere was told of all of them"


async def test_what_a_kill_leaves_silent_is_made_anew(bank: MemoryBank, settings: Settings) -> None:
    await kept(bank, "The till listens on port 8080.", SHOP)
    await kept(bank, "The wheel turns at port 7070.", MILL)
    ready.clear(settings.home, [SHOP])
    assert not ready.file_of(settings.home, SHOP).exists()
    await digesting.repair(bank.rooms)
    assert "8080" in ready.file_of(settings.home, SHOP).read_text("utf-8")
    assert ready.known(settings.home)
