"""Factory Droid: one JSONL file a session, its settings beside it.

It follows public descriptions; no recording of a real user was seen.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    first_records,
    list_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, facts_in, stem_of
from mcp_memory.readers.talk import Talk, spoken, thought
from mcp_memory.readers.tally import STATE

FORMAT = "factory_droid"
VERSION = 1

MAPPED = frozenset({"session_start", "message", "compaction_state"})
"""Records that become part of a trajectory."""
LEFT_OUT = {"todo_state": STATE, "session_end": STATE}
"""Known records that are counted and not kept, with the reason."""

_HEAD_LINES = 5
_AGENTS_TASK = "# Task Tool Invocation"


def recognize(path: Path) -> bool:
    """Whether one of the first lines opens a session as this host does."""
    return any(_opens(record) for record in first_records(path, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file; branches that were left are kept, and marked."""
    talk, native_id = Talk(), ""
    for _, record in read_lines(path, talk.tally.refusals):
        kind = text_at(record, "type")
        if kind == "session_start":
            native_id = native_id or text_at(record, "id")
            _open(talk, record)
        elif kind == "message":
            begun = len(talk.drafts)
            _message(talk, object_at(record, "message"), record)
            talk.grow(text_at(record, "id"), text_at(record, "parentId"), begun)
        elif kind == "compaction_state":
            told = spoken(record.get("summaryText")) or spoken(record.get("summary"))
            talk.sum_up(told, moment(record.get("timestamp")))
        elif kind in LEFT_OUT:
            talk.tally.skipped[kind] += 1
        else:
            talk.tally.unknown[kind[:80] or "record without type"] += 1
    if not any(talk.parents.values()):
        # Older versions wrote no parents: then nothing was left.
        talk.owners.clear()
    _describe(talk, facts_in(path.with_name(f"{stem_of(path)}.settings.json")))
    yield talk.trajectory(FORMAT, native_id or content_id(path=path))


def _opens(record: Record) -> bool:
    told = isinstance(record.get("id"), str) and isinstance(record.get("cwd"), str)
    marked = "title" in record or "owner" in record or "sessionTitle" in record
    return text_at(record, "type") == "session_start" and told and marked


def _open(talk: Talk, record: Record) -> None:
    told = text_at(record, "sessionTitle") or text_at(record, "title")
    if told.startswith(_AGENTS_TASK):
        talk.asked_by = SourceClass.AGENT
    talk.title, talk.cwd = told or talk.title, text_at(record, "cwd") or talk.cwd
    talk.parent = text_at(record, "callingSessionId") or talk.parent


def _message(talk: Talk, message: Record, record: Record) -> None:
    at, role = moment(record.get("timestamp")), text_at(message, "role")
    content = message.get("content")
    if role == "assistant":
        draft = talk.say(spoken(content), at, model=text_at(message, "model"))
        draft.reasons.append(thought(content))
        for block in list_at(message, "content"):
            if text_at(block, "type") == "tool_use":
                told = object_at(block, "input")
                talk.call(draft, text_at(block, "id"), text_at(block, "name"), told)
    elif role == "user":
        for block in list_at(message, "content"):
            if text_at(block, "type") == "tool_result":
                _result(talk, block, at)
        text = spoken(content)
        if text_at(record, "visibility") == "llm_only":
            talk.tell(text, at)
        elif text.strip():
            talk.ask(text, at)
    else:
        talk.tally.unknown[f"message/{role}"[:80]] += 1


def _result(talk: Talk, block: Record, at: datetime | None) -> None:
    failed = block.get("is_error")
    talk.result(
        Observation(
            call_id=text_at(block, "tool_use_id"),
            text=spoken(block.get("content")),
            failed=failed if isinstance(failed, bool) else None,
        ),
        at=at,
    )


def _describe(talk: Talk, facts: Record) -> None:
    used = object_at(facts, "tokenUsage")
    talk.model = talk.model or text_at(facts, "model")
    talk.read, talk.written = count_at(used, "inputTokens"), count_at(used, "outputTokens")
