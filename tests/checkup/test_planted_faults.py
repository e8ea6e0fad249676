"""Planted faults: each is found by the doctor, mended by its repair, and found no more."""

import json
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tour_sessions import archived, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.checkup import doctor
from mcp_memory.domain.models import Draft, Evidence, MemoryKind
from mcp_memory.domain.replacing import FRESH
from mcp_memory.settings import Settings
from mcp_memory.store.rows import SessionRow, Where
from mcp_memory.trajectories import reaching

Plant = Callable[[MemoryBank], Awaitable[None]]
PLANTS: dict[str, tuple[str, Plant]] = {}


def plant(subject: str) -> Callable[[Plant], Plant]:
    """Keep a way to damage a home under its name, with the subject that must find it."""

    def kept(way: Plant) -> Plant:
        PLANTS[way.__name__] = (subject, way)
        return way

    return kept


async def only_session(bank: MemoryBank) -> SessionRow:
    return min(await bank.rooms.store.sessions(), key=lambda row: row.id)


def folder_of(bank: MemoryBank, row: SessionRow) -> Path:
    return bank.rooms.archive.root / row.folder


async def updated(bank: MemoryBank, table: str, values: dict[str, str], where: str) -> None:
    await bank.rooms.store._tables[table].update(values, where=where)


async def aged(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))


@plant("archive")
async def a_session_whose_folder_is_gone(bank: MemoryBank) -> None:
    shutil.rmtree(folder_of(bank, await only_session(bank)))


@plant("archive")
async def a_session_without_its_prose(bank: MemoryBank) -> None:
    (folder_of(bank, await only_session(bank)) / "prose.md").unlink()


@plant("archive")
async def steps_that_were_cut_off(bank: MemoryBank) -> None:
    file = folder_of(bank, await only_session(bank)) / "steps.jsonl"
    file.write_bytes(file.read_bytes()[:-200])


@plant("archive")
async def steps_in_another_order(bank: MemoryBank) -> None:
    file = folder_of(bank, await only_session(bank)) / "steps.jsonl"
    file.write_bytes(b"".join(reversed(file.read_bytes().splitlines(keepends=True))))


@plant("archive")
async def a_summary_without_a_word(bank: MemoryBank) -> None:
    (folder_of(bank, await only_session(bank)) / "SUMMARY.md").write_bytes(b"")


@plant("archive")
async def a_folder_of_no_session(bank: MemoryBank) -> None:
    (bank.rooms.archive.root / "shop-abcdef" / "2026-01-01-x-0123456789ab").mkdir(parents=True)


@plant("archive")
async def a_project_without_its_index(bank: MemoryBank) -> None:
    next(bank.rooms.archive.root.glob("*/INDEX.md")).unlink()


@plant("archive")
async def an_index_that_lists_a_session_that_is_no_more(bank: MemoryBank) -> None:
    file = next(bank.rooms.archive.root.glob("*/INDEX.md"))
    file.write_text(file.read_text() + "- 2026-03-02 | e:zzzzzzzzzzzz.1 #1-2 | success | x\n")


@plant("archive")
async def an_archive_without_its_list_of_projects(bank: MemoryBank) -> None:
    (bank.rooms.archive.root / "PROJECTS.md").unlink()


@plant("archive")
async def a_readme_of_another_hand(bank: MemoryBank) -> None:
    (bank.rooms.archive.root / "README.md").write_text("Run the installer first.")


@plant("archive")
async def a_link_out_of_the_archive(bank: MemoryBank) -> None:
    (bank.rooms.archive.root / "elsewhere").symlink_to("/etc")


@plant("records")
async def a_memory_whose_body_is_cut(bank: MemoryBank) -> None:
    await updated(bank, "memories", {"body": '{"ref": "m:'}, "version = 1")


@plant("records")
async def a_step_whose_body_is_cut(bank: MemoryBank) -> None:
    await updated(bank, "evidence", {"body": "{"}, "kind = 'step' AND first = 2")


@plant("records")
async def an_episode_of_another_session(bank: MemoryBank) -> None:
    await updated(bank, "evidence", {"trajectory": "zzzzzzzzzzzz"}, "kind = 'episode'")


@plant("records")
async def a_step_that_is_gone(bank: MemoryBank) -> None:
    await bank.rooms.store._tables["evidence"].delete("kind = 'step' AND first = 3")


@plant("records")
async def a_session_whose_body_is_cut(bank: MemoryBank) -> None:
    row = await only_session(bank)
    await updated(bank, "sessions", {"body": "{}"}, f"id = '{row.id}'")


@plant("records")
async def a_session_whose_entry_is_cut(bank: MemoryBank) -> None:
    row = await only_session(bank)
    await updated(bank, "sessions", {"entry": '{"id": 1'}, f"id = '{row.id}'")


@plant("records")
async def a_session_whose_folder_leaves_the_archive(bank: MemoryBank) -> None:
    row = await only_session(bank)
    await updated(bank, "sessions", {"folder": "../../x"}, f"id = '{row.id}'")


@plant("records")
async def rows_of_a_session_that_is_not_in_the_catalogue(bank: MemoryBank) -> None:
    row = await only_session(bank)
    await bank.rooms.store._tables["sessions"].delete(f"id = '{row.id}'")


@plant("ledger")
async def rows_of_a_change_that_the_ledger_does_not_know(bank: MemoryBank) -> None:
    await updated(bank, "evidence", {"batch": "b:0123456789ab"}, "first = 1")


@plant("ledger")
async def a_change_whose_writer_died(bank: MemoryBank) -> None:
    store = bank.rooms.store
    intent = replace(store._writer.entry("intent", "index", (), (), None), owner="writer-dead")
    await store._tables.append("ledger", [intent])
    rows = await store.find("evidence", Where(kinds=("step",), first=1, last=1))
    copy = replace(rows[0], key="t:zzzzzzzzzzzz#1", trajectory="zzzzzzzzzzzz", batch=intent.batch)
    await store._tables.append("evidence", [copy])


@plant("ledger")
async def effects_that_were_not_carried_out(bank: MemoryBank) -> None:
    store = bank.rooms.store
    row = await only_session(bank)
    told = [{"kind": "state", "table": "sessions", "where": {"keys": [row.id], "states": []},
             "state": "live"}]  # fmt: skip
    intent = replace(store._writer.entry("intent", "index", (), (), None), owner="writer-dead")
    await store._tables.append("ledger", [intent])
    commit = replace(intent, phase="commit", effects=json.dumps(told))
    await store._tables.append("ledger", [commit])


@plant("ledger")
async def a_record_that_stands_twice(bank: MemoryBank) -> None:
    store = bank.rooms.store
    (row, *_) = await store.find("evidence", Where(kinds=("step",)))
    ledger = await store.ledger(op="index")
    older = replace(row, batch=ledger[0].batch, text="an older reading")
    note = await store.note("index", refs=(), inverse={"kind": "index"})
    await store._tables.append("evidence", [replace(older, batch=note, vector=None)])


@plant("purges")
async def a_session_that_was_purged_and_still_answers(bank: MemoryBank) -> None:
    row = await only_session(bank)
    key, _ = await bank.rooms.store.tombstones()
    await bank.rooms.store.put_tombstones([reaching.tombstone(key, row.id)])


@plant("purges")
async def an_erasure_that_was_cut_off(bank: MemoryBank) -> None:
    (bank.rooms.settings.store_dir / "purge.json").write_text("[]")


@plant("purges")
async def a_purge_that_was_cut_off(bank: MemoryBank) -> None:
    row = await only_session(bank)
    order = {"hidden": {"sessions": [row.id]}}
    (bank.rooms.settings.store_dir / "purging-0.json").write_text(json.dumps(order))


@plant("files")
async def a_data_file_that_no_version_names(bank: MemoryBank) -> None:
    folder = bank.rooms.settings.store_dir / "lance" / "evidence.lance" / "data"
    (folder / "0011.lance").write_bytes(b"what an append left")
    await aged(folder / "0011.lance")


@plant("files")
async def an_index_that_no_version_names(bank: MemoryBank) -> None:
    folder = bank.rooms.settings.store_dir / "lance" / "evidence.lance" / "_indices"
    file = folder / "01234567-89ab-4def-8123-456789abcdef" / "tokens.lance"
    file.parent.mkdir()
    file.write_bytes(b"words")
    await aged(file)


@plant("files")
async def a_file_that_was_half_written(bank: MemoryBank) -> None:
    file = bank.rooms.archive.root / f"{FRESH}left"
    file.write_bytes(b"half")
    await aged(file)


@plant("files")
async def papers_of_the_store_that_were_half_written(bank: MemoryBank) -> None:
    file = bank.rooms.settings.store_dir / "meta.json.new"
    file.write_bytes(b"{")
    await aged(file)


@plant("files")
async def the_lock_of_a_writer_that_died(bank: MemoryBank) -> None:
    (bank.rooms.settings.locks_dir / "writer-0.lock").touch(mode=0o600)


@plant("files")
async def stamps_that_cannot_be_read(bank: MemoryBank) -> None:
    (bank.rooms.settings.store_dir / "stamps.json").write_bytes(b"\xff")


@plant("files")
async def names_of_projects_that_cannot_be_read(bank: MemoryBank) -> None:
    (bank.rooms.settings.home / "projects.json").write_bytes(b"[1, 2")
    (bank.rooms.settings.home / "projects.json").chmod(0o600)


@plant("files")
async def a_note_of_a_hook_that_cannot_be_read(bank: MemoryBank) -> None:
    bank.rooms.settings.spool_dir.mkdir(mode=0o700, exist_ok=True)
    (bank.rooms.settings.spool_dir / "x.json").write_bytes(b"{")
    (bank.rooms.settings.spool_dir / "x.json").chmod(0o600)


@plant("files")
async def what_hooks_say_that_cannot_be_read(bank: MemoryBank) -> None:
    file = bank.rooms.settings.home / "hooks" / "ready" / "x.json"
    file.write_bytes(b"nonsense")
    file.chmod(0o600)


@plant("indexes")
async def a_word_index_that_is_gone(bank: MemoryBank) -> None:
    await bank.rooms.store._tables["evidence"].drop_index("text_idx")


@plant("indexes")
async def records_without_a_vector(bank: MemoryBank) -> None:
    store = bank.rooms.store
    (row, *_) = await store.find("evidence", Where(kinds=("step",), first=1, last=1))
    await store._tables["evidence"].delete(f"key = '{row.key}'")
    await store._tables.append("evidence", [replace(row, vector=None)])


@plant("modes")
async def a_home_that_others_may_enter(bank: MemoryBank) -> None:
    bank.rooms.settings.home.chmod(0o755)


@plant("modes")
async def a_file_that_others_may_read(bank: MemoryBank) -> None:
    (folder_of(bank, await only_session(bank)) / "steps.jsonl").chmod(0o644)


@pytest.fixture(autouse=True)
def _no_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "nobody"))


async def filled(bank: MemoryBank, folder: Path) -> None:
    """Two sessions and a memory that stands on one of them."""
    await bank.index(written(folder))
    (row, *_) = await bank.rooms.store.sessions()
    cited = Evidence(ref=f"t:{row.id}#1", quote="")
    await bank.retain(Draft(text="The pump needs grease", kind=MemoryKind.FACT, evidence=(cited,)))
    await bank.settle()


async def ill(bank: MemoryBank) -> dict[str, list[str]]:
    """What the doctor finds, by subject."""
    found: dict[str, list[str]] = {}
    for finding in await doctor.check(bank.rooms):
        if not finding.good:
            assert finding.advice
            found.setdefault(finding.subject, []).append(finding.what)
    found.pop("disk", None)  # how full the machine's disk is
    return found


def test_there_are_thirty_faults_and_more() -> None:
    assert len(PLANTS) >= 30


@pytest.mark.parametrize("name", PLANTS)
async def test_a_planted_fault_is_found_mended_and_found_no_more(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    subject, damage = PLANTS[name]
    async with open_bank(settings) as bank:
        await filled(bank, tmp_path)
        assert await ill(bank) == {}
        before = archived(settings)
        await damage(bank)
        assert subject in await ill(bank)
        assert await doctor.repair(bank.rooms)
        assert await ill(bank) == {}
        assert await doctor.repair(bank.rooms) == []
    async with open_bank(settings) as bank:
        assert await ill(bank) == {}
        if subject in {"archive", "records", "ledger"} and "memory" not in name:
            await bank.index(written(tmp_path))  # what a repair could not find again by itself
            assert archived(settings) == before


async def test_a_step_of_no_words_is_no_fault(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "quiet.jsonl"
    head = {"sessionId": "quiet", "cwd": str(tmp_path), "timestamp": "2026-03-01T10:00:00Z"}
    told = (
        {**head, "type": "user", "uuid": "a", "message": {"role": "user", "content": "Wait."}},
        {**head, "type": "assistant", "uuid": "b", "parentUuid": "a",
         "message": {"role": "assistant", "model": "m", "content": [{"type": "text", "text": ""}]}},
        {**head, "type": "user", "uuid": "c", "message": {"role": "user", "content": "Go on."}},
    )  # fmt: skip
    file.write_text("".join(json.dumps(each) + "\n" for each in told), encoding="utf-8")
    async with open_bank(settings) as bank:
        await bank.index([file])
        rows = await bank.rooms.store.find("evidence", Where())
        assert [row.text for row in rows if row.kind == "step"].count("") == 1
        assert await ill(bank) == {}
