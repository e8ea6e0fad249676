"""Zed: the database of agent threads, each compressed JSON (versions 0.1 to 0.3 of a thread).

It follows its published sources; no database of a real user was seen.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.database import MAGIC, has_columns, rows
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.jsonl import (
    HELD_BYTES,
    Record,
    count_at,
    list_at,
    object_at,
    read_head,
    text_at,
)
from mcp_memory.readers.opening import unpacked
from mcp_memory.readers.stored import sessions
from mcp_memory.readers.talk import Talk, spoken
from mcp_memory.readers.tools import is_shell

FORMAT = "zed"
VERSION = 1

MAPPED = frozenset(
    {"User", "Agent", "user", "assistant", "system", "Text", "Mention", "Image", "Thinking"}
    | {"ToolUse", "text", "thinking"}
)
"""Messages and their contents that become part of a trajectory."""
LEFT_OUT = {
    "Resume": "the user let the agent go on, and said nothing",
    "RedactedThinking": "encrypted",
    "redacted_thinking": "encrypted",
}
"""Known messages and contents that are counted and not kept, with the reason."""

_TABLES = {"threads": {"id", "summary", "updated_at", "data_type", "data"}}
_EXIT = re.compile(r"(?:failed|exited) with (?:exit )?code:? (-?\d{1,10})")


def recognize(path: Path) -> bool:
    """Whether the file is a database with this host's table."""
    return read_head(path).startswith(MAGIC) and has_columns(path, _TABLES)


def read(path: Path) -> Iterator[Trajectory]:
    """Each thread of a database, oldest first.

    Raises:
        InUse: its host holds it locked.
    """
    yield from sessions(path, FORMAT, _threads)


def _threads(base: sqlite3.Connection) -> Iterator[Trajectory]:
    for row in rows(base, "threads", order=("updated_at", "id")):
        yield _trajectory(row)


def _trajectory(row: Record) -> Trajectory:
    talk = Talk(title=text_at(row, "summary"), parent=text_at(row, "parent_id"))
    talk.asked_by = SourceClass.AGENT if talk.parent else SourceClass.USER
    talk.note(moment(row.get("updated_at")))
    talk.cwd = text_at(row, "folder_paths").partition("\n")[0]
    thread = _thread(talk, row)
    _describe(talk, thread)
    for message in list_at(thread, "messages"):
        _message(talk, message)
    return talk.trajectory(FORMAT, str(row.get("id")))


def _thread(talk: Talk, row: Record) -> Record:
    raw = row.get("data")
    try:
        if text_at(row, "data_type") == "zstd" and isinstance(raw, bytes):
            raw = unpacked(raw, HELD_BYTES)
        value = orjson.loads(raw) if isinstance(raw, str | bytes) else None
    except (OSError, orjson.JSONDecodeError) as error:
        talk.tally.refusals.append(Refusal(where="thread", reason=str(error)))
        return {}
    if not isinstance(value, dict):
        talk.tally.refusals.append(Refusal(where="thread", reason="not an object, or too large"))
        return {}
    return value


def _describe(talk: Talk, thread: Record) -> None:
    talk.title = text_at(thread, "title") or talk.title
    talk.model = text_at(object_at(thread, "model"), "model")
    snapshot = object_at(thread, "initial_project_snapshot")
    trees = list_at(snapshot, "worktree_snapshots")
    tree = trees[0] if trees else {}
    talk.cwd = talk.cwd or text_at(tree, "worktree_path")
    talk.branch = text_at(object_at(tree, "git_state"), "current_branch")
    used = object_at(thread, "cumulative_token_usage")
    talk.read, talk.written = count_at(used, "input_tokens"), count_at(used, "output_tokens")
    talk.note(moment(snapshot.get("timestamp")))


def _message(talk: Talk, message: Any) -> None:
    if not isinstance(message, dict):
        kind = message if isinstance(message, str) else "message"
        (talk.tally.skipped if kind in LEFT_OUT else talk.tally.unknown)[kind[:80]] += 1
    elif "role" in message:
        _older(talk, message)
    elif user := object_at(message, "User"):
        talk.ask("\n".join(_words(talk, part) for part in list_at(user, "content")))
    elif agent := object_at(message, "Agent"):
        draft = talk.say()
        for part in list_at(agent, "content"):
            _own(talk, draft, part)
        for id_, result in object_at(agent, "tool_results").items():
            _result(talk, id_, result)
    else:
        talk.tally.unknown[next(iter(message), "message")[:80]] += 1


def _words(talk: Talk, part: Any) -> str:
    kind = next(iter(part), "") if isinstance(part, dict) else ""
    if kind == "Text":
        return text_at(part, "Text")
    if kind == "Mention":
        # The file's content is the host's to show; the user named it.
        return f"[{_uri(object_at(part, 'Mention').get('uri'))}]"
    if kind == "Image":
        return spoken({"media_type": "image/png", "data": text_at(part["Image"], "source")})
    talk.tally.unknown[f"User/{kind}"[:80]] += 1
    return ""


def _uri(told: Any) -> str:
    """What a mention names: an address, or an object of one key with a path in it."""
    if isinstance(told, str):
        return told
    inner: Any = next(iter(told.values()), {}) if isinstance(told, dict) else {}
    return text_at(inner, "abs_path") or text_at(inner, "name") or "mention"


def _own(talk: Talk, draft: Draft, part: Any) -> None:
    kind = next(iter(part), "") if isinstance(part, dict) else ""
    if kind == "Text":
        draft.texts.append(text_at(part, "Text").strip())
    elif kind == "Thinking":
        draft.reasons.append(text_at(part["Thinking"], "text").strip())
    elif kind == "ToolUse":
        use = object_at(part, "ToolUse")
        told = use.get("input") or use.get("raw_input")
        talk.call(draft, text_at(use, "id"), text_at(use, "name"), told)
    else:
        (talk.tally.skipped if kind in LEFT_OUT else talk.tally.unknown)[
            kind[:80] or "content"
        ] += 1


def _older(talk: Talk, message: Record) -> None:
    """A message of a thread before version 0.3: segments, uses and results."""
    role = text_at(message, "role")
    segments = list_at(message, "segments")
    text = "\n".join(t for s in segments if (t := text_at(s, "text")) and not _thinks(s))
    if role == "user":
        talk.ask(text or text_at(message, "text"))
    elif role == "assistant":
        draft = talk.say(text or text_at(message, "text"))
        draft.reasons.extend(text_at(s, "text") for s in segments if _thinks(s))
        for use in list_at(message, "tool_uses"):
            talk.call(draft, text_at(use, "id"), text_at(use, "name"), object_at(use, "input"))
    elif role == "system":
        talk.boot(text)
    else:
        talk.tally.unknown[role[:80]] += 1
    for result in list_at(message, "tool_results"):
        _result(talk, text_at(result, "tool_use_id"), result)


def _thinks(segment: object) -> bool:
    return text_at(segment, "type") == "thinking"


def _result(talk: Talk, id_: str, result: Any) -> None:
    content = result.get("content") if isinstance(result, dict) else None
    text = content if isinstance(content, str) else text_at(content, "Text") or spoken(content)
    name = text_at(result, "tool_name")
    failed = result.get("is_error") if isinstance(result, dict) else None
    ended = _EXIT.search(text[:2000]) if is_shell(name) else None
    seen = Observation(
        call_id=id_,
        text=text,
        exit_code=int(ended[1]) if ended else None,
        failed=True if ended and int(ended[1]) else failed if isinstance(failed, bool) else None,
    )
    talk.result(seen, name)
