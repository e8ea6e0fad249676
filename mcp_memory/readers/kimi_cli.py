"""Kimi CLI: `context.jsonl` of a session, its events in `wire.jsonl` beside it.

It follows its published sources; no session of a real user was seen.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Observation, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    first_records,
    list_at,
    number_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, facts_in, named_id, stem_of
from mcp_memory.readers.talk import REMINDER, Talk, spoken, thought
from mcp_memory.readers.tally import STATE
from mcp_memory.readers.tools import is_shell

FORMAT = "kimi_cli"
VERSION = 1

MAPPED = frozenset({"user", "assistant", "tool", "system", "_system_prompt", "_usage"})
"""Roles whose records become part of a trajectory."""
LEFT_OUT = {"_checkpoint": STATE, "user/system": REMINDER}
"""Known records that are counted and not kept, with the reason."""

_HEAD_LINES = 20
_OWN = frozenset({"_checkpoint", "_usage", "_system_prompt"})
_REMINDER = re.compile(r"\s*<system(?:-reminder)?>.*</system(?:-reminder)?>\s*\Z", re.DOTALL)
_ENDED = re.compile(r"exit code:? (-?\d{1,10})")
_WELL = "<system>Command executed successfully"
_ERROR = "<system>ERROR"


def recognize(path: Path) -> bool:
    """Whether marks of this host stand between messages in the first lines."""
    found = list(first_records(path, _HEAD_LINES))
    return bool(found) and any(_is_mark(record) for record in found)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file; an older part of it, rotated away, is told from it."""
    talk, first = Talk(), ""
    for _, record in read_lines(path, talk.tally.refusals):
        first = first or spoken(record.get("content"))
        _take(talk, record)
    folder, stem = path.absolute().parent, stem_of(path)
    native_id = named_id(folder.name) if stem.startswith("context") else ""
    if native_id:
        _describe(talk, folder)
    if native_id and stem != "context":
        talk.parent, native_id = native_id, f"{native_id}/{stem}"
    if native_id or talk.drafts:
        yield talk.trajectory(FORMAT, native_id or content_id(first, path=path))


def _is_mark(record: Record) -> bool:
    role = text_at(record, "role")
    marked = number_at(record, "id") is not None or number_at(record, "token_count") is not None
    return role in _OWN and (marked or role == "_system_prompt") and len(record) <= len(_OWN)


def _take(talk: Talk, record: Record) -> None:
    role, content = text_at(record, "role"), record.get("content")
    if role == "user":
        if _REMINDER.match(spoken(content)):
            talk.tally.skipped["user/system"] += 1
        else:
            talk.ask(spoken(content))
    elif role == "assistant":
        draft = talk.say(spoken(content))
        draft.reasons.append(thought(content))
        for call in list_at(record, "tool_calls"):
            function = object_at(call, "function")
            told = function.get("arguments")
            talk.call(draft, text_at(call, "id"), text_at(function, "name"), told)
    elif role == "tool":
        _result(talk, record)
    elif role in ("system", "_system_prompt"):
        talk.boot(spoken(content))
    elif role == "_usage":
        talk.read = max(talk.read, int(number_at(record, "token_count") or 0))
    elif role in LEFT_OUT:
        talk.tally.skipped[role] += 1
    else:
        talk.tally.unknown[role[:80] or "record without role"] += 1


def _result(talk: Talk, record: Record) -> None:
    id_, text = text_at(record, "tool_call_id"), spoken(record.get("content"))
    draft = talk.callers.get(id_)
    shell = bool(draft and id_ in draft.calls and is_shell(draft.calls[id_].name))
    ended = _ENDED.search(text[:500]) if shell else None
    code = int(ended[1]) if ended else 0 if shell and text.startswith(_WELL) else None
    failed = bool(code) if code is not None else text.startswith(_ERROR)
    talk.result(Observation(call_id=id_, text=text, exit_code=code, failed=failed))


def _describe(talk: Talk, folder: Path) -> None:
    """Where and when the session was, from what lies round it."""
    known = list_at(facts_in(folder.parents[2] / "kimi.json"), "work_dirs")
    for place in (text_at(told, "path") for told in known):
        # The host names the folder of a working directory by a hash of its path.
        digest = hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()
        if place and folder.parent.name.endswith(digest):
            talk.cwd = place
    talk.title = text_at(facts_in(folder / "state.json"), "custom_title")
    wire = folder / "wire.jsonl"
    with contextlib.suppress(OSError):
        told = first_records(wire, _HEAD_LINES) if wire.is_file() else ()
        times = (moment(record.get("timestamp")) for record in told)
        talk.note(next((at for at in times if at), None))
