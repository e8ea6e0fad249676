"""Stamps: what did not change is not opened again, and an upgrade opens everything once."""

import os
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain.reports import FileReport
from mcp_memory.settings import Settings
from mcp_memory.trajectories import indexing, terms


async def statuses(settings: Settings, paths: list[Path]) -> list[str]:
    async with open_bank(settings) as bank:
        return [report.status for report in await bank.index(paths)]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the transcripts that were opened."""
    seen: list[str] = []
    prepare = indexing.prepare

    def noted(path: Path, *rest: object, **more: object) -> tuple[FileReport, list[object]]:
        seen.append(path.name)
        return prepare(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(indexing, "prepare", noted)
    return seen


async def test_a_file_that_gave_nothing_is_opened_once(
    settings: Settings, tmp_path: Path, opened: list[str]
) -> None:
    (tmp_path / "notes.jsonl").write_text("{}\n", encoding="utf-8")
    copy = tmp_path / "copy.jsonl"
    first, second = written(tmp_path)
    copy.write_bytes(first.read_bytes())
    paths = [first, second, copy, tmp_path / "notes.jsonl"]
    assert await statuses(settings, paths) == ["indexed", "indexed", "unchanged", "refused"]
    opened.clear()
    assert await statuses(settings, paths) == ["unchanged"] * 4
    assert opened == []


async def test_a_file_that_grew_is_opened_again(
    settings: Settings, tmp_path: Path, opened: list[str]
) -> None:
    (tmp_path / "notes.jsonl").write_text("{}\n", encoding="utf-8")
    await statuses(settings, [tmp_path / "notes.jsonl"])
    with (tmp_path / "notes.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    await statuses(settings, [tmp_path / "notes.jsonl"])
    assert opened == ["notes.jsonl"] * 2


async def test_what_was_excluded_is_opened_when_it_no_longer_is(
    settings: Settings, tmp_path: Path, opened: list[str]
) -> None:
    paths = written(tmp_path)
    strict = settings.model_copy(update={"include": (str(tmp_path / "other"),)})
    assert await statuses(strict, paths) == ["excluded"] * 2
    opened.clear()
    assert await statuses(strict, paths) == ["unchanged"] * 2
    assert opened == []
    assert await statuses(settings, paths) == ["indexed"] * 2


async def test_a_version_that_reads_otherwise_opens_everything_once(
    settings: Settings, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path)
    await statuses(settings, paths)
    monkeypatch.setattr(terms, "VERSION", terms.VERSION + 1)
    assert await statuses(settings, paths) == ["indexed"] * 2
    opened.clear()
    assert await statuses(settings, paths) == ["unchanged"] * 2
    assert opened == []


async def test_damaged_stamps_cost_one_reading(
    settings: Settings, tmp_path: Path, opened: list[str]
) -> None:
    paths = written(tmp_path)
    await statuses(settings, paths)
    (settings.store_dir / "stamps.json").write_bytes(os.urandom(40))
    opened.clear()
    assert await statuses(settings, paths) == ["unchanged"] * 2
    assert len(opened) == 2
