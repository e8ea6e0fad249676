"""Leases: one process at a time on any number of machines, and none that stood still writes late."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from store_rows import added, evidence, keys

import mcp_memory
from mcp_memory.domain.errors import Busy, CameTooLate
from mcp_memory.store import Store, leases, open_store
from mcp_memory.store.address import Home, parse
from mcp_memory.store.leases import LEASES, Lease, LeaseTable, first_rows
from mcp_memory.store.rows import Where
from mcp_memory.store.tables import connect, open_beside

HERE = str(Path(__file__).parent.parent / "support")
SECONDS = 1.0
LOCK = "index.lock"
LOCAL = {"memory-files.lock", "push.lock", "ready.lock"}
"""What they guard lies in a folder of this machine alone."""


def machine(folder: Path, address: str) -> Home:
    return Home(folder, parse(address), SECONDS)


@pytest.fixture
async def two(tmp_path: Path, address: str) -> AsyncIterator[tuple[Store, Store]]:
    """One bank, opened on two machines."""
    async with AsyncExitStack() as until_closed:
        opened = []
        for name in ("one", "other"):
            home = machine(tmp_path / name, address)
            store = open_store(home, model="test", dim=4, busy_seconds=5, actor=name)
            opened.append(await until_closed.enter_async_context(store))
        yield opened[0], opened[1]


async def test_one_machine_at_a_time_holds_a_lock(two: tuple[Store, Store]) -> None:
    one, other = two
    async with one.elected(LOCK, seconds=0, work="a test"):
        with pytest.raises(Busy):
            async with other.elected(LOCK, seconds=0.3, work="a test"):
                pass
        with pytest.raises(Busy):
            async with one.elected(LOCK, seconds=0, work="a test"):
                pass
    async with other.elected(LOCK, seconds=0, work="a test"):
        pass


async def test_of_many_that_reach_for_a_lease_one_has_it(tmp_path: Path, address: str) -> None:
    home = machine(tmp_path, address)
    tables = []
    for _ in range(4):
        connection = await connect(home)
        tables.append(LeaseTable(await open_beside(connection, home, LEASES, first_rows())))
    free = (await tables[0].all())[LOCK]
    until = datetime.now(UTC) + timedelta(seconds=9)
    taken = await asyncio.gather(
        *(each.change(free, free.passed(f"w{n}", until)) for n, each in enumerate(tables))
    )
    assert sum(taken) == 1
    held = (await tables[1].all())[LOCK]
    assert held == Lease(LOCK, f"w{taken.index(True)}", free.fence + 1, held.until)


async def test_what_one_machine_acknowledged_the_next_call_on_another_sees(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    await added(one, evidence(1, "zebra"))
    await other.fresh()
    assert await keys(other, "zebra") == ["t:s1#1"]
    await one.put_tombstones({"a" * 64})
    await other.put_tombstones({"b" * 64})
    await one.fresh()
    assert (await one.tombstones())[1] == {"a" * 64, "b" * 64}


async def test_machines_that_write_at_a_time_lose_nothing(two: tuple[Store, Store]) -> None:
    async def write(store: Store, who: int) -> None:
        for number in range(5):
            await added(store, evidence(10 * who + number, "zebra"))

    async with anyio.create_task_group() as tasks:
        for who, store in enumerate((*two, *two)):
            tasks.start_soon(write, store, who)
    for store in two:
        await store.fresh()
        rows = await store.find("evidence", Where(states=()))
        assert {row.first for row in rows} == {10 * w + n for w in range(4) for n in range(5)}
        assert len(await store.ledger(op="index")) == 2 * 20


async def test_a_machine_that_stood_still_cannot_commit(two: tuple[Store, Store]) -> None:
    one, other = two
    with pytest.raises(CameTooLate):
        async with one.change("index", refs=["t:s1"]) as change:
            await change.add(evidence=[evidence(1, "zebra")])
            await stood_still(one)
            await taken_over(other)
            await change.add(evidence=[evidence(2, "zebra")])
    for store in two:
        await store.fresh()
        assert await keys(store, "zebra") == [], "nothing of it is kept"
    await added(one, evidence(3, "zebra"))
    await other.fresh()
    assert await keys(other, "zebra") == ["t:s1#3"], "and it goes on"


async def test_a_lock_that_was_lost_does_not_let_the_next_change_through(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    with pytest.raises(CameTooLate):
        async with one.elected(LOCK, seconds=0, work="a test"):
            await stood_still(one)
            await taken_over(other)
            async with one.change("index", refs=["t:s1"]) as change:
                await change.add(evidence=[evidence(1, "zebra")])
    await other.fresh()
    assert await keys(other, "zebra") == []


async def test_who_stood_still_and_was_not_missed_goes_on(two: tuple[Store, Store]) -> None:
    one, other = two
    async with one.change("index", refs=["t:s1"]) as change:
        await change.add(evidence=[evidence(1, "zebra")])
        await stood_still(one)
    await other.fresh()
    assert await keys(other, "zebra") == ["t:s1#1"]


async def stood_still(store: Store) -> None:
    """As if the process was stopped for longer than its sign of life holds."""
    sign = store._writer.alive
    async with sign._turn:
        lease = sign._lease
        past = datetime.now(UTC) - timedelta(seconds=10 * SECONDS)
        late = Lease(lease.name, lease.owner, lease.fence + 1, past)
        assert await store._writer.locks.table.change(lease, late)
        sign._lease, sign._good_until = late, 0.0
        if sign._renewing is not None:
            sign._renewing.cancel()


async def taken_over(store: Store) -> None:
    await store._writer.locks.mend(store._writer.locks.finish)


PAUSED = """
import sys; sys.path.insert(0, {tests!r})
import anyio
from pathlib import Path
from store_rows import evidence
from mcp_memory.domain.errors import CameTooLate
from mcp_memory.store import open_store
from mcp_memory.store.address import Home, parse

async def main():
    home = Home(Path({home!r}), parse({address!r}), {seconds})
    async with open_store(home, model="test", dim=4, busy_seconds=5, actor="paused") as store:
        try:
            async with store.elected("index.lock", seconds=0, work="a test"):
                async with store.change("index", refs=["t:s1"]) as change:
                    await change.add(evidence=[evidence(1, "zebra")])
                    print("written", flush=True)
                    await anyio.to_thread.run_sync(sys.stdin.readline)
                    await change.add(evidence=[evidence(2, "zebra")])
            print("kept", flush=True)
        except CameTooLate:
            print("too late", flush=True)

anyio.run(main)
"""


async def test_a_stopped_owner_wakes_up_to_find_that_others_went_on(
    tmp_path: Path, address: str
) -> None:
    """A real process under SIGSTOP, in the middle of a change under a lock."""
    program = PAUSED.format(
        tests=HERE, home=str(tmp_path / "paused"), address=address, seconds=SECONDS
    )
    home = machine(tmp_path / "other", address)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert await told(child) == b"written\n"
        os.kill(child.pid, signal.SIGSTOP)
        async with open_store(home, model="test", dim=4, busy_seconds=20, actor="other") as store:
            async with store.elected(LOCK, seconds=20, work="a test"):
                assert [each.how for each in store.recovered] == ["reversed"]
                await added(store, evidence(3, "zebra"))
            os.kill(child.pid, signal.SIGCONT)
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert await told(child) == b"too late\n"
            await store.fresh()
            assert await keys(store, "zebra") == ["t:s1#3"]
        assert child.wait(timeout=20) == 0


async def told(child: subprocess.Popen[bytes]) -> bytes:
    with anyio.fail_after(40):
        return await anyio.to_thread.run_sync(child.stdout.readline, abandon_on_cancel=True)


def test_every_lock_that_machines_share_has_its_lease() -> None:
    shared = set()
    for source in Path(mcp_memory.__file__).parent.rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        if re.search(r"\belected\(", text) or source.name == "orders.py":
            shared |= set(re.findall(r'^\w*LOCK = "([a-z-]+\.lock)"', text, re.MULTILINE))
    assert {"superseding.lock", "index.lock", "memories.lock", "purging.lock"} <= shared
    assert shared - LOCAL <= set(leases.NAMES)
