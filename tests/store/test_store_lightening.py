"""What the library holds of indexes that are gone is let go of while the store stays open."""

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_rows import memory, opened

from mcp_memory.store import lightening
from mcp_memory.store.lightening import dead
from mcp_memory.store.rows import Where

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.mark.parametrize(("held", "renewed"), [(5, True), (2, False)])
async def test_tables_are_opened_anew_once_many_files_are_open_that_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int, *, renewed: bool
) -> None:
    monkeypatch.setattr(lightening, "MOST_DEAD", 4)
    monkeypatch.setattr(lightening, "LOOKS_SECONDS", 0.0)
    async with opened(tmp_path) as store:
        before = store._tables.connection
        names = [tmp_path / "store" / "lance" / f"old-{number}" for number in range(held)]
        with ExitStack() as handles:
            for name in names:
                handles.enter_context(name.open("wb"))
                name.unlink()
            assert dead(store._tables.shelf) == held
            await store.fresh()
        assert (store._tables.connection is not before) is renewed


async def test_a_store_that_was_opened_anew_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.once("retain", lambda batch: [memory("m:1", batch)])
        await store._tables.renew()
        await store.once("retain", lambda batch: [memory("m:2", batch)])
        assert {row.key for row in await store.find("memories", Where())} == {"m:1", "m:2"}
    async with opened(tmp_path) as store:
        assert len(await store.find("memories", Where())) == 2


async def test_the_cache_of_indexes_has_room_for_all_that_a_folder_has(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.once("retain", lambda batch: [memory("m:1", batch)])
        await store.maintain(force=True)
        shelf = store._tables.shelf
    files = [file for file in tmp_path.rglob("*") if "_indices" in file.parts and file.is_file()]
    assert lightening.indexes_size(shelf) == sum(file.stat().st_size for file in files) > 0
