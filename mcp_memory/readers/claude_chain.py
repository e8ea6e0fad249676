"""One chain of Claude Code's records: its messages, calls and results as drafts of steps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, StepKind
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.claude_queue import Queue
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import never_ran, speeches
from mcp_memory.readers.jsonl import Record, count_at, list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (\d{1,10})\b")
_MASKED = "REDACTED"
_COMMAND = re.compile(r"/[\w:.-]+")
_DENIED = ("The user doesn't want to", "User rejected tool use", "[Request interrupted by user")
_ANSWERED = frozenset({"AskUserQuestion", "ExitPlanMode"})
"""Tools whose result is what the user said."""


@dataclass(slots=True)
class Chain:
    """The session itself or one of its sub-agents, in the making."""

    drafts: Drafts = field(default_factory=Drafts)
    messages: dict[tuple[str, str], Draft] = field(default_factory=dict)
    callers: dict[str, Draft] = field(default_factory=dict)
    lines: dict[str, Draft] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    leaf: str = ""
    queue: Queue = field(default_factory=Queue)
    told: set[str] = field(default_factory=set)
    tokens: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    lifetime: Lifetime = field(default_factory=Lifetime)

    def note(self, record: Record) -> None:
        """What every record of a chain tells, kept ones and others."""
        if uuid := text_at(record, "uuid"):
            parent = text_at(record, "parentUuid") or text_at(record, "logicalParentUuid")
            self.parents.setdefault(uuid, parent)
        self.lifetime.note(moment(record.get("timestamp")))
        for key in ("cwd", "gitBranch"):
            if value := text_at(record, key):
                self.facts.setdefault(key, value)
        if version := text_at(record, "version"):
            self.facts["version"] = version

    def add(self, record: Record, kind: StepKind, source: SourceClass, text: str = "") -> Draft:
        """A new step from a record."""
        draft = self.drafts.begin(kind, source, text, at=moment(record.get("timestamp")))
        self.own(record, draft)
        return draft

    def own(self, record: Record, draft: Draft) -> None:
        """Remember which step a line went to."""
        if uuid := text_at(record, "uuid"):
            self.lines.setdefault(uuid, draft)
            self.leaf = uuid

    def once(self, record: Record, kind: StepKind, text: str) -> None:
        """A step for a text that is told again and again; the first time only."""
        if text.strip() and text not in self.told:
            self.told.add(text)
            self.add(record, kind, SourceClass.HOST, text)

    def abandoned(self) -> set[int]:
        """Steps on a branch that the user left, rewinding to write another prompt in its place."""
        path, place = set(), self.leaf
        while place and place not in path:
            path.add(place)
            place = self.parents.get(place, "")
        followed: set[str] = set()
        left: set[str] = set()
        for uuid in reversed(self.prompts):
            parent = self.parents.get(uuid, "")
            if uuid in path:
                followed.add(parent)
            elif parent and parent in followed:
                left.add(uuid)
        if not left:
            return self.queue.withdrawn
        for uuid, parent in self.parents.items():
            if parent in left:
                left.add(uuid)
        kept = {draft.number for uuid, draft in self.lines.items() if uuid not in left}
        return self.queue.withdrawn | ({draft.number for draft in self.lines.values()} - kept)

    def say(self, record: Record, text: str, *, attached: bool = False) -> None:
        """A user message: a summary, a person's words, or the host's in a person's place."""
        if repeated := self.queue.come(text, attached=attached):
            for draft in repeated:
                self.own(record, draft)
            self.prompts.append(text_at(record, "uuid"))
        else:
            self._hear(record, text)

    def wait(self, record: Record, text: str) -> None:
        """Words typed while the agent worked: they count from when they were typed."""
        begun = len(self.drafts)
        if _COMMAND.fullmatch(text.strip()):
            self.add(record, "system", SourceClass.HOST, text.strip())
        elif text.strip():
            self._hear(record, text)
        self.queue.put(text, self.drafts[begun:])

    def _hear(self, record: Record, text: str) -> None:
        if record.get("isCompactSummary") is True:
            self.add(record, "summary", SourceClass.AGENT, text)
        elif record.get("isMeta") is True:
            self.add(record, "system", SourceClass.HOST, text)
        else:
            by_agent = record.get("isSidechain") is True
            for speech in speeches(text):
                source = SourceClass.AGENT if by_agent and speech.kind == "user" else speech.source
                draft = self.add(record, speech.kind, source, speech.text)
                if speech.command is not None:
                    call = tool_call(text_at(record, "uuid"), "Bash", {"command": speech.command})
                    draft.calls[call.id] = call
            if self.drafts and self.drafts[-1].kind == "user" and not by_agent:
                self.prompts.append(text_at(record, "uuid"))

    def message(self, record: Record) -> Draft:
        """The step of an API message: one for all its lines, its usage counted once."""
        message = object_at(record, "message")
        request = text_at(record, "requestId") or text_at(record, "requestRef")
        key = (text_at(message, "id") or text_at(record, "uuid"), request)
        draft = self.messages.get(key)
        if draft is None:
            draft = self.messages[key] = self.add(record, "agent", SourceClass.AGENT)
            draft.model = text_at(message, "model") or None
        else:
            self.own(record, draft)
        if draft.model:
            self.facts["model"] = draft.model
        read, written = _usage(object_at(message, "usage"))
        before = self.tokens.get(key, (0, 0))
        self.tokens[key] = (max(read, before[0]), max(written, before[1]))
        return draft

    def call(self, draft: Draft, block: Record) -> None:
        """A tool call of a message."""
        call = tool_call(text_at(block, "id"), text_at(block, "name"), object_at(block, "input"))
        before = draft.calls.get(call.id)
        # An id may come twice: masked by a capturing tool, both calls are kept; as versions wrote it
        # that told of a message while it streamed, the later is the earlier one, grown.
        again = before is not None and (_MASKED in call.id or before.name != call.name)
        place = f"{call.id}#{len(draft.calls)}" if again else call.id
        draft.calls[place] = call
        self.callers[call.id] = draft

    def observe(self, record: Record, block: Record) -> None:
        """A tool result, joined to the step of its call, else to one of its own."""
        call_id = text_at(block, "tool_use_id")
        asked = text_at(record, "sourceToolAssistantUUID")
        draft = self.callers.get(call_id) or self.lines.get(asked)
        if draft is None:
            draft = self.add(record, "system", SourceClass.TOOL)
        else:
            self.own(record, draft)
        call = draft.calls.get(call_id)
        draft.observations.append(_observation(record, block, call.name if call else ""))


def grown(told: list[str], text: str) -> None:
    """Add a text, or put it in the place of the one that it is a longer version of."""
    if told and told[-1] and text.startswith(told[-1]):
        told[-1] = text
    else:
        told.append(text)


def blocks_of(record: Record) -> list[Any]:
    """The content blocks of a message; plain text is one block."""
    content = object_at(record, "message").get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    blocks = content if isinstance(content, list) else []
    return [{"type": "text", "text": b} if isinstance(b, str) else b for b in blocks]


def block_text(block: object) -> str:
    """What a block says; pictures and documents by type, size and hash."""
    kind = text_at(block, "type")
    if kind in ("image", "document"):
        source = object_at(block, "source")
        if text_at(source, "data") and text_at(source, "type") != "text":
            return placeholder(text_at(source, "media_type"), text_at(source, "data"))
        return text_at(source, "data") or f"[{kind} {text_at(source, 'url')}]"
    if kind == "tool_reference":
        return f"[tool {text_at(block, 'tool_name')}]"
    if kind == "web_search_result":
        return f"{text_at(block, 'title')} {text_at(block, 'url')}"
    return without_blobs(text_at(block, "text"))


def content_text(content: object) -> str:
    """The text of a content field: a string, or a list of strings and blocks."""
    if isinstance(content, str):
        return without_blobs(content)
    parts = content if isinstance(content, list) else [content]
    return "\n".join(p if isinstance(p, str) else block_text(p) for p in parts).strip()


def attached_text(attached: Record) -> str:
    """What an attachment shows: a snippet, a file's content, or diagnostics one a line."""
    lines = [text_at(attached, "snippet")]
    lines.append(text_at(object_at(object_at(attached, "content"), "file"), "content"))
    for file in list_at(attached, "files"):
        for found in list_at(file, "diagnostics"):
            start = object_at(object_at(found, "range"), "start")
            place = f"{text_at(file, 'uri')}:{count_at(start, 'line') + 1}"
            lines.append(f"{place}: {text_at(found, 'severity')}: {text_at(found, 'message')}")
    return "\n".join(line for line in lines if line)


def _observation(record: Record, block: Record, tool: str) -> Observation:
    text = content_text(block.get("content"))
    result = record.get("toolUseResult")
    unrun = never_ran(text)
    failed = None if unrun else _failed(block, result)
    denied = failed is True and _denied(record, text)
    answered = failed is False and tool in _ANSWERED
    milliseconds = number_at(result, "durationMs") or number_at(result, "totalDurationMs")
    seen = Observation(
        call_id=text_at(block, "tool_use_id"),
        text=text,
        exit_code=_exit_code(tool, text, failed=failed, result=result),
        failed=failed,
        seconds=None if milliseconds is None else milliseconds / 1000,
        source=_said_by(tool, users=denied or answered, hosts=unrun),
    )
    return unfed(tool, seen)


def _said_by(tool: str, *, users: bool, hosts: bool) -> SourceClass:
    if users:
        return SourceClass.USER
    return SourceClass.HOST if hosts else source_of(tool)


def _failed(block: Record, result: object) -> bool | None:
    told = block.get("is_error")
    if told is True or (isinstance(result, Mapping) and result.get("interrupted") is True):
        return True
    if isinstance(result, Mapping) and result.get("backgroundTaskId"):
        return None
    return False if told is False or result is not None else None


def _denied(record: Record, text: str) -> bool:
    decision = object_at(record, "permissionDecision")
    if text_at(decision, "decision") and text_at(decision, "decision") != "accept":
        return text_at(decision, "source").startswith("user")
    return text.startswith(_DENIED)


def _exit_code(tool: str, text: str, *, failed: bool | None, result: object) -> int | None:
    """The code that a failure names; 0 where the host saw a command through to a good end."""
    if failed is True:
        named = _EXIT_CODE.match(text)
        return int(named[1]) if named else None
    # The host marks every code but 0 as an error, save those it interprets itself (grep's 1).
    ended = isinstance(result, Mapping) and result.get("interrupted") is False
    read_otherwise = isinstance(result, Mapping) and result.get("returnCodeInterpretation")
    return 0 if ended and failed is False and not read_otherwise and is_shell(tool) else None


def _usage(usage: Record) -> tuple[int, int]:
    keys = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(count_at(usage, key) for key in keys), count_at(usage, "output_tokens")
