"""Settling: an acknowledged write outlives a power cut, and half of another one is no hindrance."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest
from store_rows import added, evidence, keys, memory, opened

from mcp_memory.domain.errors import StoreFull
from mcp_memory.store import forcing, settling, upkeep
from mcp_memory.store.rows import Where


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """The files, by number, that the system was told to put on the disk."""
    seen: set[int] = set()
    fsync = os.fsync

    def noted(handle: int) -> None:
        seen.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return seen


def files(folder: Path, *tables: str) -> set[int]:
    """The data files and versions of tables, and the folders that name them."""
    found = set()
    for table in tables:
        for name in ("data", "_versions"):
            place = folder / "store" / "lance" / f"{table}.lance" / name
            found |= {
                path.stat().st_ino
                for path in (place, *place.glob("*.*"))
                if path.name != settling.HINT and path.exists()
            }
    return found


async def test_a_memory_is_on_the_disk_when_it_is_acknowledged(
    tmp_path: Path, forced: set[int]
) -> None:
    async with opened(tmp_path) as store:
        before = files(tmp_path, "ledger", "memories")
        await store.once("retain", lambda batch: [memory("m:1", batch)])
        assert files(tmp_path, "ledger", "memories") - before <= forced


async def test_a_change_is_on_the_disk_when_it_is_acknowledged(
    tmp_path: Path, forced: set[int]
) -> None:
    async with opened(tmp_path) as store:
        before = files(tmp_path, "evidence", "ledger")
        await added(store, evidence(1, "zebra"))
        assert files(tmp_path, "evidence", "ledger") - before <= forced


@pytest.mark.parametrize("end", [0, 100])
@pytest.mark.parametrize("what", ["data", "_versions"])
async def test_a_write_that_a_power_cut_left_half_done_is_set_aside(
    tmp_path: Path, what: str, end: int
) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        await store.once("retain", lambda batch: [memory("m:1", batch)])
        folder = tmp_path / "store" / "lance" / "evidence.lance"
        before = set((folder / what).glob("*"))
        await store._tables.append("evidence", [evidence(2, "yak")])
        (fresh,) = [
            path for path in set((folder / what).glob("*")) - before if path.suffix != ".json"
        ]
    fresh.write_bytes(fresh.read_bytes()[:end])
    (tmp_path / "locks" / "writer-x.lock").touch()
    async with opened(tmp_path) as store:
        assert await keys(store, "zebra") == ["t:s1#1"]
        assert [row.key for row in await store.find("memories", Where())] == ["m:1"]
        await added(store, evidence(3, "heron"))
        assert await keys(store, "heron") == ["t:s1#3"]
    assert list((folder / "_versions").glob(f"*{settling.TORN}"))


async def test_a_kill_in_the_middle_of_upkeep_takes_no_version_back(tmp_path: Path) -> None:
    versions = tmp_path / "store" / "lance" / "ledger.lance" / "_versions"
    async with opened(tmp_path) as store:
        for number in range(3):
            await store.once("retain", lambda batch, n=number: [memory(f"m:{n}", batch)])  # type: ignore[misc]
        older = {path: path.read_bytes() for path in versions.glob("*.manifest")}
        await upkeep.optimize(store._tables, "ledger", keep=timedelta(0))
    # Files that were replaced are gone, and the versions that named them are still to go.
    for path, told in older.items():
        path.write_bytes(told)
    (tmp_path / "locks" / "writer-x.lock").touch()
    async with opened(tmp_path) as store:
        assert len(await store.ledger()) == 3
    assert not list(versions.glob(f"*{settling.TORN}"))


async def test_writers_that_wait_together_wait_for_one_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[tuple[str, ...]] = []
    waiting = forcing.Forcing(tmp_path)
    monkeypatch.setattr(forcing, "settle", lambda _, tables, **__: rounds.append(tables))
    async with anyio.create_task_group() as writers:
        for table in ("ledger", "memories", "ledger", "evidence"):
            writers.start_soon(partial(waiting.settle, (table,), since=datetime.now(UTC)))
    assert len(rounds) <= 2
    assert {table for each in rounds for table in each} == {"ledger", "memories", "evidence"}


async def test_all_that_waited_for_a_round_that_failed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    told = []

    async def wait() -> None:
        try:
            await waiting.settle(("memories",), since=datetime.now(UTC))
        except StoreFull:
            told.append(1)

    waiting = forcing.Forcing(tmp_path)
    monkeypatch.setattr(forcing, "settle", full)
    async with anyio.create_task_group() as writers:
        for _ in range(4):
            writers.start_soon(wait)
    assert len(told) == 4
