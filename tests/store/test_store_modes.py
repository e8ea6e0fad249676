"""Modes: whatever writes into the home, the library of the store included, it is its owner's alone."""

import os
from pathlib import Path

import pytest
from store_rows import added, evidence, opened
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain import privacy
from mcp_memory.domain.models import Draft
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


@pytest.fixture(autouse=True)
def _usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


async def test_nothing_in_a_used_home_is_open_to_others(settings: Settings, tmp_path: Path) -> None:
    paths = written(tmp_path)
    spool.leave(settings.spool_dir, str(paths[0]))
    async with open_bank(settings) as bank:
        await bank.index(paths)
        await bank.retain(Draft(text="The pump needs grease"))
        await bank.rooms.store.maintain(force=True)
    assert privacy.open_to_others(settings.home) == []


async def test_a_home_of_an_older_version_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    async with opened(tmp_path / "home") as store:
        await added(store, evidence(1, "zebra"))
    for place in (tmp_path / "home").rglob("*"):
        place.chmod(0o755 if place.is_dir() else 0o644)
    async with opened(tmp_path / "home"):
        pass
    assert privacy.open_to_others(tmp_path / "home") == []


async def test_the_process_has_its_own_umask_again_once_all_is_closed(tmp_path: Path) -> None:
    async with opened(tmp_path / "one"), opened(tmp_path / "two"):
        assert os.umask(0o077) == 0o077
    assert os.umask(0o022) == 0o022
