"""Purge: the sentence is found before and nowhere after, and nothing else is lost."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from store_rows import added, evidence, keys, memory, opened

from mcp_memory.domain import refs
from mcp_memory.store import Store
from mcp_memory.store.changes import Effect, told
from mcp_memory.store.home import begin_purge, pending_purge
from mcp_memory.store.purging import Erasure, _files
from mcp_memory.store.rows import Table, Where
from mcp_memory.store.upkeep import optimize

PLANTED = 'the heron "sleeps" under violet bridges'
GONE: dict[Table, Where] = {"evidence": Where(keys=("t:s1#150",), states=())}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        yield store


async def planted(store: Store) -> None:
    for start in range(0, 1_000, 250):
        rows = [
            evidence(n, f"plain step {n}", hash=refs.digest(n)) for n in range(start, start + 250)
        ]
        if start == 0:
            told = {"identifiers": "heron_bridge", "hash": refs.digest(150)}
            rows[150] = evidence(150, f"so {PLANTED} tonight", **told)
        await added(store, *rows)


async def controls(store: Store, *needles: str) -> dict[str, int]:
    checks = (await store.purge(Erasure(GONE, needles))).checks
    assert {check.where: check.left for check in checks if check.left} == {}
    return {check.where: check.control for check in checks}


def indexed_files(store: Store) -> set[Path]:
    return set((store._tables.shelf.root / "evidence.lance").rglob("_indices/**/*.lance"))


async def test_a_purged_sentence_is_gone_and_every_other_row_is_the_same(store: Store) -> None:
    await planted(store)
    await store.maintain(force=True)
    table = store._tables["evidence"]
    before = (await table.to_arrow()).sort_by("key").to_pylist()
    old = indexed_files(store)
    found = await controls(store, PLANTED)
    assert found["table evidence"] > 0
    after = (await table.to_arrow()).sort_by("key").to_pylist()
    assert after == [row for row in before if row["key"] != "t:s1#150"]
    assert old
    assert not old & indexed_files(store)
    assert await keys(store, "heron") == []
    assert await keys(store, "999") == ["t:s1#999"]


async def test_a_sentence_in_an_old_version_only_is_found_and_erased(store: Store) -> None:
    await planted(store)
    await store._tables["evidence"].delete("key = 't:s1#150'")
    assert (await controls(store, PLANTED))["table evidence"] > 0


async def test_a_row_that_was_replaced_long_ago_goes_from_its_file(store: Store) -> None:
    await planted(store)
    await store._tables["evidence"].delete("key = 't:s1#150'")
    await optimize(store._tables, "evidence", keep=timedelta(0))
    old = _files(store._tables.shelf, ("evidence",))
    found = await controls(store, PLANTED)
    assert found["files from before the purge"] == len(old)
    assert not old & _files(store._tables.shelf, ("evidence",))


async def test_the_detector_sees_text_inside_json(store: Store) -> None:
    await added(store, evidence(150, "x", body='{"text": "the heron \\"sleeps\\" under violet"}'))
    assert (await controls(store, 'heron "sleeps" under'))["table evidence"] > 0


async def test_all_versions_of_a_purged_memory_go(store: Store) -> None:
    await store.once("retain", lambda batch: [memory("m:1", batch), memory("m:2", batch)])
    await store.purge(Erasure({"memories": Where(keys=("m:1",), states=())}))
    assert [row.key for row in await store.find("memories", Where(states=()))] == ["m:2"]


async def test_a_purge_of_nothing_named_is_no_purge_of_everything(store: Store) -> None:
    await planted(store)
    with pytest.raises(AssertionError):
        await store.purge(Erasure({"evidence": Where(states=())}))
    assert await store.count("evidence", Where()) == 1_000


APPENDS = """
import anyio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import added, evidence, opened

async def main():
    async with opened(Path({folder!r})) as store:
        print("ready", flush=True)
        for number in range(25):
            await added(store, evidence(number, "from a child", trajectory="child"))
    print("done")

anyio.run(main)
"""


async def test_appends_during_a_purge_survive(tmp_path: Path, store: Store) -> None:
    await planted(store)
    program = APPENDS.format(
        tests=str(Path(__file__).parent.parent / "support"), folder=str(tmp_path)
    )
    command = [sys.executable, "-c", program]
    async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        assert (await child.stdout.receive()).startswith(b"ready")  # a pipe may cut anywhere
        async with anyio.create_task_group() as together:
            together.start_soon(controls, store, PLANTED)
            for number in range(20):
                await added(store, evidence(number, "from here", trajectory="here"))
        assert await child.wait() == 0
    assert len(await store.find("evidence", Where(trajectories=("child",)))) == 25
    assert len(await store.find("evidence", Where(trajectories=("here",)))) == 20
    assert await store.count("evidence", Where(trajectories=("s1",))) == 999


async def test_readers_of_an_older_version_look_anew(tmp_path: Path, store: Store) -> None:
    await planted(store)
    async with opened(tmp_path) as other:
        assert await keys(other, "heron") == ["t:s1#150"]
        await controls(store, PLANTED)
        assert await keys(other, "heron") == []
        assert await keys(other, "42") == ["t:s1#42"]


async def test_a_killed_purge_is_finished_at_the_next_opening(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await planted(store)
        old = _files(store._tables.shelf)
        effects = [Effect("drop", "evidence", GONE["evidence"])]
        begin_purge(tmp_path / "store", told(effects))
    async with opened(tmp_path) as store:
        assert await keys(store, "heron") == []
        assert not old & _files(store._tables.shelf)
    assert pending_purge(tmp_path / "store") is None


async def test_what_must_not_come_back_is_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        key, _ = await store.tombstones()
        await store.put_tombstones(["a" * 64])
        await store.put_tombstones(["b" * 64])
    async with opened(tmp_path) as store:
        assert await store.tombstones() == (key, {"a" * 64, "b" * 64})


async def test_what_a_kill_left_of_an_append_goes_with_upkeep(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        folder = tmp_path / "store" / "lance" / "evidence.lance" / "data"
        old, young = folder / ("0" * 50 + ".lance"), folder / ("1" * 50 + ".lance")
        for path in (old, young):
            path.write_bytes(b"what was purged since")
        os.utime(old, (1_000_000_000, 1_000_000_000))
        await store.maintain(force=True)
        assert (old.exists(), young.exists()) == (False, True)
        assert await store.count("evidence", Where()) == 1
