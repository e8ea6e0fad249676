"""The vectors of few memories are compared in memory, and tell what a query of the store tells."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_rows import memory, opened

from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.store import Store, kept
from mcp_memory.store.rows import Found, MemoryRow, Where
from mcp_memory.store.tables import Tables

NEAR = (1.0, 0.0, 0.0, 0.0)
LIVE = Where(states=("live", "superseded"))
axes = st.floats(-1, 1, width=16).map(float)
vectors = st.tuples(axes, axes, axes, axes).filter(lambda v: sum(x * x for x in v) > 0.01)


def unit(vector: tuple[float, ...]) -> tuple[float, ...]:
    length = sum(x * x for x in vector) ** 0.5
    return tuple(x / length for x in vector)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        yield store


async def retained(
    store: Store, key: str, vector: tuple[float, ...] | None, **changes: object
) -> None:
    def row(batch: str) -> list[MemoryRow]:
        told = {"vector": vector and unit(vector), **changes}
        return [replace(memory(key, batch), **told)]  # type: ignore[arg-type]

    await store.once("retain", row)


async def near(store: Store, where: Where = LIVE, vector: tuple[float, ...] = NEAR) -> list[Found]:
    return await store.by_vector("memories", unit(vector), where=where, limit=20)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    told=st.lists(
        st.tuples(
            st.one_of(st.none(), vectors),
            st.sampled_from(("live", "superseded", "purged")),
            st.sampled_from(("/a", "/b")),
        ),
        max_size=8,
    ),
    asked=vectors,
    project=st.sampled_from(((), ("/a",), ("/a", "/b"))),
)
async def test_the_same_is_near_as_a_query_finds(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[tuple[float, ...] | None, str, str]],
    asked: tuple[float, ...],
    project: tuple[str, ...],
) -> None:
    where = replace(LIVE, projects=project)
    async with opened(tmp_path_factory.mktemp("near")) as store:
        for n, (vector, state, at) in enumerate(told):
            await retained(store, f"m:{n}", vector, state=state, project=at)
            if n == len(told) // 2:
                await near(store)  # the rest is followed
        held = await near(store, where, asked)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kept, "NEARBY_ROWS", -1)
            store._reads._nearby = kept.Nearby()
            queried = await near(store, where, asked)
    assert {one.key for one in held} == {one.key for one in queried}
    scores = {one.key: one.score for one in queried}
    for one in held:
        assert one.score == pytest.approx(
            scores[one.key], abs=1e-3
        )  # half floats, compared as such there
    assert [one.score for one in held] == sorted((one.score for one in held), reverse=True)


async def test_what_this_process_keeps_is_followed_without_reading(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await retained(store, "m:1", NEAR)
    assert [one.key for one in await near(store)] == ["m:1"]
    asked: list[str] = []
    query = Tables.query
    monkeypatch.setattr(Tables, "query", lambda *a: (asked.append(a[1]), query(*a))[1])
    await retained(store, "m:2", (1.0, 1.0, 0.0, 0.0))
    del asked[:]
    assert [one.key for one in await near(store)] == ["m:1", "m:2"]
    assert asked == []


async def test_what_another_process_keeps_or_changes_is_seen(store: Store, tmp_path: Path) -> None:
    await retained(store, "m:1", NEAR)
    assert [one.key for one in await near(store)] == ["m:1"]
    async with opened(tmp_path) as other:
        await retained(other, "m:2", NEAR)
        await other._tables.delete("memories", "key = 'm:1'")
    assert [one.key for one in await near(store)] == ["m:2"]


async def test_of_many_memories_the_store_is_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "NEARBY_ROWS", 1)
    for n in range(3):
        await retained(store, f"m:{n}", NEAR)
    assert {one.key for one in await near(store)} == {"m:0", "m:1", "m:2"}
    assert store._reads._nearby._vectors is None


async def test_a_filter_that_only_the_store_can_tell_is_asked_of_it(store: Store) -> None:
    await retained(store, "m:1", NEAR, paths=("src/heron.py",))
    await retained(store, "m:2", NEAR, paths=("src/nest.py",))
    found = await near(store, replace(LIVE, path="src/heron.py"))
    assert [one.key for one in found] == ["m:1"]


async def test_a_vector_of_another_model_finds_what_the_store_finds_by_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await retained(store, "m:1", NEAR)
    await near(store)
    store._tables.dim = 8  # as of a process that has not heard of the other vectors yet
    await retained(store, "m:2", (1.0,) * 8)
    assert [one.key for one in await near(store)] == ["m:1"], "its vector is left out of its row"

    async def asked() -> object:
        try:
            return await near(store, vector=(1.0,) * 8)
        except MemoryBankError as error:
            return type(error)

    held = await asked()
    monkeypatch.setattr(kept, "NEARBY_ROWS", -1)
    store._reads._nearby = kept.Nearby()
    assert await asked() == held
