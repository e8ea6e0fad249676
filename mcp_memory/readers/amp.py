"""Amp: one JSON file a thread, in its data folder or an editor's.

It follows public descriptions; no thread of a real user was seen.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    list_at,
    number_at,
    object_at,
    read_head,
    read_whole,
    text_at,
)
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk, spoken, thought
from mcp_memory.readers.vscode_calls import path_of

FORMAT = "amp"
VERSION = 1

MAPPED = frozenset({"text", "thinking", "image", "tool_use", "tool_result", "summary"})
"""Blocks of messages that become part of a trajectory."""
LEFT_OUT = {"redacted_thinking": "encrypted"}
"""Known blocks that are counted and not kept, with the reason."""

_ID = re.compile(rb'"id"\s*:\s*"T-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"')
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_DENIED = frozenset({"rejected-by-user", "cancelled"})


def recognize(path: Path) -> bool:
    """Whether the file is a thread: an object with this host's kind of id, and messages."""
    head = read_head(path)
    return head.lstrip().startswith(b"{") and bool(_ID.search(head) and _MESSAGES.search(head))


def read(path: Path) -> Iterator[Trajectory]:
    """The one thread of a file."""
    talk = Talk()
    record = read_whole(path, talk.tally.refusals) or {}
    _describe(talk, record)
    for number, message in enumerate(list_at(record, "messages"), 1):
        if isinstance(message, dict):
            _message(talk, message)
        else:
            talk.tally.refusals.append(Refusal(where=f"message {number}", reason="not an object"))
    yield talk.trajectory(FORMAT, text_at(record, "id") or content_id(path=path))


def _describe(talk: Talk, record: Record) -> None:
    told = object_at(object_at(record, "env"), "initial")
    trees = list_at(told, "trees")
    tree = trees[0] if trees else {}
    talk.title, talk.cwd = text_at(record, "title"), path_of(text_at(tree, "uri"))
    talk.branch = text_at(object_at(tree, "repository"), "ref").removeprefix("refs/heads/")
    talk.version = text_at(object_at(told, "platform"), "clientVersion")
    talk.parent = text_at(record, "mainThreadID")
    talk.asked_by = SourceClass.AGENT if talk.parent else SourceClass.USER
    talk.note(moment(record.get("created")))


def _message(talk: Talk, message: Record) -> None:
    role, used = text_at(message, "role"), object_at(message, "usage")
    at = moment(object_at(message, "meta").get("sentAt")) or moment(used.get("timestamp"))
    content = list_at(message, "content")
    for block in content:
        kind = text_at(block, "type")
        kept = talk.tally.keeps(kind, MAPPED, LEFT_OUT, untyped="block without type")
        if kept and kind == "tool_result":
            _result(talk, block, at)
    if role == "user":
        if text := spoken(content).strip():
            talk.ask(text, at)
    elif role == "assistant":
        _answer(talk, content, used, at)
    elif text := spoken(content):
        talk.sum_up(text, at)


def _answer(talk: Talk, content: list[Any], used: Record, at: datetime | None) -> None:
    talk.read += count_at(used, "inputTokens") + count_at(used, "cacheReadInputTokens")
    talk.written += count_at(used, "outputTokens")
    draft = talk.say(spoken(content), at, model=text_at(used, "model"))
    draft.reasons.append(thought(content))
    for block in content:
        if text_at(block, "type") == "tool_use":
            told = object_at(block, "input")
            talk.call(draft, text_at(block, "id"), text_at(block, "name"), told)


def _result(talk: Talk, block: Record, at: datetime | None) -> None:
    run = object_at(block, "run")
    status, result = text_at(run, "status"), run.get("result")
    code = number_at(result, "exitCode")
    talk.result(
        Observation(
            call_id=text_at(block, "toolUseID") or text_at(block, "tool_use_id"),
            text=_said(result) or _said(run.get("error")) or spoken(block.get("content")),
            exit_code=None if code is None else int(code),
            failed=bool(code) if code is not None else _failed(status),
            source=SourceClass.USER if status in _DENIED else SourceClass.TOOL,
        ),
        at=at,
    )


def _failed(status: str) -> bool | None:
    return {"done": False, "error": True, "cancelled": True, "rejected-by-user": True}.get(status)


def _said(told: Any) -> str:
    if isinstance(told, str):
        return told
    if output := text_at(told, "output") or text_at(told, "content") or text_at(told, "message"):
        return output
    return orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS).decode() if told else ""
