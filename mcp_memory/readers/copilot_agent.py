"""One agent of a Copilot CLI session: its messages, calls and results as drafts of steps."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, StepKind
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, count_at, list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed

_ENDED = re.compile(r"<shellId: [^<>\n]{1,40} completed with exit code (-?\d{1,10})>\s*\Z")
_TERMINALS = frozenset({"read_bash", "write_bash", "read_powershell", "write_powershell"})
_ANSWERED = frozenset({"ask_user", "exit_plan_mode"})
"""Tools whose result is what the user said."""


@dataclass(slots=True)
class Agent:
    """The session itself or one of its sub-agents, in the making."""

    caller: "Agent | None" = None
    drafts: Drafts = field(default_factory=Drafts)
    title: str = ""
    model: str = ""
    written: int = 0
    lifetime: Lifetime = field(default_factory=Lifetime)
    abandoned: set[int] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    _told: set[str] = field(default_factory=set)
    _messages: dict[str, Draft] = field(default_factory=dict)
    _callers: dict[str, Draft] = field(default_factory=dict)
    _servers: dict[str, str] = field(default_factory=dict)
    _starts: dict[str, datetime | None] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)
    _denied: set[str] = field(default_factory=set)
    _thought: list[str] = field(default_factory=list)

    def note(self, record: Record) -> None:
        """What every event tells: when, and after which step."""
        self._places[text_at(record, "id")] = len(self.drafts)
        self.lifetime.note(moment(record.get("timestamp")))

    def add(self, record: Record, kind: StepKind, source: SourceClass, text: str = "") -> Draft:
        """A new step from an event."""
        at = moment(record.get("timestamp"))
        return self.drafts.begin(kind, source, without_blobs(text), at=at)

    def user(self, record: Record, data: Record) -> None:
        """A person's words as typed, or those of the program or agent in a person's place."""
        text = text_at(data, "content").strip()
        sender = text_at(data, "source")
        kind: StepKind = "user"
        source = SourceClass.USER
        if self.caller is not None:
            source = SourceClass.AGENT
        elif sender not in ("", "user") or data.get("isAutopilotContinuation") is True:
            kind, source = "system", SourceClass.HOST
        if source is SourceClass.AGENT and text in self._told:
            return
        draft = self.add(record, kind, source, text)
        draft.texts += [_attached(told) for told in list_at(data, "attachments") if told]

    def boot(self, record: Record, data: Record) -> None:
        """The system prompt, which the host writes anew with every message."""
        text = text_at(data, "content")
        if text in self._told:
            self.skipped["system.message:repeated"] += 1
            return
        self._told.add(text)
        self.add(record, "boot", SourceClass.HOST, text)

    def reason(self, _: Record, data: Record) -> None:
        """Reasoning that was recorded before its message."""
        self._thought.append(text_at(data, "content"))

    def message(self, record: Record, data: Record) -> None:
        """An agent's message with the calls that it asks for."""
        id_ = text_at(data, "messageId") or text_at(record, "id")
        draft = self._messages.get(id_)
        if draft is None:
            draft = self._messages[id_] = self.add(record, "agent", SourceClass.AGENT)
        draft.model = text_at(data, "model") or draft.model
        self.model = draft.model or self.model
        self.written += count_at(data, "outputTokens")
        if (text := without_blobs(text_at(data, "content"))) and text not in draft.texts:
            draft.texts.append(text)
        for reason in (*self._thought, text_at(data, "reasoningText")):
            if reason and reason not in draft.reasons:
                draft.reasons.append(reason)
        self._thought.clear()
        for request in list_at(data, "toolRequests"):
            self._call(draft, request, text_at(request, "name"))

    def ran_by_user(self, record: Record, data: Record) -> None:
        """A tool that a person ran without the agent."""
        draft = self.add(record, "user", SourceClass.USER)
        self._call(draft, data, text_at(data, "toolName"))

    def start(self, record: Record, data: Record) -> None:
        """A call begins: asked for in a message, or else a step of its own."""
        id_ = text_at(data, "toolCallId")
        self._starts[id_] = moment(record.get("timestamp"))
        if id_ not in self._callers:
            draft = self.add(record, "agent", SourceClass.AGENT)
            self._call(draft, data, text_at(data, "toolName"))
        if server := text_at(data, "mcpServerName"):
            self._servers[id_] = f"mcp_{server}_{text_at(data, 'mcpToolName')}"

    def complete(self, record: Record, data: Record) -> None:
        """A result, joined to the step of its call, else to one of its own."""
        id_ = text_at(data, "toolCallId")
        draft = self._callers.get(id_) or self.add(record, "system", SourceClass.TOOL)
        call = draft.calls.get(id_)
        name = call.name if call else ""
        began, at = self._starts.get(id_), moment(record.get("timestamp"))
        code = _exit_code(data) if is_shell(name) or name in _TERMINALS else None
        failed = data.get("success") is False or bool(code)
        tool = self._servers.get(id_, name)
        by_user = id_ in self._denied or _is_refused(data) or (name in _ANSWERED and not failed)
        seen = Observation(
            call_id=id_,
            text=_result_text(data),
            exit_code=code,
            failed=failed if failed or data.get("success") is True else None,
            seconds=(at - began).total_seconds() if at and began and at >= began else None,
            source=SourceClass.USER if by_user else source_of(tool),
        )
        # The host names a server's tool `server-tool`, without saying that it is a server's.
        draft.observations.append(unfed(f"mcp_{name}", unfed(tool, seen)))

    def ask(self, _: Record, data: Record) -> None:
        """The host asks the user for leave."""
        call = text_at(object_at(data, "permissionRequest"), "toolCallId")
        self._asked[text_at(data, "requestId")] = call

    def decide(self, _: Record, data: Record) -> None:
        """What the user answered; a denial makes the result the user's word."""
        if "interactively" in text_at(object_at(data, "result"), "kind"):
            call = text_at(data, "toolCallId") or self._asked.get(text_at(data, "requestId"), "")
            self._denied.add(call)

    def began(self, record: Record, data: Record) -> None:
        """A sub-agent's name, and its task as its caller put it."""
        if self.caller is None:
            name = text_at(data, "agentDisplayName") or text_at(data, "agentName")
            self.add(record, "system", SourceClass.HOST, f"[subagent.started] {name}")
            return
        self.title = text_at(data, "agentDisplayName") or text_at(data, "agentName")
        id_ = text_at(data, "toolCallId")
        asking = self.caller._callers.get(id_)  # noqa: SLF001
        task = asking.calls[id_].arguments.get("prompt") if asking else None
        if isinstance(task, str) and task.strip():
            self._told.add(task.strip())
            self.add(record, "user", SourceClass.AGENT, task.strip())

    def compact(self, record: Record, data: Record) -> None:
        """The summary that takes the place of what went before."""
        text = text_at(data, "summaryContent")
        failed = text_at(object_at(data, "error"), "message") or text_at(data, "error")
        if text:
            self.add(record, "summary", SourceClass.AGENT, text)
        else:
            self.add(
                record,
                "system",
                SourceClass.HOST,
                f"[session.compaction_complete] {failed}".strip(),
            )

    def rewind(self, _: Record, data: Record) -> None:
        """The user went back: all since the named event was given up."""
        place = self._places.get(text_at(data, "upToEventId"), len(self.drafts))
        self.abandoned.update(range(place + 1, len(self.drafts) + 1))

    def _call(self, draft: Draft, told: object, name: str) -> None:
        id_ = text_at(told, "toolCallId")
        if not isinstance(told, dict) or id_ in self._callers:
            return
        arguments: Any = told.get("arguments")
        if not isinstance(arguments, dict):
            arguments = {} if arguments is None else {"input": arguments}
        draft.calls[id_] = tool_call(id_, name, arguments)
        self._callers[id_] = draft
        if server := text_at(told, "mcpServerName"):
            self._servers[id_] = f"mcp_{server}_{text_at(told, 'mcpToolName') or name}"


def _attached(attachment: object) -> str:
    if text_at(attachment, "data"):
        return placeholder(text_at(attachment, "mimeType"), text_at(attachment, "data"))
    places = (text_at(attachment, key) for key in ("path", "filePath", "url", "displayName"))
    place = next((place for place in places if place), "")
    named = f"[{text_at(attachment, 'type') or 'attachment'} {place}]"
    return "\n".join(text for text in (named, text_at(attachment, "text")) if text)


def _result_text(data: Record) -> str:
    result, error = object_at(data, "result"), object_at(data, "error")
    text = text_at(result, "content") or text_at(result, "detailedContent")
    texts = (text, text_at(error, "message") or text_at(data, "error"))
    return without_blobs("\n".join(text for text in texts if text))


def _exit_code(data: Record) -> int | None:
    """The code that the host counted, or wrote behind the output."""
    told = number_at(object_at(object_at(data, "toolTelemetry"), "metrics"), "exit_code")
    if told is not None:
        return int(told)
    text = text_at(object_at(data, "result"), "content")
    ended = _ENDED.search(text, max(0, len(text) - 200))
    return int(ended[1]) if ended else None


def _is_refused(data: Record) -> bool:
    return text_at(object_at(data, "error"), "code") in ("rejected", "denied")
