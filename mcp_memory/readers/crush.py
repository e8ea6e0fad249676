"""Crush: the database of sessions that it keeps in a project's `.crush` folder.

The tables are those of its published schema; no database of a real user was seen.
"""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.database import MAGIC, has_columns, rows
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.jsonl import Record, count_at, object_at, read_head, text_at
from mcp_memory.readers.stored import sessions
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.tally import STATE

FORMAT = "crush"
VERSION = 1

MAPPED = frozenset({"text", "reasoning", "tool_call", "tool_result", "image_url", "binary"})
"""Parts of messages that become part of a trajectory."""
LEFT_OUT = {"finish": STATE}
"""Known parts that are counted and not kept, with the reason."""

_TABLES = {
    "sessions": {"id", "parent_session_id", "title", "prompt_tokens", "completion_tokens"},
    "messages": {"id", "session_id", "role", "parts", "model"},
}
_FOLDER = ".crush"


def recognize(path: Path) -> bool:
    """Whether the file is a database with this host's tables."""
    return read_head(path).startswith(MAGIC) and has_columns(path, _TABLES)


def read(path: Path) -> Iterator[Trajectory]:
    """Each session of a database, oldest first.

    Raises:
        InUse: its host holds it locked.
    """
    folder = path.absolute().parent
    cwd = str(folder.parent) if folder.name == _FOLDER else ""
    yield from sessions(path, FORMAT, partial(_sessions, cwd))


def _sessions(cwd: str, base: sqlite3.Connection) -> Iterator[Trajectory]:
    for session in rows(base, "sessions", order=("created_at", "id")):
        talk = Talk(cwd=cwd)
        _describe(talk, session)
        id_ = text_at(session, "id")
        for message in rows(base, "messages", {"session_id": id_}, ("created_at", "id")):
            _message(talk, message)
        yield talk.trajectory(FORMAT, id_)


def _describe(talk: Talk, session: Record) -> None:
    talk.title, talk.parent = text_at(session, "title"), text_at(session, "parent_session_id")
    talk.asked_by = SourceClass.AGENT if talk.parent else SourceClass.USER
    talk.read = count_at(session, "prompt_tokens")
    talk.written = count_at(session, "completion_tokens")
    for key in ("created_at", "updated_at"):
        talk.note(moment(session.get(key)))


def _message(talk: Talk, message: Record) -> None:
    role, at = text_at(message, "role"), moment(message.get("created_at"))
    parts = _parts(talk, message)
    if role == "assistant":
        draft = talk.say("", at, model=text_at(message, "model"))
        for kind, data in parts:
            _own(talk, draft, kind, data)
    elif role == "system":
        talk.boot("\n".join(text_at(data, "text") for _, data in parts))
    elif role in ("user", "tool"):
        for kind, data in parts:
            _others(talk, kind, data, at)
    else:
        talk.tally.unknown[f"message/{role}"[:80]] += 1
    if message.get("is_summary_message"):
        talk.drafts[-1].kind = "summary"


def _parts(talk: Talk, message: Record) -> list[tuple[str, Record]]:
    told: list[tuple[str, Record]] = []
    for part in _listed(talk, message):
        kind, data = text_at(part, "type"), object_at(part, "data")
        if kind in LEFT_OUT:
            talk.tally.skipped[kind] += 1
        elif kind in MAPPED:
            told.append((kind, data))
        else:
            talk.tally.unknown[kind[:80] or "part without type"] += 1
    return told


def _listed(talk: Talk, message: Record) -> list[Any]:
    try:
        value = orjson.loads(message.get("parts") or b"[]")
    except (orjson.JSONDecodeError, TypeError):
        value = None
    if isinstance(value, list):
        return value
    where = f"message {text_at(message, 'id')}"[:200]
    talk.tally.refusals.append(Refusal(where=where, reason="its parts are no list"))
    return []


def _own(talk: Talk, draft: Draft, kind: str, data: Record) -> None:
    if kind == "text":
        draft.texts.append(text_at(data, "text").strip())
    elif kind == "reasoning":
        draft.reasons.append(text_at(data, "thinking").strip())
    elif kind == "tool_call":
        talk.call(draft, text_at(data, "id"), text_at(data, "name"), data.get("input"))


def _others(talk: Talk, kind: str, data: Record, at: datetime | None) -> None:
    if kind == "text":
        talk.ask(text_at(data, "text"), at)
    elif kind == "tool_result":
        failed = data.get("is_error")
        seen = Observation(
            call_id=text_at(data, "tool_call_id"),
            text=text_at(data, "content"),
            failed=failed if isinstance(failed, bool) else None,
        )
        talk.result(seen, text_at(data, "name"), at)
    else:
        name = text_at(data, "url") or text_at(data, "Path") or text_at(data, "path")
        talk.tell(f"[{kind} {name}]".replace(" ]", "]"), at, SourceClass.EXTERNAL)
