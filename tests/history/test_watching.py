"""Watching and the spool: what grows is read on, what is handed over is taken, nothing is doubled."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.history import watching
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings) as bank:
        yield bank


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "QUIET_MS", 50)
    monkeypatch.setattr(watching, "LOOK_MS", 500)


async def steps(bank: MemoryBank) -> dict[str, int]:
    return {row.source_path: row.steps for row in await bank.rooms.store.catalogue()}


async def test_a_growing_transcript_is_read_to_its_last_whole_line_and_on(
    bank: MemoryBank, tmp_path: Path
) -> None:
    whole, _ = written(tmp_path / "made")
    lines = whole.read_bytes().splitlines(keepends=True)
    growing = tmp_path / "growing" / "session.jsonl"
    growing.parent.mkdir()
    growing.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    async with aclosing(watching.watch(bank.rooms, lambda: [growing])) as passes:
        with anyio.fail_after(30):
            (first,) = await anext(passes)
            assert [r.reason for r in first.refusals] == ["truncated last line"]
            growing.write_bytes(whole.read_bytes())
            (second,) = await anext(passes)
    assert (first.status, second.status) == ("indexed", "indexed")
    assert second.refusals == ()
    assert first.steps < second.steps
    assert await steps(bank) == {str(growing): second.steps}


async def test_a_transcript_that_was_renamed_is_neither_lost_nor_doubled(
    bank: MemoryBank, tmp_path: Path
) -> None:
    path, _ = written(tmp_path)
    folder = tmp_path / "kept"
    folder.mkdir()
    old = path.rename(folder / "old.jsonl")
    async with aclosing(watching.watch(bank.rooms, lambda: sorted(folder.iterdir()))) as passes:
        with anyio.fail_after(30):
            await anext(passes)
            moved = old.rename(folder / "new.jsonl")
            with moved.open("ab") as file:
                file.write(b"{nope}\n")
            await anext(passes)
    (row,) = await bank.rooms.store.catalogue()
    assert row.steps > 1


async def test_what_a_hook_hands_over_is_indexed_and_its_note_goes(
    bank: MemoryBank, tmp_path: Path
) -> None:
    path, _ = written(tmp_path)
    spool.leave(bank.rooms.settings.spool_dir, str(path), "s")
    async with aclosing(watching.watch(bank.rooms, list)) as passes:
        with anyio.fail_after(30):
            (report,) = await anext(passes)
    assert (report.path, report.status) == (path, "indexed")
    assert spool.waiting(bank.rooms.settings.spool_dir) == []


def test_a_note_holds_path_size_and_session_and_replaces_its_own(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    for _ in range(2):
        note = spool.leave(tmp_path / "spool", str(path), "s")
    assert json.loads(note.read_bytes()) == {
        "path": str(path), "size": path.stat().st_size, "session": "s",
    }  # fmt: skip
    assert [file.name for file in (tmp_path / "spool").iterdir()] == [note.name]


def test_a_note_that_was_left_anew_stays(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    spool.leave(tmp_path / "spool", str(path))
    (note,) = spool.waiting(tmp_path / "spool")
    path.write_bytes(path.read_bytes() * 2)
    spool.leave(tmp_path / "spool", str(path))
    spool.done(note)
    assert len(spool.waiting(tmp_path / "spool")) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b'{"path": 3}', b"\xff", b'{"path":"a\\u0000"}'])
def test_a_damaged_note_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert spool.waiting(tmp_path) == []


@pytest.mark.parametrize("told", [b"", b"[]", b"{}", b'{"transcript_path": 7}', b"\xff\x00"])
def test_a_hook_never_fails_and_prints_nothing(tmp_path: Path, told: bytes) -> None:
    done = hand_over(tmp_path, told)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_hook_leaves_a_note_and_loads_no_heavy_library(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    told = json.dumps({"transcript_path": str(path), "session_id": "s"}).encode()
    done = hand_over(tmp_path, told, "-X", "importtime")
    assert [note.transcript for note in spool.waiting(tmp_path / "home" / "spool")] == [path]
    loaded = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert not {b"pydantic", b"anyio", b"lancedb", b"orjson"} & loaded


def hand_over(tmp_path: Path, told: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *options, "-m", "mcp_memory.hooks.spool"],
        input=told, capture_output=True, check=False, timeout=50,
        env={**os.environ, "MCP_MEMORY_HOME": str(tmp_path / "home")},
    )  # fmt: skip


async def test_a_database_in_use_is_read_on_when_only_its_journal_grows(
    bank: MemoryBank, tmp_path: Path
) -> None:
    path = tmp_path / "opencode.db"
    live = sqlite3.connect(path, isolation_level=None)
    live.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
        "CREATE TABLE session (id, directory, title); CREATE TABLE part (id, message_id, data);"
        "CREATE TABLE message (id, session_id, data); INSERT INTO session VALUES ('s', '/w', 't');"
        """INSERT INTO message VALUES ('m', 's', '{"role":"user"}');"""
        """INSERT INTO part VALUES ('p', 'm', '{"type":"text","text":"Oil it"}');"""
    )
    async with aclosing(watching.watch(bank.rooms, lambda: [path])) as passes:
        with anyio.fail_after(30):
            (first,) = await anext(passes)
            live.execute(
                """INSERT INTO part VALUES ('q', 'm', '{"type":"text","text":"And more"}')"""
            )
            (second,) = await anext(passes)
    live.close()
    assert (first.status, second.status) == ("indexed", "indexed")
    assert first.steps < second.steps
