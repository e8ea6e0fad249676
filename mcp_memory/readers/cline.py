"""Cline and Roo Code: a session's messages as JSON (format 1 seen), or a task's bare list of them.

The task lists of the editor extensions follow their published sources; none of a real user was
seen. A task's `ui_messages.json` tells the same again and is not read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, Refusal, Trajectory
from mcp_memory.readers.cline_turns import BLOCKS, UNSAID, Turns
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    list_at,
    object_at,
    read_head,
    read_json,
    read_whole,
    text_at,
)

FORMAT = "cline"
VERSION = 1

_FILE = frozenset({"version", "updated_at", "agent", "sessionId", "messages", "system_prompt"})
MAPPED = _FILE | BLOCKS
"""Keys of the file, and blocks of its messages, that become part of a trajectory."""
LEFT_OUT = UNSAID
"""Known blocks that are counted and not kept, with the reason."""

_PAIR = r'"[^"\\]{1,80}"\s*:\s*(?:"[^"\\]{0,1000}"|-?\d[\d.]{0,30}|true|false|null)\s*,\s*'
_SESSION = re.compile(rf'\s*\{{\s*((?:{_PAIR}){{2,12}})"messages"\s*:\s*\['.encode())
_TASK = re.compile(
    (
        rf'\s*\[\s*\{{\s*(?:{_PAIR}){{0,4}}"content"\s*:\s*'
        r'(?:\[\s*\{\s*"type"\s*:\s*"text"\s*,\s*"text"\s*:\s*)?"\s*<(?:task|user_message)>'
    ).encode()
)
_MESSAGES = ".messages.json"


def recognize(path: Path) -> bool:
    """Whether the file begins with a session's agent and messages, or with a task for one."""
    head = read_head(path)
    session = _SESSION.match(head)
    if session:
        return all(key in session[1] for key in (b'"sessionId"', b'"agent"', b'"updated_at"'))
    return bool(_TASK.match(head)) and b"<environment_details>" in head


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    refusals: list[Refusal] = []
    value = read_json(path, refusals)
    record = {"messages": value} if isinstance(value, list) else value
    yield _trajectory(path, record if isinstance(record, dict) else {}, refusals)


def _trajectory(path: Path, record: Record, refusals: list[Refusal]) -> Trajectory:
    turns = Turns(refusals)
    turns.unknown.update(f"file/{key}"[:80] for key in record if key not in _FILE)
    turns.boot(text_at(record, "system_prompt"))
    messages = list_at(record, "messages")
    for number, message in enumerate(messages, 1):
        turns.take(number, message)
    native_id = _native_id(record, messages, path.name)
    facts = _facts(path, text_at(record, "sessionId"))
    begun = filter(None, (moment(facts.get("started_at")), turns.lifetime.begun))
    verdict, reason = _verdict(facts)
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=text_at(object_at(facts, "metadata"), "title")[:1000],
        goal=turns.drafts.goal,
        cwd=text_at(facts, "cwd") or turns.cwd,
        model=next(iter(turns.models), None) or text_at(facts, "model") or None,
        parent=_parent(text_at(record, "sessionId")),
        started_at=min(begun, default=None),
        ended_at=turns.lifetime.ended or moment(record.get("updated_at")),
        steps=tuple(draft.finished() for draft in turns.drafts),
        verdict=verdict,
        verdict_reason=reason,
        tokens_in=turns.tokens_in,
        tokens_out=turns.tokens_out,
        skipped=dict(turns.skipped),
        unknown=dict(turns.unknown),
        refusals=tuple(refusals),
    )


def _native_id(record: Record, messages: list[Any], name: str) -> str:
    """The host's id; of a task, whose id is only its folder's name, a hash of how it was asked.

    What the agent was told first has the time of day in it.
    """
    session = text_at(record, "sessionId")
    first = messages[0] if messages else None
    if not session:
        asked = [text_at(part, "text") for part in list_at(first, "content")]
        return refs.short_hash(text_at(first, "content"), *asked, "" if messages else name)
    kind = text_at(object_at(first, "metadata"), "kind")
    return f"{session}/compacted" if kind.startswith("compaction") else session


def _parent(session: str) -> str | None:
    """A session that an agent started is named after the one that it was started in."""
    root, made, _ = session.partition("__")
    return refs.trajectory_id(FORMAT, root) if made and root else None


def _facts(path: Path, session: str) -> Record:
    """What the file beside a session's messages tells, where it is of the same session."""
    if not session or not path.name.endswith(_MESSAGES):
        return {}
    try:
        facts = read_whole(path.with_name(path.name.removesuffix(_MESSAGES) + ".json"), [])
    except OSError:
        return {}
    return facts if facts and text_at(facts, "session_id") == session else {}


def _verdict(facts: Record) -> tuple[Outcome, str]:
    status = text_at(facts, "status")
    if status in {"failed", "error"}:
        return Outcome.FAILURE, f"session status {status}"
    if status:
        return Outcome.UNKNOWN, f"session status {status[:80]}: not tested"
    return Outcome.UNKNOWN, "no session status beside the messages"
