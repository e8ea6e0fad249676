"""A bulk run makes what a run here makes, of shards that workers prepare, die over or do not see."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from test_crew import copies
from tour_sessions import archived, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.checkup import remaking
from mcp_memory.domain.reports import FileReport
from mcp_memory.history.bulk import shard_crew, shards
from mcp_memory.history.bulk.cluster import connected
from mcp_memory.history.bulk.shard_crew import ShardCrew, WorkerLost
from mcp_memory.history.bulk.shards import Model, Task
from mcp_memory.history.crew import Made, Terms
from mcp_memory.settings import Settings
from mcp_memory.store.rows import EvidenceRow, Where


class Here:
    """Workers of this process; each shard may meet a fate."""

    count = 2

    def __init__(self, task: Task, fate: Callable[[Sequence[Path]], None] = lambda _: None) -> None:
        self.task, self.fate = task, fate
        self.sent: list[Sequence[Path]] = []

    def submit(self, paths: Sequence[Path]) -> "Future[list[Made | None]]":
        self.sent.append(paths)
        answer: Future[list[Made | None]] = Future()
        try:
            self.fate(paths)
            answer.set_result(shards.prepare(paths, self.task))
        except WorkerLost as error:
            answer.set_exception(error)
        return answer

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_crew, "SHARD_FILES", 3)


def settings(home: Path) -> Settings:
    return Settings(home=home, embedding_model="hash", index_auto=False)


async def indexed(
    told: Settings, paths: Sequence[Path], workers: Callable[[Task], Here] | None = None
) -> tuple[list[FileReport], list[EvidenceRow]]:
    """What a run reports, and the rows with their vectors but without their batch."""

    def hire(terms: Terms) -> ShardCrew:
        task = Task(terms, Model.of(told))
        return ShardCrew(task, workers(task))

    async with open_bank(told) as bank:
        reports = await bank.index(paths, processes=hire if workers else 0)
        table = bank.rooms.store._tables["evidence"]
        rows = (await table.query().to_arrow()).drop_columns(["batch"]).to_pylist()
    return reports, sorted(rows, key=lambda row: row["key"])


async def vectors_of(bank: MemoryBank) -> dict[str, object]:
    table = await bank.rooms.store._tables["evidence"].query().select(["key", "vector"]).to_arrow()
    return {row["key"]: row["vector"] for row in table.to_pylist()}


async def test_shards_make_the_same_rows_vectors_and_files(tmp_path: Path) -> None:
    paths = copies(tmp_path, 4)
    alone, bulk = settings(tmp_path / "a"), settings(tmp_path / "b")
    made: list[Here] = []
    expected = await indexed(alone, paths)
    told = await indexed(bulk, paths, lambda task: made.append(Here(task)) or made[0])
    assert told == expected
    assert any(row["vector"] for row in told[1])
    assert archived(alone) == archived(bulk)
    assert [len(paths) for paths in made[0].sent] == [3, 3, 3]


async def test_a_session_that_two_files_hold_is_kept_once_however_commits_are_cut(
    tmp_path: Path,
) -> None:
    _, whole = written(tmp_path)
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    begun = tmp_path / "a-begun.jsonl"
    begun.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    together, apart, alone = (settings(tmp_path / name) for name in ("t", "a", "w"))
    _, rows = await indexed(together, [begun, whole])
    await indexed(apart, [begun])
    _, later = await indexed(apart, [whole])
    _, expected = await indexed(alone, [whole])
    assert [row["key"] for row in rows] == [row["key"] for row in expected]
    assert rows == later == expected
    assert archived(together) == archived(alone)


async def test_a_second_bulk_run_writes_nothing(tmp_path: Path) -> None:
    paths, told = copies(tmp_path, 2), settings(tmp_path / "a")
    _, rows = await indexed(told, paths, Here)
    reports, again = await indexed(told, paths, Here)
    assert {report.status for report in reports} == {"unchanged"}
    assert again == rows


async def test_a_shard_whose_worker_died_goes_to_others_one_by_one(tmp_path: Path) -> None:
    paths = copies(tmp_path, 2)

    def dies_of(poison: Path, sent: Sequence[Path]) -> None:
        if poison in sent:
            raise WorkerLost("out of memory")

    fated = partial(Here, fate=partial(dies_of, paths[1]))
    reports, _ = await indexed(settings(tmp_path / "a"), paths, fated)
    assert [report.status for report in reports].count("indexed") == 3
    (refused,) = [report for report in reports if report.status == "refused"]
    assert refused.path == paths[1]
    assert "workers died" in refused.reason
    reports, _ = await indexed(settings(tmp_path / "a"), paths, Here)
    assert [report.path for report in reports if report.status == "indexed"] == [paths[1]]


async def test_what_no_worker_sees_is_prepared_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, alone, bulk = copies(tmp_path, 2), settings(tmp_path / "a"), settings(tmp_path / "b")
    expected = await indexed(alone, paths)
    monkeypatch.setattr(shards, "prepare", lambda paths, _: [None] * len(paths))
    assert await indexed(bulk, paths, Here) == expected


def test_without_ray_a_bulk_run_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"mcp-memory-evidence\[ray\]"), connected("local"):
        pass


async def test_a_worker_of_ray_makes_what_a_thread_makes(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'mcp-memory-evidence[ray]'")
    paths, alone, bulk = copies(tmp_path, 2), settings(tmp_path / "a"), settings(tmp_path / "b")
    expected = await indexed(alone, paths)
    with connected("local", workers=1) as cluster:
        async with open_bank(bulk) as bank:
            reports = await bank.index(paths, processes=cluster.hiring(Model.of(bulk)))
            rows = await bank.rooms.store.find("evidence", Where(states=()))
            before = await vectors_of(bank)
            count = await remaking.reembed(
                bank.rooms, remaking.Elsewhere(cluster.embedding(Model.of(bulk)))
            )
            assert count == len(rows)
            assert await vectors_of(bank) == before
    assert reports == expected[0]
    assert {row.key for row in rows} == {row["key"] for row in expected[1]}
    assert archived(alone) == archived(bulk)
