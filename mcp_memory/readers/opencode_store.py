"""Store of opencode: its database of sessions, messages and parts, as exports of each session.

The tables are those of its published schema; no database of a real user was seen.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.database import DAMAGED, MAGIC, opened
from mcp_memory.readers.jsonl import Record

_TABLES = {
    "session": {"id", "directory", "title"},
    "message": {"id", "session_id", "data"},
    "part": {"id", "message_id", "data"},
}
_MESSAGES = "SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id"
_PARTS = "SELECT id, data FROM part WHERE message_id = ? ORDER BY id"


def is_store(path: Path, head: bytes) -> bool:
    """Whether the file is a database with this host's tables."""
    if not head.startswith(MAGIC):
        return False
    try:
        with closing(opened(path)) as base:
            return all(columns <= _columns(base, table) for table, columns in _TABLES.items())
    except DAMAGED:
        return False


def stored_sessions(path: Path, refusals: list[Refusal]) -> Iterator[Record]:
    """Each session as its export would be, oldest first."""
    try:
        with closing(opened(path)) as base:
            base.row_factory = sqlite3.Row
            for row in base.execute("SELECT * FROM session ORDER BY time_created, id").fetchall():
                session = dict(row)
                yield {
                    "info": _facts(session),
                    "messages": _messages(base, session.get("id"), refusals),
                }
    except DAMAGED as error:
        refusals.append(Refusal(where="database", reason=str(error)))


def _columns(base: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in base.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def _facts(session: Record) -> Record:
    return {
        "id": session.get("id"),
        "parentID": session.get("parent_id"),
        "directory": session.get("directory"),
        "title": session.get("title"),
        "version": session.get("version"),
        "revert": _value(session.get("revert")),
        "time": {"created": session.get("time_created"), "updated": session.get("time_updated")},
    }


def _messages(base: sqlite3.Connection, session: Any, refusals: list[Refusal]) -> list[Record]:
    messages: list[Record] = []
    for message, data in base.execute(_MESSAGES, (session,)).fetchall():
        info = _object(data, f"message {message}", refusals)
        parts: list[Record] = [
            {**_object(piece, f"part {part}", refusals), "id": part}
            for part, piece in base.execute(_PARTS, (message,))
        ]
        messages.append({"info": {**info, "id": message, "sessionID": session}, "parts": parts})
    return messages


def _object(data: object, where: str, refusals: list[Refusal]) -> Record:
    value = _value(data)
    if isinstance(value, dict):
        return value
    refusals.append(Refusal(where=where, reason="not an object"))
    return {}


def _value(data: object) -> Any:
    try:
        return orjson.loads(data) if isinstance(data, str | bytes) else None
    except orjson.JSONDecodeError:
        return None
