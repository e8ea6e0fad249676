"""Regrouping: folders that turn out to be one project come under one name, and can go back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli import cli
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Draft
from mcp_memory.history import regrouping
from mcp_memory.settings import Settings

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings) as bank:
        yield bank


def two(tmp_path: Path) -> list[Path]:
    return [
        kept(tmp_path / f"{ONE}.jsonl", talk(ONE, "Fix the kettle", "Fixed it", cwd="/a/shop")),
        kept(tmp_path / f"{TWO}.jsonl", talk(TWO, "Fix the toaster", "It pops", cwd="/b/shop")),
    ]


def files(bank: MemoryBank) -> dict[str, bytes]:
    root = bank.rooms.archive.root
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_a_merged_project_is_found_by_either_name(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index(two(tmp_path))
    await bank.retain(Draft(text="The kettle whistles at noon.", project="/a/shop"))
    assert await regrouping.merge(bank.rooms, "/a/shop", "/b/shop") == 1
    assert await bank.rooms.store.projects() == {"/b/shop": 2}
    for name in ("/a/shop", "/b/shop", "shop"):
        found = await bank.search(Query(texts=("kettle",), project=name))
        assert any("Fix the kettle" in hit.text for hit in found.hits)
    assert [memory.project for memory in await bank.listing("memories")] == ["/b/shop"]
    assert not any("/a/" in name or name.startswith("a-") for name in files(bank))


async def test_what_comes_later_from_a_merged_folder_joins_it(
    bank: MemoryBank, tmp_path: Path
) -> None:
    first, second = two(tmp_path)
    await bank.index([first, second])
    await regrouping.merge(bank.rooms, "/b/shop", "/a/shop")
    third = "33333333-3333-4333-8333-333333333333"
    path = kept(tmp_path / "c.jsonl", talk(third, "Fix the lamp", "It glows", cwd="/b/shop"))
    await bank.index([path])
    assert await bank.rooms.store.projects() == {"/a/shop": 3}


async def test_a_merged_bank_has_the_files_of_one_that_was_never_two(
    settings: Settings, tmp_path: Path
) -> None:
    paths = two(tmp_path)
    async with open_bank(settings) as bank:
        await bank.index(paths)
        await regrouping.merge(bank.rooms, "/a/shop", "/b/shop")
        merged = files(bank)
    known = bank.rooms.identities()
    later = settings.model_copy(update={"home": tmp_path / "again"})
    later.home.mkdir()
    regrouping.identities.write(later.home, known)
    async with open_bank(later) as bank:
        await bank.index(paths)
        assert files(bank) == merged


def rollout(path: Path, cwd: str, number: int) -> Path:
    """A session of Codex that tells the remote of its folder in its first line."""
    at = f"2026-08-01T10:{number:02}:"
    meta: dict[str, object] = {
        "id": f"{number:08}-1111-4111-8111-111111111111",
        "timestamp": f"{at}00Z",
        "cwd": cwd,
        "git": {"repository_url": "git@github.com:ada/shop.git"},
    }
    said = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": f"Polish lamp {number}"}],
    }
    records = [
        {"timestamp": f"{at}00Z", "type": "session_meta", "payload": meta},
        {"timestamp": f"{at}01Z", "type": "response_item", "payload": said},
    ]
    return kept(path / f"rollout-{number}.jsonl", records)


async def test_a_remote_that_a_first_line_told_is_remembered(
    bank: MemoryBank, tmp_path: Path
) -> None:
    await bank.index([rollout(tmp_path, "/a/shop", 1)])
    await bank.index([rollout(tmp_path, "/b/shop", 2)])
    assert await bank.rooms.store.projects() == {"/a/shop": 2}


async def test_indexes_name_what_came_with_a_move_of_other_projects(
    bank: MemoryBank, tmp_path: Path
) -> None:
    one, two = rollout(tmp_path, "/a/worktrees/shop", 1), rollout(tmp_path, "/b/shop", 2)
    other = [kept(tmp_path / "a.jsonl", talk(ONE, "Fix the kettle", "Fixed it", cwd="/c/tea"))]
    await bank.index([one, *other])
    more = kept(tmp_path / "b.jsonl", talk(TWO, "Fix the toaster", "It pops", cwd="/c/tea"))
    await bank.index([two, more])
    assert await bank.rooms.store.projects() == {"/b/shop": 2, "/c/tea": 2}
    (index,) = [
        text
        for name, text in files(bank).items()
        if name.endswith("INDEX.md") and b"kettle" in text
    ]
    assert b"Fix the toaster" in index


async def test_a_merge_is_undone(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index(two(tmp_path))
    await regrouping.merge(bank.rooms, "/a/shop", "/b/shop")
    (batch,) = [c.ref for c in await bank.listing("changes") if "projects" in c.marks][:1]
    await bank.undo(batch)
    assert await bank.rooms.store.projects() == {"/a/shop": 1, "/b/shop": 1}


async def test_undoing_a_merge_brings_memories_and_names_back(
    bank: MemoryBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrouping, "AT_ONCE", 1)
    third = "33333333-3333-4333-8333-333333333333"
    more = kept(tmp_path / "c.jsonl", talk(third, "Fix the lamp", "It glows", cwd="/a/shop"))
    await bank.index([*two(tmp_path), more])
    await bank.retain(Draft(text="The kettle whistles at noon.", project="/a/shop"))
    await regrouping.writing.write_memories(bank.rooms)
    before, known = files(bank), bank.rooms.identities()
    assert await regrouping.merge(bank.rooms, "/a/shop", "/b/shop") == 2
    merged = bank.rooms.identities()
    batch = next(c.ref for c in await bank.listing("changes") if "projects" in c.marks)
    await bank.undo(batch)
    assert await bank.rooms.store.projects() == {"/a/shop": 2, "/b/shop": 1}
    assert [memory.project for memory in await bank.listing("memories")] == ["/a/shop"]
    assert (bank.rooms.identities(), files(bank)) == (known, before)
    with pytest.raises(InvalidInput, match="already"):
        await bank.undo(batch)
    fourth = kept(tmp_path / "d.jsonl", talk(third[:-1] + "4", "Dust", "Done", cwd="/a/shop"))
    await bank.index([fourth])
    assert await bank.rooms.store.projects() == {"/a/shop": 3, "/b/shop": 1}
    again = next(c.ref for c in await bank.listing("changes") if "undo" in c.marks)
    await bank.undo(again)
    assert bank.rooms.identities() == merged
    assert [memory.project for memory in await bank.listing("memories")] == ["/b/shop"]


async def test_a_renamed_project_keeps_its_former_name(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index(two(tmp_path))
    await regrouping.rename(bank.rooms, "/a/shop", "/moved/shop")
    found = await bank.search(Query(texts=("kettle",), project="/a/shop"))
    assert any("Fix the kettle" in hit.text for hit in found.hits)
    with pytest.raises(InvalidInput, match="already"):
        await regrouping.rename(bank.rooms, "/b/shop", "/moved/shop")


async def test_an_ambiguous_name_lists_its_projects(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index(two(tmp_path))
    with pytest.raises(InvalidInput, match=r"/a/shop \(1 sessions\), /b/shop \(1 sessions\)"):
        await regrouping.merge(bank.rooms, "shop", "/b/shop")
    with pytest.raises(InvalidInput, match="2 projects"):
        await bank.listing("sessions", project="shop")
    found = await bank.search(Query(texts=("kettle",), project="shop"))
    assert "'shop' names 2 projects; all were asked, /a/shop the largest." in found.notes
    assert any("Fix the kettle" in hit.text for hit in found.hits)


def test_the_command_shows_and_merges(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    run = CliRunner()
    assert run.invoke(cli, ["index", *map(str, two(tmp_path))]).exit_code == 0
    assert "1 session   /a/shop" in run.invoke(cli, ["projects"]).output
    merged = run.invoke(cli, ["projects", "merge", "/a/shop", "/b/shop"])
    assert merged.output.startswith("1 session moved"), merged.output
    shown = run.invoke(cli, ["projects"]).output
    assert shown.split() == ["2", "sessions", "/b/shop", "also", "/a/shop"]
