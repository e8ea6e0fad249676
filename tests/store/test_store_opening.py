"""Opening: what a kill, a full disk, another model or another process left is met with the truth."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import anyio
import anyio.lowlevel
import filelock
import pytest
from store_rows import added, evidence, keys, memory, opened

from mcp_memory.domain.errors import HomeRefused, StoreGone, StoreUnreadable
from mcp_memory.store import changes, open_store
from mcp_memory.store.address import Home
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.store.schema import SCHEMA
from mcp_memory.store.vectors import Revised

HERE = str(Path(__file__).parent.parent / "support")


def child(program: str, **values: object) -> list[str]:
    return [sys.executable, "-c", program.format(tests=HERE, **values)]


WRITES = """
import anyio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import memory, opened

async def main():
    async with opened(Path({folder!r})) as store:
        for number in range(10):
            key = f"m:{number}-{worker}"
            await store.once("retain", lambda batch: [memory(key, batch)])

anyio.run(main)
"""


async def test_many_processes_lose_nothing(tmp_path: Path) -> None:
    commands = [child(WRITES, folder=str(tmp_path), number="{number}", worker=n) for n in range(2)]
    async with anyio.create_task_group() as together:
        for command in commands:
            together.start_soon(anyio.run_process, command)
        async with opened(tmp_path) as store:
            for number in range(10):
                key = f"m:{number}-here"
                await store.once("retain", lambda batch, k=key: [memory(k, batch)])
    async with opened(tmp_path) as store:
        assert await store.count("memories", Where()) == 30
        assert len(await store.ledger(op="retain")) == 30
        assert store.recovered == []


KILLED = """
import anyio, os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import evidence, memory, opened
from mcp_memory.store.tables import Tables

append, appends = Tables.append, 0

async def until_killed(self, table, rows):
    global appends
    if appends == {step}:
        os._exit(9)
    appends += 1
    return await append(self, table, rows)

async def main():
    async with opened(Path({folder!r})) as store:
        Tables.append = until_killed
        await store.once("retain", lambda batch: [memory("m:1", batch)])
        async with store.change("index", refs=["t:s1"]) as change:
            await change.add(evidence=[evidence(1, "zebra")])

anyio.run(main)
"""


@pytest.mark.parametrize("step", [1, 3])
async def test_a_kill_between_two_appends_leaves_the_truth(tmp_path: Path, step: int) -> None:
    command = child(KILLED, folder=str(tmp_path), step=step)
    assert (await anyio.run_process(command, check=False)).returncode == 9
    async with opened(tmp_path) as store:
        kept = await store.find("memories", Where())
        assert len(kept) == (step > 1)
        assert await keys(store, "zebra") == []
        rows = await store.ledger()
        reversed_ = {row.batch for row in rows if row.phase == "reversed"}
        unfinished = {row.batch for row in rows} - {row.batch for row in kept}
        assert unfinished == reversed_
    assert not list((tmp_path / "locks").glob("writer-*"))


FULL = """
import anyio, random, resource, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import added, evidence, opened
from mcp_memory.domain.errors import StoreFull

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with opened(Path({folder!r})) as store:
        await added(store, evidence(1, "kept zebra"))
        letters = random.Random(1)
        noise = "".join(chr(letters.randrange(33, 2000)) for _ in range(400_000))
        limit(60_000)
        try:
            await added(store, evidence(2, "large zebra " + noise))
        except StoreFull:
            print("full")
        limit(resource.RLIM_INFINITY)
        try:
            async with store.change("index", refs=["t:s1"]) as change:
                await change.add(evidence=[evidence(3, "lost zebra")])
                limit(1)
        except StoreFull:
            print("full")

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")
async def test_a_full_disk_loses_nothing_acknowledged_and_keeps_nothing_else(
    tmp_path: Path,
) -> None:
    done = await anyio.run_process(child(FULL, folder=str(tmp_path)), check=False)
    assert done.stdout.split() == [b"full", b"full"], done.stderr
    async with opened(tmp_path) as store:
        assert [row.how for row in store.recovered] == ["replayed", "reversed"]
        assert await keys(store, "zebra") == ["t:s1#1"]


async def test_a_cancelled_change_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with anyio.CancelScope() as scope:
            async with store.change("index") as change:
                await change.add(evidence=[evidence(1, "zebra")])
                scope.cancel()
                await change.add(evidence=[evidence(2, "zebra")])
                await anyio.lowlevel.checkpoint()
        assert await keys(store, "zebra") == []
        assert [row.phase for row in await store.ledger()] == ["intent", "reversed"]


async def test_effects_read_back_as_they_were_written() -> None:
    where = Where(keys=("t:1",), since=datetime(2026, 1, 2, tzinfo=UTC), first=3)
    effects = [changes.Effect("state", "evidence", where, "forgotten")]
    assert changes.untold(changes.told(effects)) == effects


async def test_a_living_writer_is_not_recovered(tmp_path: Path) -> None:
    async with opened(tmp_path) as store, store.change("index") as change:
        await change.add(evidence=[evidence(1, "zebra")])
        async with opened(tmp_path) as other:
            assert other.recovered == []
    async with opened(tmp_path) as store:
        assert await keys(store, "zebra") == ["t:s1#1"]


async def test_maintenance_is_one_process_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with filelock.FileLock(tmp_path / "locks" / "maintenance.lock"):
            assert await store.maintain() is None
        assert await store.maintain() is not None


async def test_a_bare_name_is_a_folder_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_store(Home(Path("db")), model="test", dim=4, busy_seconds=5, actor="test"):
        assert (tmp_path / "db" / "store" / "lance").is_dir()


async def test_a_damaged_store_is_named_and_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
    manifests = list((tmp_path / "store" / "lance" / "evidence.lance").glob("_versions/*.manifest"))
    for path in manifests:
        path.write_bytes(b"nonsense")
    with pytest.raises(StoreUnreadable):
        async with opened(tmp_path):
            pass
    assert all(path.read_bytes() == b"nonsense" for path in manifests)


async def _parts(rows: Sequence[EvidenceRow]) -> AsyncIterator[Revised]:
    for row in rows:
        yield "evidence", [row]


async def test_vectors_of_another_model_wait_to_be_replaced(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"), evidence(2, "yak"))
    async with open_store(
        Home(tmp_path),
        model="other",
        dim=8,
        busy_seconds=5,
        actor="test",
    ) as store:
        assert not store.vectors_ready
        assert await keys(store, "zebra") == ["t:s1#1"]
        rows = await store.find("evidence", Where(states=()))
        fresh = [changes.replace(row, vector=(float(row.first), 1.0) + (0.0,) * 6) for row in rows]
        assert await store.replace_vectors(_parts(fresh), model="other", dim=8) == 2
        assert (store.vectors_ready, store.model) == (True, "other")
        found = await store.by_vector("evidence", (2.0, 1.0, *[0.0] * 6), where=Where(), limit=1)
        assert [one.key for one in found] == ["t:s1#2"]
        assert await store.find("evidence", Where(states=())) == rows


async def test_a_first_model_is_taken_while_there_are_no_vectors(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra", vector=None))
    async with open_store(
        Home(tmp_path),
        model="other",
        dim=8,
        busy_seconds=5,
        actor="test",
    ) as store:
        assert store.vectors_ready
        await added(store, evidence(2, "yak", vector=(1.0,) * 8))
        assert await keys(store, "zebra") == ["t:s1#1"]


UNBORN = """
import anyio, resource, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import opened

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    import lancedb
    resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
    async with opened(Path({folder!r})):
        pass

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")
@pytest.mark.parametrize("size", [1, 900, 2_000])
async def test_a_home_first_made_on_a_full_disk_is_made_once_there_is_room(
    tmp_path: Path, size: int
) -> None:
    done = await anyio.run_process(child(UNBORN, folder=str(tmp_path), size=size), check=False)
    assert b"StoreFull" in done.stderr
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        assert await keys(store, "zebra") == ["t:s1#1"]


async def test_a_store_that_somebody_removes_is_named_as_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        shutil.rmtree(tmp_path / "store")
        with pytest.raises(StoreGone, match="removed"):
            await store.find("evidence", Where())
        with pytest.raises(StoreGone, match="removed"):
            await added(store, evidence(2, "yak"))
    async with opened(tmp_path) as store:
        assert await store.find("evidence", Where()) == []


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14))])
async def test_the_first_and_the_last_day_there_are_may_be_asked_for(
    tmp_path: Path, zone: timezone
) -> None:
    first, last = datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        assert await keys(store, "zebra", since=first, until=last) == ["t:s1#1"]


CLOSED = """
import anyio, os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import opened

async def main():
    async with opened(Path({folder!r} + "-else")):
        pass
    if os.getuid() == 0:
        os.setuid(65534)  # to root nothing is closed
    async with opened(Path({folder!r})):
        pass

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs modes")
async def test_a_home_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    for place in (*tmp_path.parents[:2], tmp_path, tmp_path / "store", tmp_path / "locks"):
        place.chmod(0o555)
    done = await anyio.run_process(child(CLOSED, folder=str(tmp_path)), check=False)
    tmp_path.chmod(0o755)
    assert b"HomeRefused" in done.stderr.splitlines()[-1]
    assert b"MCP_MEMORY_HOME" in done.stderr.splitlines()[-1]


async def test_a_home_whose_locks_cannot_be_made_is_read_and_written_once_they_can(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
    shutil.rmtree(tmp_path / "locks")
    (tmp_path / "locks").write_text("in the way")
    async with opened(tmp_path) as store:
        assert await keys(store, "zebra") == ["t:s1#1"]
        with pytest.raises(HomeRefused, match="locks"):
            await added(store, evidence(2, "yak"))
        (tmp_path / "locks").unlink()
        await added(store, evidence(2, "yak"))
        assert await keys(store, "yak") == ["t:s1#2"]
        assert list((tmp_path / "locks").glob("writer-*"))
    assert not list((tmp_path / "locks").glob("writer-*"))


async def test_a_store_that_another_process_holds_locked_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
    with filelock.FileLock(tmp_path / "locks" / "opening.lock"):
        async with open_store(
            Home(tmp_path), model="test", dim=4, busy_seconds=0.1, actor="test"
        ) as store:
            assert await keys(store, "zebra") == ["t:s1#1"]


OWING = """
import anyio, resource, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import added, evidence, keys, opened
from mcp_memory.domain.errors import StoreFull

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    import lancedb
    limit(1)
    async with opened(Path({folder!r})) as store:
        print(await keys(store, "kept"), len(store.recovered))
        try:
            await added(store, evidence(3, "late zebra"))
        except StoreFull:
            print("full")
        limit(resource.RLIM_INFINITY)
        await added(store, evidence(3, "late zebra"))
        print(await keys(store, "zebra"), len(store.recovered))

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")
async def test_what_a_killed_writer_left_is_finished_before_the_first_write_that_there_is_room_for(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "kept"))
    command = child(KILLED, folder=str(tmp_path), step=3)
    assert (await anyio.run_process(command, check=False)).returncode == 9
    done = await anyio.run_process(child(OWING, folder=str(tmp_path)), check=False)
    told = done.stdout.decode().splitlines()
    assert told == ["['t:s1#1'] 0", "full", "['t:s1#3'] 1"], done.stderr


AGED = """
import anyio, resource, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import opened

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    import lancedb
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    async with opened(Path({folder!r})):
        pass

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")
async def test_an_older_store_that_there_is_no_room_to_copy_stays_as_it_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
    papers = tmp_path / "store" / "meta.json"
    papers.write_bytes(papers.read_bytes().replace(f'"schema":{SCHEMA}'.encode(), b'"schema":0'))
    done = await anyio.run_process(child(AGED, folder=str(tmp_path)), check=False)
    assert b"StoreFull" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.glob("store.schema-*"))
    async with opened(tmp_path) as store:
        assert await keys(store, "zebra") == ["t:s1#1"]
