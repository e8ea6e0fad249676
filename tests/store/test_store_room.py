"""The room that a store takes: long values are kept whole, old versions go, older tables stay readable."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from store_rows import added, evidence, keys, opened

from mcp_memory.store import Store
from mcp_memory.store.rows import Where
from mcp_memory.store.schema import arrow_schema, to_arrow
from mcp_memory.store.vectors import Revised


def _files(folder: Path) -> int:
    return len(list((folder / "store" / "lance" / "evidence.lance" / "data").iterdir()))


async def test_values_of_any_length_are_read_as_they_were_written(tmp_path: Path) -> None:
    texts = ["", "short", "zebra é€🎉\x00" * 200_000, "x" * 3_000_000, "abc" * 30_000]
    async with opened(tmp_path) as store:
        rows = [replace(evidence(n, text), body=text) for n, text in enumerate(texts)]
        await added(store, *rows)
        await store.maintain(force=True)
        found = {row.key: row for row in await store.find("evidence", Where())}
    assert [(found[row.key].text, found[row.key].body) for row in rows] == [(t, t) for t in texts]


async def test_a_round_leaves_one_version_where_nobody_else_reads(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        for number in range(4):
            await added(store, evidence(number, "zebra"))
        await store.maintain(force=True)
        assert _files(tmp_path) == 1
        assert await keys(store, "zebra") != []


async def test_a_round_leaves_older_versions_to_who_reads_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as store, opened(tmp_path):
        for number in range(4):
            await added(store, evidence(number, "zebra"))
        await store.maintain(force=True)
        assert _files(tmp_path) == 5


@pytest.fixture
async def older(tmp_path: Path) -> Path:
    """A store as earlier versions made it: vectors of full precision, each value by itself."""
    async with opened(tmp_path) as store:
        schema = arrow_schema("evidence", 4)
        place = schema.get_field_index("vector")
        full = schema.set(place, pa.field("vector", pa.list_(pa.float32(), 4)))
        plain = pa.schema([field.with_metadata(None) for field in full])
        tables = store._tables
        await tables.connection.create_table("evidence", schema=plain, mode="overwrite")
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "an old zebra"))
    return tmp_path


async def _kind(store: Store) -> object:
    return (await store._tables["evidence"].schema()).field("vector").type.value_type


async def test_a_store_of_full_vectors_goes_on_as_it_is(older: Path) -> None:
    async with opened(older) as store:
        await added(store, evidence(9, "a new zebra"))
        await store.maintain(force=True)
        assert await _kind(store) == pa.float32()
        found = await store.by_vector("evidence", (1.0, 0, 0, 1.0), where=Where(), limit=5)
        assert [one.key for one in found] == ["t:s1#1", "t:s1#9"]
        assert sorted(await keys(store, "zebra")) == ["t:s1#1", "t:s1#9"]


async def test_vectors_of_another_model_are_put_into_it(older: Path) -> None:
    async with opened(older) as store:
        rows = [
            replace(row, vector=(0.0, 1.0, 0.0, 0.0))
            for row in await store.find("evidence", Where())
        ]

        async def parts() -> AsyncIterator[Revised]:
            yield "evidence", rows

        await store.replace_vectors(parts(), model="next", dim=4)
        (found,) = await store.by_vector("evidence", (0.0, 1.0, 0, 0), where=Where(), limit=5)
        assert found.score == pytest.approx(1.0, abs=1e-3)


FEW, MANY = 2, 9
"""Rows that are appended as they are at first, and rows that are looked through."""


@pytest.mark.parametrize("more", [FEW, MANY])
async def test_a_vector_that_is_none_is_left_out_and_its_row_is_kept(
    tmp_path: Path, more: int
) -> None:
    none = replace(evidence(1, "zebra"), vector=(float("nan"), 0.0, 0.0, 1.0))
    async with opened(tmp_path) as store:
        await added(store, none, *(evidence(number, "zebra") for number in range(2, 2 + more)))
        assert len(await keys(store, "zebra")) == 1 + more
        found = await store.by_vector("evidence", (1.0, 0, 0, 1.0), where=Where(), limit=50)
        assert sorted(one.key for one in found) == sorted(
            f"t:s1#{number}" for number in range(2, 2 + more)
        )


async def test_rows_come_from_a_reader_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        told = to_arrow("evidence", [evidence(1, "a zebra"), evidence(2, "a heron")], 4)
        reader = pa.RecordBatchReader.from_batches(told.schema, told.to_batches())
        async with store.change("index") as change:
            await change.tables.put("evidence", reader)
        assert await keys(store, "heron") == ["t:s1#2"]


@pytest.mark.parametrize("more", [FEW, MANY])
async def test_who_has_not_heard_of_other_vectors_yet_keeps_rows_without(
    tmp_path: Path, more: int
) -> None:
    async with opened(tmp_path) as late, opened(tmp_path) as store:

        async def none() -> AsyncIterator[Revised]:
            for _ in ():
                yield "evidence", []

        await store.replace_vectors(none(), model="next", dim=8)
        await added(late, *(evidence(number, "zebra") for number in range(more)))
        rows = await store.find("evidence", Where())
        assert len(rows) == more
        assert await store.by_vector("evidence", (1.0,) * 8, where=Where(), limit=50) == []
