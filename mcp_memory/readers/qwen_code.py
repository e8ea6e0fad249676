"""Qwen Code: JSONL records in Claude Code's envelope with Gemini's messages; sub-agents apart.

It follows its published sources; no recording of a real user was seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.blobs import placeholder
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
from mcp_memory.readers.naming import content_id, named_id, stem_of
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.tally import REPEATED, STATE

FORMAT = "qwen_code"
VERSION = 1

LEFT_OUT = {
    **dict.fromkeys(
        (
            "system/ui_telemetry", "system/attribution_snapshot", "system/file_history_snapshot",
            "system/session_artifact_event", "system/session_artifact_snapshot", "system/rewind",
        ),
        STATE,
    ),
    "system/at_command": REPEATED,
    "system/agent_bootstrap": REPEATED,
    "replayed line": REPEATED,
}  # fmt: skip
"""Known records that are counted and not kept, with the reason."""

_HEAD_LINES = 10
_TYPES = frozenset({"user", "assistant", "tool_result", "system"})


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a record of this host with one of Gemini's messages."""
    return any(is_record(record) for record in first_records(path, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The session of a file, then its sub-agents where they are recorded inline."""
    file = _File()
    for _, record in read_lines(path, file.talks[""].tally.refusals):
        file.take(record)
    yield from file.trajectories(path)


def is_record(record: Record) -> bool:
    """Whether a record is of this host: Claude Code's envelope, but Gemini's message or none."""
    named = all(isinstance(record.get(key), str) for key in ("uuid", "sessionId", "timestamp"))
    if not named or text_at(record, "type") not in _TYPES:
        return False
    told = object_at(record, "message").get("parts")
    return isinstance(told, list) or "systemPayload" in record or "toolCallResult" in record


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    talks: dict[str, Talk] = field(default_factory=lambda: {"": Talk()})
    session: str = ""
    seen: set[str] = field(default_factory=set)

    def take(self, record: Record) -> None:
        """Read one record."""
        talk = self._talk(record)
        kind, id_ = _kind(record), text_at(record, "uuid")
        if id_ in self.seen:
            talk.tally.skipped["replayed line"] += 1
            return
        self.seen.update({id_} if id_ else ())
        self.session = self.session or text_at(record, "sessionId")
        talk.cwd = talk.cwd or text_at(record, "cwd")
        talk.branch = talk.branch or text_at(record, "gitBranch")
        talk.version = text_at(record, "version") or talk.version
        begun = len(talk.drafts)
        if kind in LEFT_OUT:
            talk.tally.skipped[kind] += 1
        elif kind in _TAKERS:
            _TAKERS[kind](talk, record, talk.note(moment(record.get("timestamp"))))
        else:
            talk.tally.unknown[kind[:80] or "record without type"] += 1
        talk.grow(id_, text_at(record, "parentUuid"), begun)

    def _talk(self, record: Record) -> Talk:
        agent = text_at(record, "agentId") if record.get("isSidechain") is True else ""
        if agent not in self.talks:
            self.talks[agent] = Talk(SourceClass.AGENT, title=text_at(record, "agentName"))
        return self.talks[agent]

    def trajectories(self, path: Path) -> Iterator[Trajectory]:
        native_id = self.session or named_id(stem_of(path)) or content_id(path=path)
        for agent, talk in self.talks.items():
            if agent:
                talk.parent = native_id
            if talk.drafts or not agent:
                yield talk.trajectory(FORMAT, f"{native_id}/{agent}" if agent else native_id)


def _kind(record: Record) -> str:
    subtype = text_at(record, "subtype")
    kind = text_at(record, "type")
    return f"{kind}/{subtype}" if subtype and kind == "system" else kind


def _ask(talk: Talk, record: Record, at: datetime | None) -> None:
    """A person's words; what another program put in their place is the host's."""
    if text_at(record, "subtype") in ("notification", "cron") or "externalInputKind" in record:
        talk.tell(_said(record), at)
        return
    for part in _parts(record):
        talk.ask(_words(part), at)


def _answer(talk: Talk, record: Record, at: datetime | None) -> None:
    draft = talk.say("", at, model=text_at(record, "model"))
    used = object_at(record, "usageMetadata")
    talk.read += count_at(used, "promptTokenCount")
    talk.written += count_at(used, "candidatesTokenCount") + count_at(used, "thoughtsTokenCount")
    for part in _parts(record):
        call = object_at(part, "functionCall")
        if call:
            talk.call(draft, text_at(call, "id"), text_at(call, "name"), object_at(call, "args"))
        elif isinstance(part, dict) and part.get("thought") is True:
            draft.reasons.append(text_at(part, "text").strip())
        elif words := _words(part).strip():
            draft.texts.append(words)


def _result(talk: Talk, record: Record, at: datetime | None) -> None:
    told = object_at(record, "toolCallResult")
    status = text_at(told, "status")
    for part in _parts(record):
        answer = object_at(part, "functionResponse")
        response = object_at(answer, "response")
        error = text_at(response, "error")
        text = error or text_at(response, "output")
        if not text and response:
            text = orjson.dumps(response).decode()
        seen = Observation(
            call_id=text_at(answer, "id") or text_at(told, "callId"),
            text=text,
            failed=status in ("error", "cancelled") if status else bool(error),
            source=SourceClass.USER if status == "cancelled" else SourceClass.TOOL,
        )
        if answer:
            talk.result(seen, text_at(answer, "name"), at)


def _compress(talk: Talk, record: Record, at: datetime | None) -> None:
    history = list_at(object_at(record, "systemPayload"), "compressedHistory")
    told = (_words(part) for content in history[:1] for part in list_at(content, "parts"))
    talk.sum_up("\n".join(told), at)


def _command(talk: Talk, record: Record, at: datetime | None) -> None:
    payload = object_at(record, "systemPayload")
    if text_at(payload, "phase") == "invocation":
        talk.tell(text_at(payload, "rawCommand"), at, SourceClass.USER)
        return
    for item in list_at(payload, "outputHistoryItems"):
        talk.tell(text_at(item, "text"), at)


def _title(talk: Talk, record: Record, at: datetime | None) -> None:
    del at
    talk.title = text_at(object_at(record, "systemPayload"), "customTitle") or talk.title


def _notify(talk: Talk, record: Record, at: datetime | None) -> None:
    talk.tell(text_at(object_at(record, "systemPayload"), "displayText") or _said(record), at)


def _parts(record: Record) -> list[Any]:
    return list_at(object_at(record, "message"), "parts")


def _said(record: Record) -> str:
    return "\n".join(_words(part) for part in _parts(record))


def _words(part: object) -> str:
    blob = object_at(part, "inlineData")
    if text_at(blob, "data"):
        return placeholder(text_at(blob, "mimeType"), text_at(blob, "data"))
    file = object_at(part, "fileData")
    return text_at(part, "text") or (f"[file {text_at(file, 'fileUri')}]" if file else "")


_TAKERS: dict[str, Callable[[Talk, Record, datetime | None], None]] = {
    "user": _ask,
    "assistant": _answer,
    "tool_result": _result,
    "system/chat_compression": _compress,
    "system/slash_command": _command,
    "system/custom_title": _title,
    "system/notification": _notify,
}
MAPPED = frozenset(_TAKERS)
"""Records that become part of a trajectory."""
