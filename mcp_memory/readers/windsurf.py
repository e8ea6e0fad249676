"""Windsurf: the transcripts that Cascade writes for a hook; its own store is encrypted.

They follow its documentation, which says that they may change; none of a real user was seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    first_records,
    number_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, named_id, stem_of
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.vscode_calls import path_of

FORMAT = "windsurf"
VERSION = 1

MAPPED = frozenset({"user_input", "planner_response", "action"})
"""Steps that become part of a trajectory; any other with a content is an action of the agent's."""
LEFT_OUT: dict[str, str] = {}
"""Known steps that are counted and not kept, with the reason: none."""

_TYPE = re.compile(r"[a-z][a-z0-9_]{1,60}")
_TOOLS = {"code_action": "write_file", "propose_code": "write_file", "view_file": "view_file"}
_SAID = ("output", "stdout", "combined_output", "result", "content", "response", "text")
_HEAD_LINES = 10


def recognize(path: Path) -> bool:
    """Whether most of the first lines are steps whose type names the content beside it."""
    found = list(first_records(path, _HEAD_LINES))
    steps = [text_at(record, "type") for record in found if _is_step(record)]
    return len(steps) * 2 > len(found) and not {"user_input", "planner_response"}.isdisjoint(steps)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    talk, first = Talk(), ""
    for _, record in read_lines(path, talk.tally.refusals):
        kind = text_at(record, "type")
        told = object_at(record, kind)
        at = talk.note(moment(record.get("timestamp") or record.get("created_at")))
        if kind == "user_input":
            text = text_at(told, "user_response") or text_at(told, "query")
            first = first or text
            talk.ask(text, at)
        elif kind == "planner_response":
            draft = talk.say(text_at(told, "response"), at)
            draft.reasons.append(text_at(told, "thinking").strip())
        elif _TYPE.fullmatch(kind) and told:
            _act(talk, kind, told, record)
        else:
            talk.tally.unknown[kind[:80] or "step without type"] += 1
    named = named_id(stem_of(path))
    if named or talk.drafts:
        yield talk.trajectory(FORMAT, named or content_id(first, path=path))


def _is_step(record: Record) -> bool:
    kind = text_at(record, "type")
    return bool(_TYPE.fullmatch(kind)) and "status" in record and isinstance(record.get(kind), dict)


def _act(talk: Talk, kind: str, told: Record, record: Record) -> None:
    """An action, with what it brought back where that is told."""
    draft = talk.say(at=moment(record.get("timestamp")))
    output = next((text for key in _SAID if (text := text_at(told, key))), "")
    arguments: dict[str, Any] = {k: v for k, v in told.items() if told.get(k) != output}
    for key in ("path", "absolute_path", "uri"):
        if place := text_at(told, key):
            arguments["path"] = path_of(place) or place
    if "command_line" in told:
        arguments["command"] = told["command_line"]
    id_ = talk.call(draft, "", _TOOLS.get(kind, kind), arguments)
    code = number_at(told, "exit_code")
    failed = bool(code) if code is not None else text_at(record, "status") == "error"
    if not output and code is None and not failed:
        return
    talk.result(
        Observation(
            call_id=id_,
            text=output or orjson.dumps(told).decode(),
            exit_code=None if code is None else int(code),
            failed=failed,
        )
    )
