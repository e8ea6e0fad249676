"""Notices: a look is one request while nobody wrote, and nothing that was acknowledged is missed."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from store_rows import added, evidence, keys

from mcp_memory.store import Store, notice, open_store
from mcp_memory.store.address import Home, parse
from mcp_memory.store.notice import WRITTEN, notice_of
from mcp_memory.store.sharing import sharing
from mcp_memory.store.tables import Tables


@pytest.fixture
async def two(tmp_path: Path, address: str) -> AsyncIterator[tuple[Store, Store]]:
    """One bank, opened on two machines."""
    async with AsyncExitStack() as until_closed:
        opened = []
        for name in ("one", "other"):
            home = Home(tmp_path / name, parse(address))
            store = open_store(home, model="test", dim=4, busy_seconds=5, actor=name)
            opened.append(await until_closed.enter_async_context(store))
        yield opened[0], opened[1]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Tables]:
    """Whoever looked at all tables."""
    looked: list[Tables] = []
    look = Tables._look

    async def noted(self: Tables) -> None:
        looked.append(self)
        await look(self)

    monkeypatch.setattr(Tables, "_look", noted)
    return looked


async def test_all_is_looked_at_only_after_somebody_wrote(
    two: tuple[Store, Store], looks: list[Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    await other.fresh()
    looks.clear()
    await other.fresh()
    assert looks == []
    await added(one, evidence(1, "heron"))
    await other.fresh()
    assert len(looks) == 1
    assert await keys(other, "heron") == ["t:s1#1"]
    await other.fresh()
    assert len(looks) == 1
    # Whoever was killed before the notice was never acknowledged, and is seen a little later.
    await one._tables.append("evidence", [evidence(2, "otter")])
    await other.fresh()
    assert len(looks) == 1
    monkeypatch.setattr(notice, "LOOK_SECONDS", 0)
    await other.fresh()
    assert await keys(other, "otter") == ["t:s1#2"]


async def test_a_paper_that_a_command_told_is_noticed(
    two: tuple[Store, Store], tmp_path: Path, address: str
) -> None:
    one, _ = two
    await one.fresh()
    home = Home(tmp_path / "third", parse(address))
    async with sharing(home) as shared:
        assert shared is not None
        folder = home.folder / "access"
        folder.mkdir(parents=True)
        (folder / "0a1b.json").write_bytes(b"{}")
    await one.fresh()
    assert (tmp_path / "one" / "access" / "0a1b.json").read_bytes() == b"{}"


def test_a_folder_has_no_notices(tmp_path: Path) -> None:
    assert notice_of(Home(tmp_path), WRITTEN) is None


class Slow:
    """A notice whose making takes a while, told when each began."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0

    async def renew(self) -> None:
        self.begun += 1
        mine = self.begun
        for _ in range(random.Random(mine).randrange(4)):
            await anyio.sleep(0)
        self.ended = mine


async def test_nothing_is_acknowledged_before_a_notice_that_began_after_it(tmp_path: Path) -> None:
    slow: Any = Slow()
    home = Home(tmp_path)
    tables = Tables(None, {}, 0, home, home.shelf("store/lance"), notice=slow)

    async def work() -> int:
        await anyio.sleep(0)
        return int(slow.begun)

    async def writes(number: int) -> None:
        for _ in range(number):
            await anyio.sleep(0)
        written = await tables.write(work)
        await tables.told()
        assert slow.ended > written

    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(writes, number % 7)
    assert slow.begun < 30, "one notice tells of all that was written before it"
    begun = slow.begun
    await tables.told()
    assert slow.begun == begun
