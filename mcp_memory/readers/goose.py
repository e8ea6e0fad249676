"""Goose: the database of all sessions, and the older JSONL file a session.

It follows its published sources; no session of a real user was seen.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.database import MAGIC, has_columns, rows
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    head_records,
    list_at,
    number_at,
    object_at,
    read_head,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, stem_of
from mcp_memory.readers.stored import sessions
from mcp_memory.readers.talk import Talk, spoken
from mcp_memory.readers.tally import STATE

FORMAT = "goose"
VERSION = 1

LEFT_OUT = {
    "redactedThinking": "encrypted",
    "contextLengthExceeded": STATE,
    "summarizationRequested": STATE,
    "toolConfirmationRequest": STATE,
    "actionRequired": STATE,
}
"""Known contents that are counted and not kept, with the reason."""

_TABLES = {
    "sessions": {"id", "description", "working_dir"},
    "messages": {"session_id", "role", "content_json", "created_timestamp"},
}
_EXIT = re.compile(r"exit (?:code|status):? (-?\d{1,10})", re.IGNORECASE)
_HEAD_LINES = 3


def recognize(path: Path) -> bool:
    """Whether the file is this host's database, or opens with a session's working folder."""
    head = read_head(path)
    if head.startswith(MAGIC):
        return has_columns(path, _TABLES)
    return any(_opens(record) for record in head_records(head, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file, or each of a database.

    Raises:
        InUse: its host holds it locked.
    """
    if read_head(path).startswith(MAGIC):
        yield from sessions(path, FORMAT, _stored)
        return
    talk, native_id = Talk(), ""
    for _, record in read_lines(path, talk.tally.refusals):
        if "working_dir" in record:
            _describe(talk, record)
            native_id = native_id or text_at(record, "id")
        else:
            _message(talk, record, list_at(record, "content"))
    named = stem_of(path) if re.fullmatch(r"\d{8}_\w{1,40}", stem_of(path)) else ""
    if native_id or named or talk.drafts:
        yield talk.trajectory(FORMAT, native_id or named or _first(talk, path))


def _opens(record: Record) -> bool:
    told = isinstance(record.get("working_dir"), str)
    return told and ("message_count" in record or "description" in record)


def _first(talk: Talk, path: Path) -> str:
    first = talk.drafts[0] if talk.drafts else None
    told = (str(first.at or ""), *first.texts[:1]) if first else ("",)
    return content_id(talk.cwd, *told, path=path)


def _stored(base: sqlite3.Connection) -> Iterator[Trajectory]:
    for session in rows(base, "sessions", order=("created_at", "id")):
        talk, id_ = Talk(), session.get("id")
        _describe(talk, session)
        order = ("created_timestamp", "id")
        for message in rows(base, "messages", {"session_id": id_}, order):
            _message(talk, message, _listed(talk, message))
        yield talk.trajectory(FORMAT, str(id_))


def _describe(talk: Talk, told: Record) -> None:
    talk.title = text_at(told, "name") or text_at(told, "description")
    talk.cwd = text_at(told, "working_dir")
    talk.read = count_at(told, "accumulated_input_tokens") or count_at(told, "input_tokens")
    talk.written = count_at(told, "accumulated_output_tokens") or count_at(told, "output_tokens")
    if text_at(told, "session_type") == "sub_agent":
        talk.asked_by = SourceClass.AGENT
    config = _value(told.get("model_config_json"))
    talk.model = text_at(config, "model_name")
    for key in ("created_at", "updated_at"):
        talk.note(moment(told.get(key)))


def _listed(talk: Talk, message: Record) -> list[Any]:
    value = _value(message.get("content_json"))
    if isinstance(value, list):
        return value
    where = f"message {message.get('id')}"[:200]
    talk.tally.refusals.append(Refusal(where=where, reason="its contents are no list"))
    return []


def _message(talk: Talk, message: Record, contents: list[Any]) -> None:
    role = text_at(message, "role")
    at = moment(number_at(message, "created_timestamp") or number_at(message, "created"))
    seen = object_at(message, "metadata") or _value(message.get("metadata_json"))
    hidden = isinstance(seen, dict) and seen.get("userVisible") is False
    draft = talk.say("", at) if role == "assistant" else None
    for content in contents:
        kind = text_at(content, "type")
        if kind in LEFT_OUT:
            talk.tally.skipped[kind] += 1
        elif kind not in MAPPED:
            talk.tally.unknown[kind[:80] or "content without type"] += 1
        elif draft is not None and kind in _OWN:
            _OWN[kind](talk, draft, content)
        elif kind == "toolResponse":
            _result(talk, content, at)
        elif hidden and kind == "text":
            # What only the model sees: the host's summary of what came before, or its order.
            talk.sum_up(text_at(content, "text"), at)
        elif kind == "systemNotification":
            talk.tell(text_at(content, "msg"), at)
        else:
            talk.ask(spoken(content), at)


def _say(talk: Talk, draft: Draft, content: Record) -> None:
    del talk
    draft.texts.append(spoken(content).strip())


def _think(talk: Talk, draft: Draft, content: Record) -> None:
    del talk
    draft.reasons.append((text_at(content, "thinking") or text_at(content, "text")).strip())


def _call(talk: Talk, draft: Draft, content: Record) -> None:
    told = object_at(content, "toolCall")
    value = object_at(told, "value") or told
    talk.call(draft, text_at(content, "id"), text_at(value, "name"), value.get("arguments"))


def _result(talk: Talk, content: Record, at: datetime | None) -> None:
    told = object_at(content, "toolResult")
    value = told.get("value")
    parts = value if isinstance(value, list) else list_at(value, "content")
    text = spoken([part for part in parts if _for_the_agent(part)] or parts)
    error = text_at(told, "error")
    failed = text_at(told, "status") == "error" or bool(error)
    if isinstance(value, dict) and isinstance(value.get("isError"), bool):
        failed = failed or value["isError"]
    code = number_at(object_at(value, "structuredContent"), "exit_code")
    ended = _EXIT.search(text[-200:]) if failed and code is None else None
    talk.result(
        Observation(
            call_id=text_at(content, "id"),
            text=text or error,
            exit_code=int(code) if code is not None else int(ended[1]) if ended else None,
            failed=failed or bool(code),
        ),
        at=at,
    )


def _for_the_agent(part: object) -> bool:
    """Results come twice, once for each who reads them."""
    readers = list_at(object_at(part, "annotations"), "audience")
    return not readers or "assistant" in readers


def _value(told: Any) -> Any:
    try:
        return orjson.loads(told) if isinstance(told, str | bytes) else None
    except orjson.JSONDecodeError:
        return None


_OWN: dict[str, Callable[[Talk, Draft, Record], None]] = {
    "text": _say,
    "image": _say,
    "thinking": _think,
    "reasoning": _think,
    "toolRequest": _call,
    "frontendToolRequest": _call,
}
MAPPED = frozenset(_OWN) | {"toolResponse", "systemNotification"}
"""Contents of messages that become part of a trajectory."""
