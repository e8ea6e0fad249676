"""Hostile files: what one of them holds, is or is called never stops the indexing of the others."""

import gzip
import os
import sqlite3
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.history import indexer
from mcp_memory.readers import jsonl
from mcp_memory.settings import Settings


async def indexed(settings: Settings, paths: list[Path]) -> dict[str, str]:
    """Each file's name and what came of it."""
    async with open_bank(settings) as bank:
        return {os.fsdecode(r.path.name): r.status for r in await bank.index(paths)}


def unspeakable(folder: Path, raw: bytes, name: bytes = b"bad-\xff\xe9.jsonl") -> Path:
    """A file whose name is no UTF-8."""
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    path.write_bytes(raw)
    return path


async def test_a_session_in_a_file_whose_name_is_no_text_is_kept_and_known_again(
    settings: Settings, tmp_path: Path
) -> None:
    first, second = written(tmp_path)
    bad = unspeakable(tmp_path, first.read_bytes())
    nothing = unspeakable(tmp_path, b"{}\n", b"none-\xff.jsonl")
    first.unlink()
    told = await indexed(settings, [bad, nothing, second])
    assert [*told.values()] == ["indexed", "refused", "indexed"]
    told = await indexed(settings, [bad, nothing, second])
    assert [*told.values()] == ["unchanged"] * 3


async def test_a_folder_of_unreadable_things_is_gone_through(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "LINES", 1000)
    _, good = written(tmp_path)
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b"\n" * (4 << 20)))
    endless = sqlite3.connect(tmp_path / "opencode.db")
    endless.executescript(
        "CREATE VIEW session AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
        " SELECT id, '' AS directory, '' AS title, '' AS parent_id FROM n;"
        "CREATE VIEW sessions AS SELECT * FROM session; CREATE VIEW messages AS SELECT * FROM session;"
    )
    endless.close()
    handed = [tmp_path / "pipe.jsonl", tmp_path / "opencode.db", Path("/dev/zero"), tmp_path]
    told = await indexed(settings, [*handed, *indexer.transcripts([tmp_path])])
    assert told[good.name] == "indexed"
    assert told["pipe.jsonl"] == told["opencode.db"] == told["zero"] == "refused"
    assert told["bomb.jsonl.gz"] == "refused"


async def test_a_database_that_is_locked_is_named_and_read_at_the_next_indexing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_memory.readers.database.WAIT_SECONDS", 0.01)
    base = sqlite3.connect(tmp_path / "opencode.db", isolation_level=None)
    base.executescript(
        "CREATE TABLE session (id, directory, title); CREATE TABLE part (id, message_id, data);"
        "CREATE TABLE message (id, session_id, data); INSERT INTO session VALUES ('s', '/w', 't');"
        """INSERT INTO message VALUES ('m', 's', '{"role":"user"}');"""
        """INSERT INTO part VALUES ('p', 'm', '{"type":"text","text":"Grease the pulley"}');"""
    )
    base.execute("BEGIN EXCLUSIVE")
    base.execute("UPDATE session SET title = 'u'")
    path = tmp_path / "opencode.db"
    async with open_bank(settings) as bank:
        (report,) = await bank.index([path])
        assert (report.status, "locked by its host" in report.reason) == ("refused", True)
        base.execute("ROLLBACK")
        base.close()
        (report,) = await bank.index([path])
    assert (report.status, report.sessions) == ("indexed", 1)
