"""Looking in several ways at once, and knowing where sessions belong."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_rows import added, evidence, opened, session

from mcp_memory.store import Store, search, upkeep
from mcp_memory.store.rows import Look, Where

NEAR = (1.0, 0.0, 0.0, 0.0)
LOOKS = {
    "words": Look(words="zebra", column="text"),
    "around": Look(words="herd", column="context"),
    "nothing": Look(words="?!", column="text"),
    "near": Look(vector=NEAR),
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        yield store


async def test_looks_together_find_what_each_finds_alone(store: Store) -> None:
    await added(store, *(evidence(n, f"zebra {n}", context="herd") for n in range(1, 9)))
    await added(store, evidence(9, "nothing", context="herd", vector=None))
    together = await store.by_each("evidence", LOOKS, where=Where(), limit=20)
    for name, look in LOOKS.items():
        alone = await store.by_each("evidence", {name: look}, where=Where(), limit=20)
        assert together[name] == alone[name]
    assert [len(together[name]) for name in LOOKS] == [8, 9, 0, 8]


async def test_a_table_that_changes_between_look_and_key_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added(store, *(evidence(n, f"zebra {n}") for n in range(1, 5)))
    ranked = search._ranked
    changed = False

    async def meanwhile(*args: object, **kwargs: object) -> object:
        nonlocal changed
        found = await ranked(*args, **kwargs)  # type: ignore[arg-type]
        if not changed:
            changed = True
            await store.maintain(force=True)
            await added(store, evidence(5, "zebra 5"))
        return found

    monkeypatch.setattr(search, "_ranked", meanwhile)
    found = await store.by_each("evidence", LOOKS, where=Where(), limit=20)
    assert {one.key for one in found["words"]} == {f"t:s1#{n}" for n in range(1, 6)}


async def test_an_index_of_vectors_tells_cosines_as_a_scan_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "VECTORS_FROM", 300)
    turned = [(1 - n / 1000, (1 - (1 - n / 1000) ** 2) ** 0.5, 0.0, 0.0) for n in range(400)]
    rows = [evidence(n, "x", vector=one) for n, one in enumerate(turned)]
    await added(store, *rows)
    scanned = await store.by_vector("evidence", NEAR, where=Where(), limit=300)
    monkeypatch.setattr(upkeep, "METRIC", "cosine")  # an index as earlier versions built it
    await store.maintain(force=True)
    monkeypatch.undo()
    monkeypatch.setattr(upkeep, "VECTORS_FROM", 300)
    done = await store.maintain()
    assert done is not None
    assert done.indexed == ("evidence.vector",)
    indexed = await store.by_vector("evidence", NEAR, where=Where(), limit=300)
    assert scanned[0].score == pytest.approx(1.0, abs=1e-3)
    wanted = {one.key: one.score for one in scanned}
    for one in indexed[:100]:
        assert one.score == pytest.approx(wanted[one.key], abs=0.02)


async def test_where_a_session_belongs_is_known_at_once_whoever_wrote_it(
    tmp_path: Path, store: Store
) -> None:
    assert await store.projects() == {}
    async with opened(tmp_path) as other, other.change("index") as change:
        await change.add(sessions=[session("s1", project="/a", folder="a/one")])
    assert await store.projects() == {"/a": 1}
    assert await store.folders(["s1", "s2"]) == {"s1": "a/one"}
