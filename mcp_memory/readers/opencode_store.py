"""Store of opencode: its database of sessions, messages and parts, as exports of each session.

The tables are those of its published schema, which Kilo shares; no database of a real user was
seen.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.database import DAMAGED, MAGIC, InUse, has_columns, opened, rows
from mcp_memory.readers.jsonl import Record

_TABLES = {
    "session": {"id", "directory", "title"},
    "message": {"id", "session_id", "data"},
    "part": {"id", "message_id", "data"},
}


def is_store(path: Path, head: bytes) -> bool:
    """Whether the file is a database with this host's tables.

    Raises:
        InUse: its host holds it locked.
    """
    return head.startswith(MAGIC) and has_columns(path, _TABLES)


def stored_sessions(path: Path, refusals: list[Refusal]) -> Iterator[Record]:
    """Each session as its export would be, oldest first.

    Raises:
        InUse: its host holds it locked.
    """
    try:
        with opened(path) as base:
            for session in rows(base, "session", order=("time_created", "id")):
                yield {
                    "info": _facts(session),
                    "messages": _messages(base, session.get("id"), refusals),
                }
    except InUse:
        raise
    except DAMAGED as error:
        refusals.append(Refusal(where="database", reason=str(error)))


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
    for row in rows(base, "message", {"session_id": session}, ("time_created", "id")):
        message = row.get("id")
        info = _object(row.get("data"), f"message {message}", refusals)
        parts: list[Record] = [
            {**_object(part.get("data"), f"part {part.get('id')}", refusals), "id": part.get("id")}
            for part in rows(base, "part", {"message_id": message}, ("id",))
        ]
        messages.append({"info": {**info, "id": message, "sessionID": session}, "parts": parts})
    return messages


def _object(data: object, where: str, refusals: list[Refusal]) -> Record:
    value = _value(data)
    if isinstance(value, dict):
        return value
    refusals.append(Refusal(where=where, reason="not an object" if data else "too large, or none"))
    return {}


def _value(data: object) -> Any:
    try:
        return orjson.loads(data) if isinstance(data, str | bytes) else None
    except orjson.JSONDecodeError:
        return None
