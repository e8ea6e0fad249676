"""Mistral Vibe: `messages.jsonl` of a session (2026 seen), its facts beside it; version 1 in one.

The form of version 1 follows public descriptions; none of a real user was seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    first_records,
    list_at,
    object_at,
    read_head,
    read_lines,
    read_whole,
    text_at,
)
from mcp_memory.readers.naming import content_id, facts_in
from mcp_memory.readers.talk import Talk, spoken

FORMAT = "mistral_vibe"
VERSION = 1

MAPPED = frozenset({"user", "assistant", "tool", "system"})
"""Roles whose messages become part of a trajectory."""
LEFT_OUT: dict[str, str] = {}
"""Known records that are counted and not kept, with the reason: none."""

_SUMMARY = re.compile(r"<compaction_summary>(.*?)(?:</compaction_summary>|\Z)", re.DOTALL)
_RAN = re.compile(
    r"Manual `!` command result.{0,300}?Command: `(?P<command>[^\n]{0,20000})`\n"
    r".{0,2000}?Exit code: (?P<code>-?\d{1,10})",
    re.DOTALL,
)
_ENDED = re.compile(r"^return ?code: (-?\d{1,10})", re.MULTILINE | re.IGNORECASE)
_FAILED = "<tool_error>"
_META = "meta.json"
_WHOLE = re.compile(rb'\s*\{\s*"metadata"\s*:\s*\{')
_AGENT = re.compile(rb'"(?:agent_config|environment)"\s*:\s*\{')
_HEAD_LINES = 5


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a message with this host's own marks, or it is all one."""
    return _is_whole(read_head(path)) or any(
        _is_message(record) for record in first_records(path, _HEAD_LINES)
    )


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    talk, first = Talk(), ""
    if _is_whole(read_head(path)):
        whole = read_whole(path, talk.tally.refusals) or {}
        facts, told = object_at(whole, "metadata"), list_at(whole, "messages")
        for record in told:
            _take(talk, record if isinstance(record, dict) else {})
    else:
        for _, record in read_lines(path, talk.tally.refusals):
            first = first or text_at(record, "message_id")
            _take(talk, record)
        facts = facts_in(path.with_name(_META)) if path.name.startswith("messages.") else {}
    _describe(talk, facts)
    yield talk.trajectory(FORMAT, text_at(facts, "session_id") or content_id(first, path=path))


def _take(talk: Talk, record: Record) -> None:
    role = text_at(record, "role")
    if role == "user":
        _ask(talk, record)
    elif role == "assistant":
        _answer(talk, record)
    elif role == "tool":
        _result(talk, record)
    elif role == "system":
        talk.boot(spoken(record.get("content")))
    else:
        talk.tally.unknown[role[:80] or "record without role"] += 1


def _is_whole(head: bytes) -> bool:
    """Whether a file is a session of version 1: its facts and its messages in one object."""
    return bool(_WHOLE.match(head)) and b'"session_id"' in head and _AGENT.search(head) is not None


def _is_message(record: Record) -> bool:
    marked = isinstance(record.get("injected"), bool) or "reasoning_message_id" in record
    return marked and text_at(record, "role") in MAPPED and "message_id" in record


def _ask(talk: Talk, record: Record) -> None:
    """A person's words, or what the program wrote in a person's place."""
    text = spoken(record.get("content"))
    if record.get("injected") is not True:
        talk.ask(text)
    elif summary := _SUMMARY.search(text):
        talk.sum_up(summary[1])
    elif ran := _RAN.match(text):
        draft = talk.drafts.begin("user", SourceClass.USER)
        id_ = talk.call(draft, "", "bash", {"command": ran["command"]})
        code = int(ran["code"])
        talk.result(Observation(call_id=id_, text=text[ran.end() :].strip(), exit_code=code,
                                failed=code != 0), "bash")  # fmt: skip
    else:
        talk.tell(text)


def _answer(talk: Talk, record: Record) -> None:
    draft = talk.say(spoken(record.get("content")))
    draft.reasons.append(text_at(record, "reasoning_content").strip())
    for call in list_at(record, "tool_calls"):
        function = object_at(call, "function")
        told = function.get("arguments")
        talk.call(draft, text_at(call, "id"), text_at(function, "name"), told)


def _result(talk: Talk, record: Record) -> None:
    name, text = text_at(record, "name"), spoken(record.get("content"))
    ended = _ENDED.findall(text) if name == "bash" else []
    code = int(ended[-1]) if ended else None
    failed = text.startswith(_FAILED) or bool(code)
    talk.result(
        Observation(
            call_id=text_at(record, "tool_call_id"), text=text, exit_code=code, failed=failed
        ),
        name,
    )


def _describe(talk: Talk, facts: Record) -> None:
    """What the file beside the messages tells of the session."""
    stats, place = object_at(facts, "stats"), object_at(facts, "environment")
    talk.title = text_at(facts, "title")
    talk.cwd = text_at(place, "working_directory")
    talk.branch = text_at(facts, "git_branch")
    talk.model = text_at(object_at(facts, "config"), "active_model") or text_at(
        object_at(facts, "agent_config"), "active_model"
    )
    talk.read = count_at(stats, "session_prompt_tokens")
    talk.written = count_at(stats, "session_completion_tokens")
    for key in ("start_time", "end_time"):
        talk.note(moment(facts.get(key)))
