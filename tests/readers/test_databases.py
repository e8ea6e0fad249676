"""Databases in use: what stands in their journal, locks, what was left behind, tables that are none."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from mcp_memory.readers import crush, database, detect, opencode
from mcp_memory.trajectories.indexing import Stamp

SCHEMA = """
    CREATE TABLE session (id TEXT, parent_id TEXT, directory TEXT, title TEXT, version TEXT,
        time_created INTEGER, time_updated INTEGER);
    CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT);
    CREATE TABLE part (id TEXT, message_id TEXT, data TEXT);
"""


def add(base: sqlite3.Connection, name: str) -> None:
    base.execute("INSERT INTO session VALUES (?, NULL, '/w', ?, '1', 1, 1)", (f"ses_{name}", name))
    data = orjson.dumps({"role": "user", "time": {"created": 1}}).decode()
    base.execute("INSERT INTO message VALUES (?, ?, 1, ?)", (f"msg_{name}", f"ses_{name}", data))
    part = orjson.dumps({"type": "text", "text": name}).decode()
    base.execute("INSERT INTO part VALUES (?, ?, ?)", (f"prt_{name}", f"msg_{name}", part))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "opencode.db"


@pytest.fixture
def live(path: Path) -> Iterator[sqlite3.Connection]:
    """The host's own connection, which keeps what is new in the journal."""
    base = sqlite3.connect(path, isolation_level=None)
    base.executescript(SCHEMA)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA wal_autocheckpoint = 0")
    add(base, "first")
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield base
    base.close()


def goals(path: Path) -> list[str]:
    return [session.goal for session in detect(path).read(path)]


def test_what_stands_in_the_journal_is_read_and_the_stamp_sees_it(
    path: Path, live: sqlite3.Connection
) -> None:
    before, size = Stamp.of(path), path.stat().st_size
    add(live, "second")
    assert path.stat().st_size == size
    assert goals(path) == ["first", "second"]
    assert Stamp.of(path) != before


def test_a_journal_that_nobody_has_open_is_read_without_a_file_made_beside_it(
    path: Path, live: sqlite3.Connection, tmp_path: Path
) -> None:
    add(live, "second")
    left = tmp_path / "backup"
    left.mkdir()
    for name in ("opencode.db", "opencode.db-wal"):
        (left / name).write_bytes((tmp_path / name).read_bytes())
    assert goals(left / "opencode.db") == ["first", "second"]
    assert sorted(file.name for file in left.iterdir()) == ["opencode.db", "opencode.db-wal"]


def test_a_locked_database_is_named_and_not_taken_for_an_unknown_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.01)
    base = sqlite3.connect(path, isolation_level=None)
    base.executescript(SCHEMA)
    add(base, "first")
    base.execute("BEGIN EXCLUSIVE")
    add(base, "second")
    with pytest.raises(OSError, match="in use and locked by its host"):
        detect(path)
    with pytest.raises(OSError, match="in use and locked by its host"):
        list(opencode.read(path))
    base.execute("ROLLBACK")
    base.close()
    assert goals(path) == ["first"]


def test_a_view_that_computes_without_end_is_no_table(path: Path) -> None:
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE VIEW session AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
        " SELECT id, '' AS directory, '' AS title FROM n;"
        "CREATE TABLE message (id, session_id, data); CREATE TABLE part (id, message_id, data);"
    )
    base.close()
    assert not opencode.recognize(path)
    assert [*opencode.read(path)] == []


def test_reading_that_takes_too_long_is_left_and_named(
    path: Path, live: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READ_SECONDS", 0.05)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    begun = time.monotonic()
    with pytest.raises(OSError, match="took more than"), database.opened(path) as base:
        base.execute(endless).fetchone()
    assert time.monotonic() - begun < 30


def test_a_value_too_large_to_be_held_costs_only_itself(
    path: Path, live: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "HELD_BYTES", 1000)
    large = orjson.dumps({"type": "text", "text": "x" * 5000}).decode()
    live.execute("INSERT INTO part VALUES ('prt_0', 'msg_first', ?)", (large,))
    (session,) = detect(path).read(path)
    assert session.goal == "first"
    assert [refusal.where for refusal in session.refusals] == ["part prt_0"]


def test_one_program_is_not_taken_for_another_by_its_tables(path: Path) -> None:
    base = sqlite3.connect(path)
    base.executescript("CREATE TABLE sessions (id, title); CREATE TABLE messages (id, parts);")
    base.close()
    assert not crush.recognize(path)
