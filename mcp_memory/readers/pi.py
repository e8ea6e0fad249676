"""pi, oh-my-pi and OpenClaw: a JSONL file a session, a list of entries (v1) or a tree (v2, v3)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, SourceClass, StepKind, Trajectory
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import INTERRUPTED
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    first_records,
    list_at,
    number_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.tally import REPEATED, STATE, Tally
from mcp_memory.readers.tools import exit_at, is_shell, source_of, tool_call, unfed

FORMAT = "pi"
VERSION = 2

LEFT_OUT = {
    "thinking_level_change": STATE,
    "label": "a mark in the program's tree, nothing that was said or seen",
    "custom": "state of an extension",
    "custom_message": "an extension's words, which may be memory that was recalled",
    "message/custom": "an extension's words, which may be memory that was recalled",
    "message/hookMessage": "an extension's words, which may be memory that was recalled",
    "message/compactionSummary": REPEATED,
    "message/branchSummary": REPEATED,
}
"""Known entries that are counted and not kept, with the reason."""

_ENDED = re.compile(r"Command exited with code (-?\d{1,10})\s*\Z")
_HEAD_LINES = 5


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a session's header."""
    return any(_is_header(record) for record in first_records(path, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file; branches that were left are kept, and marked."""
    file = _File(name=path.stem)
    for _, record in read_lines(path, file.tally.refusals):
        file.take(record)
    yield file.trajectory()


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    name: str
    header: Record = field(default_factory=dict)
    drafts: Drafts = field(default_factory=Drafts)
    title: str = ""
    model: str = ""
    used: tuple[int, int] = (0, 0)
    lifetime: Lifetime = field(default_factory=Lifetime)
    parents: dict[str, str] = field(default_factory=dict)
    entries: dict[int, str] = field(default_factory=dict)
    leaf: str = ""
    callers: dict[str, Draft] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def take(self, record: Record) -> None:
        """Read one entry."""
        kind, message = text_at(record, "type"), object_at(record, "message")
        if kind == "message":
            kind = f"message/{text_at(message, 'role')}"
        self.lifetime.note(moment(record.get("timestamp")))
        begun = len(self.drafts)
        if self.tally.keeps(kind, MAPPED, LEFT_OUT, untyped="entry without type"):
            _ENTRIES[kind](self, record, message)
        if id_ := text_at(record, "id"):
            self._grow(record, id_, begun)

    def open(self, record: Record, _: Record) -> None:
        """The session's facts; the first header holds."""
        self.header = self.header or record
        self.model = self.model or text_at(record, "modelId")

    def change_model(self, record: Record, _: Record) -> None:
        """The model that answers from here on."""
        self.model = text_at(record, "modelId") or self.model

    def rename(self, record: Record, _: Record) -> None:
        """What the user calls the session."""
        self.title = text_at(record, "name") or self.title

    def name_it(self, record: Record, _: Record) -> None:
        """What oh-my-pi calls the session, in a line before its header."""
        self.title = self.title or text_at(record, "title")

    def summarize(self, record: Record, _: Record) -> None:
        """What takes the place of earlier entries, or tells of a branch that was left."""
        self._add(record, "summary", SourceClass.AGENT, text_at(record, "summary"))

    def user(self, record: Record, message: Record) -> None:
        """A person's words."""
        self._add(record, "user", SourceClass.USER, _text(message))

    def ran_by_user(self, record: Record, message: Record) -> None:
        """A command that a person ran without the agent."""
        draft = self._add(record, "user", SourceClass.USER)
        id_, (code, failed) = f"bash-{draft.number}", exit_at(message, "exitCode")
        draft.calls[id_] = tool_call(id_, "bash", {"command": text_at(message, "command")})
        draft.observations.append(
            Observation(
                call_id=id_,
                text=without_blobs(text_at(message, "output")),
                exit_code=code,
                failed=failed,
            )
        )

    def assistant(self, record: Record, message: Record) -> None:
        """The agent's words, thoughts and calls."""
        draft = self._add(record, "agent", SourceClass.AGENT, _text(message))
        draft.model = text_at(message, "model") or self.model or None
        self.model = draft.model or ""
        usage = object_at(message, "usage")
        self.used = (
            self.used[0] + sum(count_at(usage, key) for key in ("input", "cacheRead")),
            self.used[1] + count_at(usage, "output"),
        )
        for block in list_at(message, "content"):
            if thought := text_at(block, "thinking").strip():
                draft.reasons.append(thought)
            if text_at(block, "type") == "toolCall":
                id_ = text_at(block, "id") or f"{draft.number}.{len(draft.calls)}"
                arguments = object_at(block, "arguments")
                draft.calls[id_] = tool_call(id_, text_at(block, "name") or "unnamed", arguments)
                self.callers[id_] = draft
        self._stop(record, message)

    def result(self, record: Record, message: Record) -> None:
        """What a call brought back, joined to its step, else one of its own."""
        id_, name = text_at(message, "toolCallId"), text_at(message, "toolName")
        draft = self.callers.get(id_) or self._add(record, "system", SourceClass.TOOL)
        failed, text = message.get("isError"), _text(message)
        ended = _ENDED.search(text, max(0, len(text) - 100)) if failed is True else None
        seen = Observation(
            call_id=id_,
            text=text,
            exit_code=int(ended[1]) if ended and is_shell(name) else None,
            failed=failed if isinstance(failed, bool) else None,
            source=source_of(name),
        )
        draft.observations.append(unfed(name, seen))

    def trajectory(self) -> Trajectory:
        """The session as far as it was written."""
        native_id = text_at(self.header, "id") or refs.short_hash(self.name)
        abandoned = self._abandoned()
        return Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            title=self.title,
            goal=self.drafts.goal,
            cwd=text_at(self.header, "cwd") or None,
            model=self.model or None,
            host_version=_version(self.header),
            started_at=self.lifetime.begun,
            ended_at=self.lifetime.ended,
            steps=tuple(d.finished(abandoned=d.number in abandoned) for d in self.drafts),
            tokens_in=self.used[0],
            tokens_out=self.used[1],
            **self.tally.counts(),
        )

    def _add(self, record: Record, kind: StepKind, source: SourceClass, text: str = "") -> Draft:
        at = moment(record.get("timestamp"))
        return self.drafts.begin(kind, source, text.strip(), at=at)

    def _stop(self, record: Record, message: Record) -> None:
        reason, error = text_at(message, "stopReason"), text_at(message, "errorMessage")
        if reason == "aborted":
            self._add(record, "system", SourceClass.USER, INTERRUPTED)
        elif reason == "error":
            self._add(record, "system", SourceClass.HOST, f"[error] {error}")

    def _grow(self, record: Record, id_: str, begun: int) -> None:
        self.parents[id_] = text_at(record, "parentId")
        self.leaf = id_
        self.entries.update(dict.fromkeys(range(begun + 1, len(self.drafts) + 1), id_))

    def _abandoned(self) -> set[int]:
        """Steps of a tree that are not on the way to its last leaf."""
        way: set[str] = set()
        place = self.leaf
        while place and place not in way:
            way.add(place)
            place = self.parents.get(place, "")
        return {number for number, id_ in self.entries.items() if id_ not in way}


def _is_header(record: Record) -> bool:
    named = isinstance(record.get("id"), str) and isinstance(record.get("cwd"), str)
    return text_at(record, "type") == "session" and named and "timestamp" in record


def _version(header: Record) -> str | None:
    version = number_at(header, "version")
    return f"format {int(version)}" if version is not None else None


def _text(message: Record) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return without_blobs(content)
    parts = (
        placeholder(text_at(block, "mimeType"), text_at(block, "data"))
        if text_at(block, "type") == "image"
        else without_blobs(text_at(block, "text"))
        for block in list_at(message, "content")
    )
    return "\n".join(part for part in parts if part)


_ENTRIES: dict[str, Callable[[_File, Record, Record], None]] = {
    "session": _File.open,
    "model_change": _File.change_model,
    "session_info": _File.rename,
    "title": _File.name_it,
    "compaction": _File.summarize,
    "branch_summary": _File.summarize,
    "message/user": _File.user,
    "message/assistant": _File.assistant,
    "message/toolResult": _File.result,
    "message/bashExecution": _File.ran_by_user,
}
MAPPED = frozenset(_ENTRIES)
"""Entries that become part of a trajectory."""
