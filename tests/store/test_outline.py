"""What is short of rows is told from memory once a version was searched again and again, of no other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_rows import added, evidence, opened

from mcp_memory.store import Store, outline, places
from mcp_memory.store.rows import BRIEF, EvidenceRow, Look, Where
from mcp_memory.store.tables import Tables

LOOKS = {each: Look(words="heron", column=each) for each in ("text", "context")}
SHORT = ("key", "first", "source", "state")


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


async def searched(store: Store, times: int = places.AFTER) -> dict[str, list[str]]:
    """What the last of so many equal searches finds, by its looks."""
    found = {}
    for _ in range(times):
        found = await store.by_each("evidence", LOOKS, where=Where(), limit=20)
    return {name: [one.key for one in each] for name, each in found.items()}


async def told(store: Store) -> list[list[EvidenceRow]]:
    """Rows by keys, some of which nothing has, and rows by their words."""
    keys = [f"t:s1#{n}" for n in (7, 3, 99, 1)]
    return [
        await store.briefs(keys),
        await store.briefs(keys, ("key", "kind", "body")),
        await store.briefs(keys, SHORT),
        await store.briefs(["t:of-another-length#1"], SHORT),
        await store.brief(Where(kinds=("step",)), limit=3, columns=BRIEF, words="heron"),
    ]


async def test_the_same_is_told_with_an_outline_and_without(store: Store) -> None:
    first, before = await searched(store, 1), await told(store)
    again = await searched(store)
    assert store._places._outline is not None
    assert (again, await told(store)) == (first, before)


async def test_what_is_short_is_not_read_again(store: Store, asked: list[str]) -> None:
    await searched(store)
    del asked[:]
    assert len(await store.briefs([f"t:s1#{n}" for n in range(1, 60)], SHORT)) == 8
    assert asked == []
    await store.briefs(["t:s1#2"])
    assert asked == ["take"]


async def test_a_row_written_since_is_found_and_one_that_is_gone_is_not(store: Store) -> None:
    await searched(store)
    await added(store, evidence(20, "another heron"))
    await store._tables.delete("evidence", "key = 't:s1#1'")
    rows = await store.briefs(["t:s1#1", "t:s1#20"], SHORT)
    assert [row.key for row in rows] == ["t:s1#20"]
    for times in (1, places.AFTER):
        keys = (await searched(store, times))["text"]
        assert "t:s1#20" in keys
        assert "t:s1#1" not in keys


@pytest.mark.parametrize("most", [places.MOST_ROWS, 7], ids=["outlined", "too large for that"])
async def test_rows_that_are_not_live_stay_out_of_a_search(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(places, "MOST_ROWS", most)
    await searched(store)
    assert store._places.all_live(await store._places.version("evidence"))
    await store._tables["evidence"].update(where="key = 't:s1#2'", updates={"state": "purged"})
    for times in (1, places.AFTER):
        assert "t:s1#2" not in (await searched(store, times))["text"]
        assert not store._places.all_live(await store._places.version("evidence"))
    assert [row.state for row in await store.briefs(["t:s1#2"], SHORT)] == ["purged"]


async def test_of_a_key_that_stands_twice_the_outline_tells_the_row_written_last(
    store: Store,
) -> None:
    await added(store, evidence(1, "the heron, revised"))
    await searched(store)
    assert [row.text for row in await store.briefs(["t:s1#1"])] == ["the heron, revised"]


async def test_a_table_that_is_too_large_has_no_outline(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_ROWS", 7)
    before = await told(store)
    await searched(store)
    assert store._places._outline is None
    assert await told(store) == before


async def test_a_table_with_longer_keys_than_are_kept_has_no_outline(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outline, "LONGEST_KEY", 3)
    await searched(store)
    assert store._places._outline is None
