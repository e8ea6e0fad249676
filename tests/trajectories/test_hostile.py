"""Hostile transcripts: what ids, folders, names and texts hold cannot leave its place or act."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.history import indexer
from mcp_memory.settings import Settings

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m \u202ereversed\u2066 \x00 \x7f"


def line(**fields: object) -> bytes:
    told = {
        "uuid": "u1", "type": "user", "sessionId": "s", "timestamp": "2026-03-01T09:00:00Z",
        "message": {"role": "user", "content": "hello there"}, **fields,
    }  # fmt: skip
    return orjson.dumps(told) + b"\n"


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings) as bank:
        yield bank


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "fields",
    [
        {"sessionId": "../../../../escaped"},
        {"sessionId": "..\\..\\escaped", "cwd": "..\\..\\C:\\Windows"},
        {"sessionId": "/etc/passwd", "cwd": "/../../../../escaped"},
        {"sessionId": "s\n\r\t\x00", "cwd": "/home/u/a\nb\x1b[31m"},
        {"sessionId": "CON", "cwd": "C:\\AUX\\NUL."},
        {"sessionId": "x" * 5_000, "cwd": "/" + "y" * 5_000},
        {"slug": "../../escaped", "gitBranch": "../../escaped", "agentId": "../../escaped"},
    ],
)
async def test_no_id_or_folder_leads_out_of_the_archive(
    bank: MemoryBank, settings: Settings, tmp_path: Path, fields: dict[str, object]
) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(line(**fields))
    before = set(files(tmp_path))
    (report,) = await bank.index([path])
    assert report.status == "indexed"
    made = set(files(tmp_path)) - before
    inside = [p for p in made if p.is_relative_to(settings.home)]
    assert sorted(made) == sorted(inside)
    for each in files(settings.archive_dir):
        name = each.relative_to(settings.archive_dir).as_posix()
        assert name.isprintable()
        assert ".." not in each.parts
        assert all(len(part) < 200 for part in each.parts)


async def test_terminal_escapes_are_inert_in_every_file(
    bank: MemoryBank, settings: Settings, tmp_path: Path
) -> None:
    said = {"role": "user", "content": f"before {ESCAPES} after"}
    call = {"type": "tool_use", "id": "c", "name": "Bash", "input": {"command": f"ls {ESCAPES}"}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": f"Error: {ESCAPES}",
              "is_error": True}  # fmt: skip
    path = tmp_path / "session.jsonl"
    path.write_bytes(
        line(message=said)
        + line(uuid="u2", type="assistant", message={"role": "assistant", "content": [call]})
        + line(uuid="u3", message={"role": "user", "content": [result]})
    )
    await bank.index([path])
    for each in files(settings.archive_dir):
        text = each.read_text(encoding="utf-8")
        loose = {c for c in text if c != "\n" and not c.isprintable() and not c.isspace()}
        assert loose == set(), each.name


async def test_a_transcript_with_a_hostile_name_is_read(bank: MemoryBank, tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[31m'; rm -rf $HOME #.jsonl"
    path.write_bytes(line())
    (report,) = await bank.index([path])
    assert report.status == "indexed"


async def test_links_in_a_folder_are_not_followed(bank: MemoryBank, tmp_path: Path) -> None:
    secret, folder = tmp_path / "outside", tmp_path / "inside"
    secret.mkdir()
    folder.mkdir()
    (secret / "session.jsonl").write_bytes(line())
    (folder / "linked").symlink_to(secret, target_is_directory=True)
    (folder / "linked.jsonl").symlink_to(secret / "session.jsonl")
    os.mkfifo(folder / "pipe.jsonl") if hasattr(os, "mkfifo") else None
    assert list(indexer.transcripts([folder])) == []


async def test_json_a_hundred_thousand_deep_is_refused_by_name(
    bank: MemoryBank, tmp_path: Path
) -> None:
    path = tmp_path / "session.jsonl"
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n"
    path.write_bytes(line() + deep + line(uuid="u2"))
    (report,) = await bank.index([path])
    assert (report.status, report.steps) == ("indexed", 2)
    assert [refusal.reason for refusal in report.refusals] == ["nested too deep"]
