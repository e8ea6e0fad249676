"""Hermes Agent: its database of sessions, and recordings of one as JSONL (2026 seen).

The recordings are real; the database follows its published schema, none of a real user was seen.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.database import MAGIC, has_columns, rows
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    head_records,
    number_at,
    object_at,
    read_head,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.stored import sessions
from mcp_memory.readers.talk import Talk, spoken
from mcp_memory.readers.tally import STATE

FORMAT = "hermes"
VERSION = 1

MAPPED = frozenset({"user", "assistant", "tool", "system"})
"""Roles whose messages become part of a trajectory."""
LEFT_OUT = {"session_meta": STATE}
"""Known roles that are counted and not kept, with the reason."""

_TABLES = {
    "sessions": {"id", "source", "parent_session_id", "started_at"},
    "messages": {"session_id", "role", "content", "tool_call_id", "tool_calls", "tool_name"},
}
_MARKS = {"role", "content", "tool_calls", "tool_call_id", "tool_name", "finish_reason"}
_SKILL = re.compile(
    r"\[IMPORTANT: The user has invoked the \"[^\"\n]{1,100}\" skill\b.*?"
    r"(?:The user has provided the following instruction[^\n]*?: (?P<asked>.*)|\Z)",
    re.DOTALL,
)
_AGENTS = "[ASYNC DELEGATION"
_HEAD_LINES = 5


def recognize(path: Path) -> bool:
    """Whether the file is this host's database, or begins with a message in its columns."""
    head = read_head(path)
    if head.startswith(MAGIC):
        return has_columns(path, _TABLES)
    return any(_is_message(record) for record in head_records(head, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a recording, or each of a database."""
    if read_head(path).startswith(MAGIC):
        yield from sessions(path, FORMAT, _stored)
        return
    talk, first = Talk(), ("", "")
    for _, record in read_lines(path, talk.tally.refusals):
        first = first if any(first) else (_at(record), spoken(record.get("content")))
        _take(talk, record)
    yield talk.trajectory(FORMAT, content_id(*first, path=path))


def _is_message(record: Record) -> bool:
    return record.keys() >= _MARKS and text_at(record, "role") in MAPPED


def _at(record: Record) -> str:
    told = record.get("timestamp")
    return str(told) if isinstance(told, str | int | float) else ""


def _stored(base: sqlite3.Connection) -> Iterator[Trajectory]:
    for session in rows(base, "sessions", order=("started_at", "id")):
        talk = Talk()
        _describe(talk, session)
        id_ = session.get("id")
        for message in rows(base, "messages", {"session_id": id_}, ("timestamp", "id")):
            _take(talk, message)
        yield talk.trajectory(FORMAT, str(id_))


def _describe(talk: Talk, session: Record) -> None:
    talk.title, talk.model = text_at(session, "title"), text_at(session, "model")
    talk.cwd = text_at(session, "cwd")
    if text_at(session, "source") == "subagent":
        # A session that goes on after a compaction has a parent too, and is nobody's sub-agent.
        talk.asked_by = SourceClass.AGENT
        talk.parent = text_at(session, "parent_session_id")
    talk.read, talk.written = (count_at(session, f"{key}_tokens") for key in ("input", "output"))
    talk.boot(text_at(session, "system_prompt"))
    for key in ("started_at", "ended_at"):
        talk.note(moment(session.get(key)))


def _take(talk: Talk, record: Record) -> None:
    role, text = text_at(record, "role"), spoken(record.get("content"))
    at = moment(record.get("timestamp"))
    talk.cwd = talk.cwd or text_at(record, "_cwd")
    if role == "user":
        _ask(talk, text, record)
    elif role == "assistant":
        draft = talk.say(text, at, model=text_at(record, "_model") or talk.model)
        draft.reasons.append(text_at(record, "reasoning").strip())
        for call in _calls(record.get("tool_calls")):
            function = object_at(call, "function")
            id_ = text_at(call, "id") or text_at(call, "call_id")
            talk.call(draft, id_, text_at(function, "name"), function.get("arguments"))
    elif role == "tool":
        _result(talk, record, text)
    elif role == "system":
        talk.boot(text)
    elif role in LEFT_OUT:
        talk.tally.skipped[role] += 1
    else:
        talk.tally.unknown[role[:80] or "record without role"] += 1


def _ask(talk: Talk, text: str, record: Record) -> None:
    """A person's words; a skill's text and what the program goes on with are not."""
    at = moment(record.get("timestamp"))
    if text.startswith(_AGENTS):
        talk.tell(text, at, SourceClass.AGENT)
    elif skill := _SKILL.match(text):
        asked = skill["asked"] or ""
        talk.tell(text[: len(text) - len(asked)], at)
        talk.ask(asked, at)
    else:
        talk.ask(text, at)


def _result(talk: Talk, record: Record, text: str) -> None:
    told = _object(text)
    code = number_at(told, "exit_code")
    failed = bool(code) if code is not None else _failed(told)
    output = text_at(told, "output") if "exit_code" in told else ""
    seen = Observation(
        call_id=text_at(record, "tool_call_id"),
        text=output or text,
        exit_code=None if code is None else int(code),
        failed=failed,
    )
    talk.result(seen, text_at(record, "tool_name"), moment(record.get("timestamp")))


def _failed(told: Record) -> bool | None:
    success = told.get("success")
    if isinstance(success, bool):
        return not success
    return True if told.get("error") else None


def _calls(told: Any) -> list[Any]:
    value = _value(told)
    return value if isinstance(value, list) else []


def _object(text: str) -> Record:
    value = _value(text) if text.startswith("{") else None
    return value if isinstance(value, dict) else {}


def _value(told: Any) -> Any:
    try:
        return orjson.loads(told) if isinstance(told, str) and told else told
    except orjson.JSONDecodeError:
        return None
