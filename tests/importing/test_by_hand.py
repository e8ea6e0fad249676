"""Memories as files: written for people, read back as the user's word, and never lost by a folder."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from failing_session import gotcha, session

from mcp_memory.archive import memory_files
from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft, Memory, SourceClass, Standing, State
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        yield bank


def files(bank: MemoryBank) -> list[Path]:
    return sorted(bank.rooms.settings.memories_dir.rglob("*.md"))


async def kept(bank: MemoryBank, text: str, **fields: object) -> str:
    draft = Draft.model_validate({"text": text, "project": "user", **fields})
    ref = (await bank.retain(draft)).ref
    await bank.settle()
    return ref


async def live(bank: MemoryBank) -> list[Memory]:
    rows = await bank.rooms.store.find("memories", Where(states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    return [m for m in map(spans.memory_of, newest.values()) if m.state is State.LIVE]


async def test_a_memory_has_a_file_that_says_what_it_says(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index([session(tmp_path, "0c8a6e3e-0000-4000-8000-000000000001")])
    ref = await gotcha(bank)
    (file,) = files(bank)
    assert file.name.startswith("never-touch-src-db-py-without-the-lock")
    told = memory_files.read(file.read_text(encoding="utf-8"))
    assert (told.ref, told.draft.text) == (ref, "never touch src/db.py without the lock")
    assert "standing: established" in file.read_text(encoding="utf-8")
    await bank.read_files()
    assert [each.ref for each in await live(bank)] == [ref]


async def test_a_changed_text_is_a_new_version_by_the_user(bank: MemoryBank) -> None:
    old = await kept(bank, "the till listens on port 8080", tags=["till"])
    (file,) = files(bank)
    file.write_text(file.read_text("utf-8").replace("8080", "9090"), "utf-8")
    done = await bank.read_files()
    (memory,) = await live(bank)
    assert done.edited == [memory.ref]
    assert (memory.text, memory.source, memory.trust) == (
        "the till listens on port 9090", SourceClass.USER, 1.0,
    )  # fmt: skip
    assert (memory.standing, memory.supersedes, memory.tags) == (
        Standing.ESTABLISHED, old, ("till",),
    )  # fmt: skip
    assert files(bank) == [file]
    assert f"ref: {memory.ref}" in file.read_text("utf-8")
    await bank.undo(memory.batch)
    assert [each.text for each in await live(bank)] == ["the till listens on port 8080"]
    assert "8080" in "".join(each.read_text("utf-8") for each in files(bank))


async def test_other_tags_are_another_version_of_the_same_words(bank: MemoryBank) -> None:
    ref = await kept(bank, "the till listens on port 8080", tags=["till"])
    (file,) = files(bank)
    file.write_text(file.read_text("utf-8").replace("- till", "- till\n- ports"), "utf-8")
    assert (await bank.read_files()).edited == [ref]
    (memory,) = await live(bank)
    assert (memory.version, memory.tags, memory.source) == (2, ("till", "ports"), SourceClass.AGENT)


async def test_times_are_written_in_a_file_and_read_from_it(bank: MemoryBank) -> None:
    ref = await kept(bank, "the till listens on port 8080", valid_from="2026-03-01")
    (file,) = files(bank)
    told = file.read_text("utf-8")
    assert "valid_from: '2026-03-01'" in told
    file.write_text(told.replace("standing:", "valid_to: 2026-06-01\nstanding:"), "utf-8")
    assert (await bank.read_files()).edited == [ref]
    (memory,) = await live(bank)
    assert (memory.version, memory.valid_to) == (2, datetime(2026, 6, 1, tzinfo=UTC))


async def test_saying_established_by_hand_makes_it_the_users_word(bank: MemoryBank) -> None:
    await kept(bank, "the till listens on port 8080")
    (file,) = files(bank)
    file.write_text(file.read_text("utf-8").replace("candidate", "established"), "utf-8")
    await bank.read_files()
    (memory,) = await live(bank)
    assert (memory.standing, memory.source) == (Standing.ESTABLISHED, SourceClass.USER)


async def test_a_deleted_file_is_forgotten_and_comes_back_by_undo(bank: MemoryBank) -> None:
    ref = await kept(bank, "the till listens on port 8080")
    files(bank)[0].unlink()
    assert (await bank.read_files()).forgotten == [ref]
    assert await live(bank) == []
    assert files(bank) == []
    batch = (await bank.listing("changes"))[0].ref
    await bank.undo(batch)
    assert [each.ref for each in await live(bank)] == [ref]
    assert len(files(bank)) == 1


@pytest.mark.parametrize("whole", [True, False])
async def test_a_folder_that_is_gone_forgets_nothing(bank: MemoryBank, *, whole: bool) -> None:
    for number in range(5):
        await kept(bank, f"the till number {number} listens on port 808{number}")
    root = bank.rooms.settings.memories_dir
    shutil.rmtree(root if whole else files(bank)[0].parent)
    done = await bank.read_files()
    assert done.forgotten == []
    assert len(await live(bank)) == 5
    assert len(files(bank)) == 5
    assert bool(done.notes) is not whole


async def test_a_broken_file_is_named_and_left_as_it_is(bank: MemoryBank) -> None:
    ref = await kept(bank, "the till listens on port 8080")
    (file,) = files(bank)
    broken = file.read_text("utf-8").replace("kind: fact", "kind: [")
    file.write_text(broken, "utf-8")
    done = await bank.read_files()
    assert [(each.where, "YAML" in each.reason) for each in done.broken] == [
        (file.relative_to(bank.rooms.settings.memories_dir).as_posix(), True)
    ]
    await kept(bank, "another memory")
    assert file.read_text("utf-8") == broken
    assert ref in [each.ref for each in await live(bank)]


async def test_a_file_of_ones_own_is_a_memory_of_the_users(bank: MemoryBank) -> None:
    root = bank.rooms.settings.memories_dir / "user"
    root.mkdir(parents=True)
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    (root / "mine.md").write_text(f"Deploy on Mondays only, with {secret}.\n", "utf-8")
    assert len((await bank.read_files()).added) == 1
    (memory,) = await live(bank)
    assert (memory.source, memory.project) == (SourceClass.USER, "user")
    assert secret not in files(bank)[0].read_text("utf-8")
    assert (await bank.search(Query(texts=("deploy on Mondays",), project="*"))).found


async def test_a_purged_memory_leaves_no_file(bank: MemoryBank) -> None:
    ref = await kept(bank, "the heron sleeps under violet bridges")
    preview = await bank.delete([ref])
    receipt = await bank.delete([ref], mode="purge", confirm=preview.confirm or "")
    check = next(each for each in receipt.checks if each.where == "memory files")
    assert check.control > 0
    assert check.left == 0
    assert files(bank) == []
