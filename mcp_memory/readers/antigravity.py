"""Antigravity: `transcript.jsonl` of a session's numbered steps (2026 seen), in its brain folder."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.jsonl import (
    Record,
    first_records,
    list_at,
    number_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, named_id
from mcp_memory.readers.talk import REMINDER, Talk
from mcp_memory.readers.tally import STATE

FORMAT = "antigravity"
VERSION = 1

LEFT_OUT = {
    "CONVERSATION_HISTORY": STATE,
    "KNOWLEDGE_ARTIFACTS": STATE,
    "EPHEMERAL_MESSAGE": REMINDER,
}
"""Known steps that are counted and not kept, with the reason."""
MAPPED = frozenset(
    {"USER_INPUT", "PLANNER_RESPONSE", "CHECKPOINT", "SYSTEM_MESSAGE", "ERROR_MESSAGE", "result"}
)
"""Steps that become part of a trajectory; any other of the model's is a call's result."""

_SOURCES = frozenset({"USER_EXPLICIT", "USER_IMPLICIT", "MODEL", "SYSTEM"})
_REQUEST, _REQUEST_END = "<USER_REQUEST>", "</USER_REQUEST>"
_MODEL = re.compile(r"`Model Selection` from [^\n]{0,100}? to ([^\n]{1,100}?)\. ")
_EXIT = re.compile(r"The command (?:completed (successfully)|failed with exit code: (-?\d{1,10}))")
_SENDER = re.compile(r"\[Message\][^\n]{0,200}?\bsender=(\S+)")
_HEADER = re.compile(r"\A(?:Created At: [^\n]*\n|Completed At: [^\n]*\n)+\s*")
_HEAD_LINES = 5


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a numbered step with a source, a type and a status."""
    return any(_is_step(record) for record in first_records(path, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    file = _File()
    for _, record in read_lines(path, file.talk.tally.refusals):
        file.take(record)
    # Its folder is named after the session: brain/<id>/.system_generated/logs/transcript.jsonl.
    folder = named_id(*path.parts[-4:-1]) if path.parent.name == "logs" else ""
    yield file.talk.trajectory(FORMAT, folder or content_id(*file.first, path=path))


def _is_step(record: Record) -> bool:
    told = all(text_at(record, key) for key in ("type", "status", "created_at"))
    numbered = number_at(record, "step_index") is not None
    return told and numbered and text_at(record, "source") in _SOURCES


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    talk: Talk = field(default_factory=Talk)
    first: tuple[str, ...] = ()
    waiting: dict[str, str] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Read one step."""
        kind, at = text_at(record, "type"), moment(record.get("created_at"))
        text = text_at(record, "content")
        self.first = self.first or (text_at(record, "created_at"), text)
        if kind in LEFT_OUT:
            self.talk.tally.skipped[kind] += 1
        elif kind == "USER_INPUT":
            self._ask(text, at)
        elif kind == "PLANNER_RESPONSE":
            self._answer(record, at)
        elif kind == "CHECKPOINT":
            self.talk.sum_up(text, at)
        elif kind == "SYSTEM_MESSAGE":
            sender = _SENDER.search(text)
            agent = bool(sender and named_id(sender[1]))
            self.talk.tell(text, at, SourceClass.AGENT if agent else SourceClass.HOST)
        elif kind == "ERROR_MESSAGE":
            self.talk.tell(f"[error] {text}", at)
        elif kind and (text_at(record, "source") == "MODEL" or kind.lower() in self._called):
            self._result(kind, record, at)
        else:
            self.talk.tally.unknown[kind[:80] or "step without type"] += 1

    @property
    def _called(self) -> set[str]:
        return set(self.waiting.values())

    def _ask(self, text: str, at: datetime | None) -> None:
        """The request as typed, then what the program added to it."""
        before, found, rest = text.partition(_REQUEST)
        asked, _, after = rest.partition(_REQUEST_END)
        if model := _MODEL.search(text):
            self.talk.model = model[1]
        self.talk.ask(asked.strip("\n") if found else text, at)
        if found:
            self.talk.tell(before + after, at)

    def _answer(self, record: Record, at: datetime | None) -> None:
        draft = self.talk.say(text_at(record, "content"), at, model=self.talk.model)
        draft.reasons.append(text_at(record, "thinking").strip())
        for call in list_at(record, "tool_calls"):
            self._call(draft, call)

    def _call(self, draft: Draft, call: object) -> None:
        name = text_at(call, "name")
        arguments = {key: _decoded(value) for key, value in object_at(call, "args").items()}
        self.waiting[self.talk.call(draft, "", name, arguments)] = name
        cwd = arguments.get("Cwd")
        self.talk.cwd = self.talk.cwd or (cwd if isinstance(cwd, str) else "")

    def _result(self, kind: str, record: Record, at: datetime | None) -> None:
        """Results carry no id: the first waiting call of that name, else the first at all."""
        named = (id_ for id_, name in self.waiting.items() if name == kind.lower())
        id_ = next(named, next(iter(self.waiting), ""))
        name = self.waiting.pop(id_, kind.lower())
        text = _HEADER.sub("", text_at(record, "content"))
        ended = _EXIT.match(text)
        code = None if ended is None else int(ended[2] or 0)
        failed = bool(code) if ended else text_at(record, "status") == "ERROR"
        seen = Observation(call_id=id_, text=text.strip(), exit_code=code, failed=failed)
        self.talk.result(seen, name, at)


def _decoded(value: object) -> object:
    """An argument, which this host writes as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
