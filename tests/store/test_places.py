"""Rows are taken from where a search saw them, and looked for again once anybody wrote."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_rows import added, evidence, opened

from mcp_memory.store import Store, places
from mcp_memory.store.rows import Look, Where
from mcp_memory.store.tables import Tables

LOOKS = {each: Look(words="heron", column=each) for each in ("text", "context")}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        await added(store, *(evidence(n, f"the heron number {n}") for n in range(1, 9)))
        yield store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Queries of each kind, in their order."""
    seen: list[str] = []
    query, taking = Tables.query, Tables.taking
    monkeypatch.setattr(Tables, "query", lambda *a: (seen.append("query"), query(*a))[1])
    monkeypatch.setattr(Tables, "taking", lambda *a: (seen.append("take"), taking(*a))[1])
    return seen


async def seen(store: Store) -> list[str]:
    """What a search finds."""
    found = await store.by_each("evidence", LOOKS, where=Where(), limit=20)
    return [one.key for one in found["text"]]


async def test_what_a_search_saw_is_taken_from_where_it_stands(
    store: Store, asked: list[str]
) -> None:
    keys = await seen(store)
    del asked[:]
    rows = await store.briefs(keys[:5])
    assert asked == ["take"]
    assert {row.key: row.text for row in rows} == {
        row.key: row.text for row in await store.by_keys("evidence", keys[:5])
    }


async def test_rows_come_in_the_order_of_their_writing_either_way(store: Store) -> None:
    keys = await seen(store)
    taken = await store.briefs(keys[::-1])
    await added(store, evidence(20, "an otter"))
    assert await store.briefs(keys[::-1]) == taken


async def test_what_is_gone_since_a_search_is_not_taken(store: Store) -> None:
    keys = await seen(store)
    await store._tables.delete("evidence", f"key = '{keys[0]}'")
    assert {row.key for row in await store.briefs(keys)} == set(keys[1:])
    assert len(await seen(store)) == 7


async def test_of_a_key_that_stands_twice_the_row_written_last_is_told(store: Store) -> None:
    await added(store, evidence(1, "the heron, revised"))
    looked_for = await store.briefs(["t:s1#1"])
    await seen(store)
    assert [row.text for row in looked_for] == ["the heron, revised"]
    assert await store.briefs(["t:s1#1"]) == looked_for


async def test_a_key_that_no_search_saw_is_looked_for(store: Store, asked: list[str]) -> None:
    keys = await seen(store)
    del asked[:]
    assert [row.key for row in await store.briefs([keys[0], "t:s1#99"])] == [keys[0]]
    assert asked == ["query"]


async def test_keys_are_read_once_a_version(store: Store, asked: list[str]) -> None:
    first = await seen(store)
    del asked[:]
    assert await seen(store) == first
    assert "take" not in asked


async def test_more_than_is_kept_begins_anew(
    store: Store, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST", 3)
    keys = await seen(store)
    assert len(await store.briefs(keys)) == 8
