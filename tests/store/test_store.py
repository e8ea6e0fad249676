"""The store: appends, look-ups, changes that a kill cannot halve, purge that proves itself."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from store_rows import added, evidence, keys, memory, opened

from mcp_memory.domain.errors import StoreTooNew
from mcp_memory.store import Store, home, upkeep
from mcp_memory.store.pacing import MOST_WAITING, Pacing
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import Where


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        yield store


async def test_words_find_a_row_at_once(store: Store) -> None:
    await added(store, evidence(1, "the zebra crossed"), evidence(2, "nothing here"))
    assert await keys(store, "zebra") == ["t:s1#1"]


@pytest.mark.parametrize("query", ["", "  ", "\"'(", "zebra AND (", "a:b*~^", "' OR 1=1 --"])
async def test_a_query_is_words_and_never_syntax(store: Store, query: str) -> None:
    await added(store, evidence(1, "the zebra crossed"))
    assert await keys(store, query) in ([], ["t:s1#1"])


async def test_chinese_words_are_found(store: Store) -> None:
    await added(store, evidence(1, "数据库连接失败"), evidence(2, "hello"))
    assert await keys(store, "数据库") == ["t:s1#1"]


async def test_the_nearest_vector_comes_first(store: Store) -> None:
    await added(store, evidence(1, "a"), evidence(9, "b"), evidence(3, "c", vector=None))
    found = await store.by_vector("evidence", (1.0, 0, 0, 1.0), where=Where(), limit=5)
    assert [one.key for one in found] == ["t:s1#1", "t:s1#9"]
    assert found[0].score == pytest.approx(1.0, abs=1e-5)


async def test_filters_narrow_and_quote(store: Store) -> None:
    await added(
        store,
        evidence(1, "zebra", project="it's"),
        evidence(2, "zebra", paths=("/home/u/repo/src/a.py",)),
        evidence(3, "zebra", state="forgotten"),
    )
    assert await keys(store, "zebra", projects=("it's",)) == ["t:s1#1"]
    assert await keys(store, "zebra", path="src/a.py") == ["t:s1#2"]
    assert await keys(store, "zebra", path="rc/a.py") == []
    assert await keys(store, "zebra", states=("forgotten",)) == ["t:s1#3"]
    assert await keys(store, "zebra", first=2, last=2) == ["t:s1#2"]


async def test_a_change_left_by_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.change("index") as change:
            await change.add(evidence=[evidence(1, "zebra")])
            raise ZeroDivisionError
    assert await keys(store, "zebra") == []
    assert [row.phase for row in await store.ledger()] == ["intent", "reversed"]


async def test_effects_come_after_the_commit(store: Store) -> None:
    await added(store, evidence(1, "old zebra"))
    async with store.change("index") as change:
        await change.add(evidence=[evidence(1, "new zebra")])
        change.drop("evidence", Where(keys=("t:s1#1",), not_batches=(change.batch,)))
    rows = await store.find("evidence", Where())
    assert [row.text for row in rows] == ["new zebra"]


async def test_once_is_undone_by_nothing_but_a_missing_row(store: Store) -> None:
    batch = await store.once("retain", lambda batch: [memory("m:1", batch)])
    assert [row.batch for row in await store.by_keys("memories", ["m:1"])] == [batch]
    assert [row.phase for row in await store.ledger(batch=batch)] == ["once"]


KILLED = """
import anyio, os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store_rows import evidence, opened
from mcp_memory.store import changes
from mcp_memory.store.purging import Erasure
from mcp_memory.store.rows import Where

async def carry_out(tables, effects):
    os._exit(9)

async def main():
    async with opened(Path({folder!r})) as store:
        async with store.change("index", refs=["t:s1"]) as change:
            await change.add(evidence=[evidence(1, "new zebra")])
            change.drop("evidence", Where(keys=("t:s1#1",), not_batches=(change.batch,)))
            if {point!r} == "before the commit":
                os._exit(9)
            changes.carry_out = carry_out

anyio.run(main)
"""


@pytest.mark.parametrize(
    ("point", "text", "how"),
    [("before the commit", "old zebra", "reversed"), ("after the commit", "new zebra", "replayed")],
)
async def test_a_kill_leaves_a_store_that_opens_and_tells_the_truth(
    tmp_path: Path, point: str, text: str, how: str
) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "old zebra"))
    support = str(Path(__file__).parent.parent / "support")
    program = KILLED.format(tests=support, folder=str(tmp_path), point=point)
    child = subprocess.run([sys.executable, "-c", program], check=False, timeout=50)
    assert child.returncode == 9
    async with opened(tmp_path) as store:
        assert [row.how for row in store.recovered] == [how]
        assert [row.text for row in await store.find("evidence", Where())] == [text]
    async with opened(tmp_path) as store:
        assert store.recovered == []


async def test_a_purged_sentence_is_in_no_file_of_any_version(store: Store) -> None:
    planted = "the heron sleeps under violet bridges"
    for start in range(0, 300, 100):
        rows = [evidence(n, f"plain step {n}") for n in range(start, start + 100)]
        if start == 100:
            rows[50] = evidence(150, f"so {planted} tonight")
        await added(store, *rows)
    before = {row.key: row for row in await store.find("evidence", Where())}
    gone = Erasure({"evidence": Where(keys=("t:s1#150",), states=())}, [planted])
    checks = (await store.purge(gone)).checks
    assert sum(check.control for check in checks) > 0
    assert all(check.left == 0 for check in checks)
    after = {row.key: row for row in await store.find("evidence", Where())}
    assert after == {key: row for key, row in before.items() if key != "t:s1#150"}


async def test_maintenance_bounds_the_fragments(store: Store) -> None:
    for number in range(40):
        await added(store, evidence(number, "zebra"))
    done = await store.maintain()
    assert done is not None
    assert "evidence" in done.compacted
    stats = await store._tables["evidence"].stats()
    assert stats["fragment_stats"]["num_fragments"] < 10
    assert len(await store.find("evidence", Where())) == 40


@pytest.mark.parametrize(
    ("fragments", "rows", "due"),
    [(8, 100, False), (9, 100, True), (9, 100_000, False), (33, 100_000, True)],
)
def test_a_round_costs_more_in_a_large_table_and_comes_later(
    fragments: int, rows: int, *, due: bool
) -> None:
    assert upkeep.due(fragments, 0, rows=rows) is due


async def test_a_large_table_rests_after_a_long_round_and_a_small_one_does_not(
    store: Store,
) -> None:
    now = 100.0
    tables = store._tables
    tables.pacing = Pacing(lambda: now)
    with tables.pacing.round("evidence"):
        now += 20
    for number in range(1, 40):
        await added(store, evidence(number, "zebra"))
    for number in range(10):
        async with store.change("retain", refs=[f"m:{number}"]) as change:
            await change.add(memories=[memory(f"m:{number}", change.batch)])
    done = await store.maintain()
    assert done is not None
    assert "memories" in done.compacted
    assert "evidence" not in done.compacted
    assert not tables.pacing.rests("evidence", MOST_WAITING + 1), "each search would pay for it"
    now += 9 * 20
    done = await store.maintain()
    assert done is not None
    assert "evidence" in done.compacted


async def test_a_name_of_any_length_is_found_whole(store: Store) -> None:
    name = "apps/heron/internal/integration_test/nest_building_in_spring_test.go"
    rows = [evidence(1, "zebra"), evidence(2, "zebra")]
    await added(store, replace(rows[0], identifiers=name), replace(rows[1], identifiers="nest.go"))
    found = await store.by_words("evidence", name, column="identifiers", where=Where(), limit=5)
    assert [one.key for one in found] == [rows[0].key]


async def test_rows_newer_than_an_index_are_found(store: Store) -> None:
    await added(store, *(evidence(n, f"plain step {n}") for n in range(5_200)))
    done = await store.maintain(force=True)
    assert done is not None
    assert "evidence.key" in done.indexed
    await added(store, evidence(9_000, "a fresh zebra"))
    assert await keys(store, "zebra") == ["t:s1#9000"]
    assert await keys(store, "5100") == ["t:s1#5100"]


async def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    file = tmp_path / "store" / home.META
    newer = orjson.dumps({**orjson.loads(file.read_bytes()), "schema": 99})
    file.write_bytes(newer)
    with pytest.raises(StoreTooNew, match="99"):
        async with opened(tmp_path):
            pass
    assert file.read_bytes() == newer


async def test_an_older_store_is_backed_up_and_migrated(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await added(store, evidence(1, "zebra"))
        await store._tables["sessions"].drop_columns(["entry"])
    file = tmp_path / "store" / home.META
    file.write_bytes(orjson.dumps({**orjson.loads(file.read_bytes()), "schema": 0}))
    async with opened(tmp_path) as store:
        assert store.schema_version == 2
        assert await keys(store, "zebra") == ["t:s1#1"]
        assert "entry" in (await store._tables["sessions"].schema()).names
    assert (tmp_path / "store.schema-0" / home.META).exists()


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
async def test_the_home_is_the_owners_alone(tmp_path: Path) -> None:
    async with opened(tmp_path):
        assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
