"""What was read of small tables is told again while nobody writes, and never after somebody did."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from store_rows import memory, opened

from mcp_memory.store import Store, kept
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import MemoryRow, Where
from mcp_memory.store.tables import Tables

DEEDS = ("retain", "retain", "retain", "forgotten", "live", "maintain")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        yield store


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that are really read."""
    seen: list[str] = []
    whole = Tables.read

    async def noted(self: Tables, table: str, *rest: object) -> object:
        seen.append(table)
        return await whole(self, table, *rest)

    monkeypatch.setattr(Tables, "read", noted)
    return seen


async def put(store: Store, key: str) -> None:
    await store.once("retain", lambda batch: [memory(key, batch)])


async def test_what_was_read_is_told_again_while_nobody_writes(
    store: Store, reads: list[str]
) -> None:
    await put(store, "m:1")
    await put(store, "m:2")
    for _ in range(3):
        assert [row.key for row in await store.by_keys("memories", ["m:2", "m:1"])] == [
            "m:2",
            "m:1",
        ]
        assert len(await store.find("memories", Where(projects=("/repo",)))) == 2
        assert len(await store.ledger(op="retain")) == 2
    assert reads == ["memories", "memories", "ledger"]


async def test_of_keys_only_those_not_yet_known_are_read(store: Store, reads: list[str]) -> None:
    await put(store, "m:1")
    assert await store.by_keys("memories", ["m:none"]) == []
    assert await store.by_keys("memories", ["m:none"]) == []
    assert len(await store.by_keys("memories", ["m:none", "m:1", "m:1"])) == 1
    assert reads == ["memories", "memories"]


async def test_what_another_process_writes_is_told_at_once(store: Store, tmp_path: Path) -> None:
    assert await store.by_keys("memories", ["m:1"]) == []
    assert await store.ledger(op="retain") == []
    async with opened(tmp_path) as other:
        assert await store.count("memories", Where()) == 0
        await put(other, "m:1")
        assert await store.count("memories", Where()) == 1
        assert [row.key for row in await store.by_keys("memories", ["m:1"])] == ["m:1"]
        assert len(await store.ledger(op="retain")) == 1
        async with other.change("forget") as change:
            change.set_state("memories", Where(keys=("m:1",), states=()), "forgotten")
        assert [row.state for row in await store.by_keys("memories", ["m:1"])] == ["forgotten"]
        assert await store.find("memories", Where()) == []
        assert await store.count("memories", Where()) == 0


async def test_what_was_purged_is_told_no_more(store: Store) -> None:
    await put(store, "m:1")
    assert await store.by_keys("memories", ["m:1"])
    await store.purge(Erasure({"memories": Where(keys=("m:1",), states=())}))
    assert await store.by_keys("memories", ["m:1"]) == []


async def test_what_this_process_writes_is_known_without_a_look(
    store: Store, reads: list[str]
) -> None:
    assert await store.lacks("m:1")
    await put(store, "m:1")
    assert not await store.lacks("m:1")
    assert await store.lacks("m:2")
    told = await store.by_keys("memories", ["m:1"])
    await put(store, "m:2")
    assert [row.key for row in await store.by_keys("memories", ["m:1", "m:2"])] == ["m:1", "m:2"]
    assert reads == ["memories"]
    assert told == await store.find("memories", Where(keys=("m:1",)))


async def test_what_a_store_lacks_is_looked_up_anew_once_another_process_wrote(
    store: Store, tmp_path: Path
) -> None:
    assert await store.lacks("m:1")
    async with opened(tmp_path) as other:
        await put(other, "m:1")
    await put(store, "m:2")
    assert not await store.lacks("m:1")
    assert {row.key for row in await store.by_keys("memories", ["m:1", "m:2"])} == {"m:1", "m:2"}


async def test_of_a_large_table_it_is_not_said_what_it_lacks(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_KEYS", 1)
    await put(store, "m:1")
    await put(store, "m:2")
    assert not await store.lacks("m:3")


async def test_more_rows_than_may_be_kept_are_read_each_time(
    store: Store, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_ROWS", 1)
    await put(store, "m:1")
    await put(store, "m:2")
    for _ in range(2):
        assert len(await store.by_keys("memories", ["m:1", "m:2"])) == 2
        assert len(await store.find("memories", Where())) == 2
    assert len(reads) == 4


async def test_of_what_others_append_only_that_is_read(
    store: Store, reads: list[str], tmp_path: Path
) -> None:
    async def asked() -> tuple[object, ...]:
        live = await store.find("memories", Where(projects=("/repo",)))
        told = await store.by_keys("memories", ["m:1", "m:9"])
        counted = await store.count("memories", Where(projects=("/repo",)))
        ledger = await store.ledger(op="retain")
        return [row.key for row in live], [row.key for row in told], counted, len(ledger)

    async with opened(tmp_path) as other:
        await put(other, "m:1")
        await asked()
        await put(other, "m:2")
        await asked()  # from here on it is known where the rows stand
        reads.clear()
        await put(other, "m:9")
        assert await asked() == (["m:1", "m:2", "m:9"], ["m:1", "m:9"], 3, 3)
        assert reads == []
        await put(store, "m:3")
        await put(other, "m:4")
        assert (await asked())[2:] == (5, 5)
        assert sorted((await asked())[0]) == ["m:1", "m:2", "m:3", "m:4", "m:9"]


@example(
    [("a", deed) for deed in ["retain", "retain", "retain", "forgotten", "retain", "forgotten"]]
)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(DEEDS)), max_size=6))
@settings(max_examples=5, deadline=None)
async def test_what_is_kept_is_what_a_new_reader_finds_whoever_did_what(
    deeds: list[tuple[str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        async with opened(Path(folder)) as one, opened(Path(folder)) as two:
            for number, (who, deed) in enumerate(deeds):
                by = one if who == "a" else two
                keys = tuple(f"m:{n}" for n in range(number + 1))
                if deed == "retain":
                    await put(by, f"m:{number}")
                elif deed == "maintain":
                    await by.maintain(force=True)
                elif number:
                    async with by.change("forget") as change:
                        change.set_state("memories", Where(keys=keys[-2:-1], states=()), deed)
                if number % 2:
                    await same((one, two), keys)
            async with opened(Path(folder)) as fresh:
                await same((one, two, fresh), tuple(f"m:{n}" for n in range(len(deeds) + 1)))


async def same(stores: Sequence[Store], keys: Sequence[str]) -> None:
    told = [
        (
            sorted(await each.find("memories", Where(projects=("/repo",))), key=_named),
            sorted(await each.by_keys("memories", keys), key=_named),
            await each.count("memories", Where()),
            sorted(row.batch for row in await each.ledger(op="retain")),
        )
        for each in stores
    ]
    assert all(one == told[0] for one in told)


def _named(row: MemoryRow) -> str:
    return row.key
