"""Continue: one JSON file a session.

It follows its published sources; no session of a real user was seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.jsonl import Record, list_at, object_at, read_head, read_whole, text_at
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk, spoken
from mcp_memory.readers.vscode_calls import path_of

FORMAT = "continue_dev"
VERSION = 1

MAPPED = frozenset({"user", "assistant", "thinking", "tool", "system", "conversationSummary"})
"""Roles whose messages become part of a trajectory, and what else of an item does."""
LEFT_OUT: dict[str, str] = {}
"""Known messages that are counted and not kept, with the reason: none."""

_KEYS = tuple(
    re.compile(rb'"%s"\s*:\s*["\[]' % key)
    for key in (b"sessionId", b"workspaceDirectory", b"history")
)
_FAILED = {"done": False, "errored": True, "canceled": True}


def recognize(path: Path) -> bool:
    """Whether the file is an object with a session's id, its workspace and its history."""
    head = read_head(path)
    return head.lstrip().startswith(b"{") and all(key.search(head) for key in _KEYS)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    talk = Talk()
    record = read_whole(path, talk.tally.refusals) or {}
    place = text_at(record, "workspaceDirectory")
    talk.title, talk.cwd = text_at(record, "title"), path_of(place) or place
    history = list_at(record, "history")
    answered = {text_at(object_at(item, "message"), "toolCallId") for item in history}
    for item in history:
        _item(talk, item, answered)
    yield talk.trajectory(FORMAT, text_at(record, "sessionId") or content_id(path=path))


def _item(talk: Talk, item: Any, answered: set[str]) -> None:
    """A message with what the host put beside it."""
    message = object_at(item, "message")
    role, text = text_at(message, "role"), spoken(message.get("content"))
    if role == "user":
        talk.ask(text)
        for context in list_at(item, "contextItems"):
            name = text_at(context, "description") or text_at(context, "name")
            told = f"[{name}]\n{text_at(context, 'content')}"
            talk.tell(told, source=SourceClass.EXTERNAL)
    elif role == "assistant":
        _answer(talk, item, message, text, answered)
    elif role == "thinking":
        talk.say().reasons.append(text.strip())
    elif role == "tool":
        talk.result(Observation(call_id=text_at(message, "toolCallId"), text=text))
    elif role == "system":
        talk.boot(text)
    else:
        talk.tally.unknown[role[:80] or "message without role"] += 1
    if summary := text_at(item, "conversationSummary"):
        talk.sum_up(summary)


def _answer(talk: Talk, item: Record, message: Record, text: str, answered: set[str]) -> None:
    draft = talk.say(text)
    reasoning = object_at(item, "reasoning")
    draft.reasons.append(text_at(reasoning, "text").strip())
    states = [state for state in list_at(item, "toolCallStates") if isinstance(state, dict)]
    calls = list_at(message, "toolCalls") or [state.get("toolCall") for state in states]
    for call in calls:
        function = object_at(call, "function")
        told = function.get("arguments")
        talk.call(draft, text_at(call, "id"), text_at(function, "name"), told)
    for state in states:
        id_ = text_at(state, "toolCallId")
        output = "\n".join(text_at(each, "content") for each in list_at(state, "output"))
        if id_ not in answered and (output or text_at(state, "status") in _FAILED):
            failed = _FAILED.get(text_at(state, "status"))
            talk.result(Observation(call_id=id_, text=output, failed=failed))
