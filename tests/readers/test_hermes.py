"""The Hermes reader: its database, and who speaks in a user's place."""

import sqlite3
from pathlib import Path

import orjson
from transcripts import SAMPLES, only

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.readers import detect

SCHEMA = """
    CREATE TABLE sessions (id TEXT, source TEXT, parent_session_id TEXT, model TEXT, title TEXT,
        started_at REAL, ended_at REAL, system_prompt TEXT, input_tokens INTEGER, output_tokens INTEGER);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, session_id TEXT, role TEXT, content TEXT,
        tool_call_id TEXT, tool_calls TEXT, tool_name TEXT, timestamp REAL, reasoning TEXT);
    INSERT INTO sessions VALUES ('a', 'cli', NULL, 'm-1', 'Greet', 1785704699.5, NULL, 'You are', 9, 3);
    INSERT INTO sessions VALUES ('b', 'cli', 'a', 'm-1', 'Goes on', 1785704800, NULL, '', 0, 0);
    INSERT INTO sessions VALUES ('c', 'subagent', 'a', 'm-1', 'Sub', 1785704900, NULL, '', 0, 0);
"""


def database(path: Path) -> Path:
    base = sqlite3.connect(path)
    base.executescript(SCHEMA)
    function = {"name": "terminal", "arguments": '{"command":"echo hello"}'}
    calls = orjson.dumps([{"id": "c1", "function": function}]).decode()
    for row in (
        ("a", "user", "Say hello", "", "", "", 1785704700),
        ("a", "assistant", "", "", calls, "", 1785704701),
        ("a", "tool", '{"output":"hello","exit_code":0}', "c1", "", "terminal", 1785704702),
        ("b", "user", "[CONTEXT COMPACTION] hello was said", "", "", "", 1785704801),
        ("c", "user", "Count", "", "", "", 1785704901),
    ):
        base.execute(
            "INSERT INTO messages (session_id, role, content, tool_call_id, tool_calls, tool_name,"
            " timestamp) VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    base.commit()
    base.close()
    return path


def test_each_session_of_the_database_is_read(tmp_path: Path) -> None:
    first, second, third = detect(path := database(tmp_path / "state.db")).read(path)
    assert (first.title, first.model, first.goal) == ("Greet", "m-1", "Say hello")
    assert [step.kind for step in first.steps] == ["boot", "user", "agent"]
    assert first.steps[2].observations[0].exit_code == 0
    assert (second.parent, second.steps[0].kind) == (None, "summary")
    assert third.parent == refs.trajectory_id("hermes", "a")
    assert third.steps[0].source is SourceClass.AGENT


def test_only_what_a_person_typed_is_the_users() -> None:
    told = [(s.text[:12], s.source) for s in only(SAMPLES / "hermes" / "nasty.jsonl").steps[:2]]
    assert told == [("[IMPORTANT: ", SourceClass.HOST), ("Plan the mov", SourceClass.USER)]
