"""Gemini CLI's messages as drafts of steps: written again and again, shortened, rewound."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, StepKind, ToolCall
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import of_host
from mcp_memory.readers.jsonl import Record, count_at, list_at, object_at, text_at
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed

PARTS = frozenset(
    f"{kind}:{part}"
    for kind in ("user", "gemini")
    for part in ("text", "inlineData", "fileData", "executableCode", "codeExecutionResult")
) | {"gemini:thought"}
"""Parts of messages that become part of a trajectory."""

_PARTS = (
    "functionResponse", "functionCall", "inlineData", "fileData", "executableCode",
    "codeExecutionResult", "thought", "text",
)  # fmt: skip
_FILES = "--- Content from referenced files ---"
_HOOK, _HOOK_END = "<hook_context>", "</hook_context>"
_COMMAND = re.compile(r"/[a-z][\w:-]*(?:\s|\Z)")
_WORKSPACE = re.compile(
    r"(?:\*\*Workspace Directories:\*\*\s*\n\s*- |working in the directory: )([^\n]+)"
)
_SNAPSHOT = "<state_snapshot>"
_ALL_FIELDS = re.compile(
    r"\nExit Code: (-?\d{1,10}|\(none\))\nSignal: [^\n]*\nBackground PIDs: [^\n]*"
    r"\nProcess Group PGID: [^\n]*\Z"
)
_SOME_FIELDS = re.compile(
    r"(?P<error>\nError: .{0,2000})?(?:\nExit Code: (?P<code>-?\d{1,10}))?(?P<signal>\nSignal: \S+)?"
    r"(?:\nBackground PIDs: [\d, ]+)?\nProcess Group PGID: \d+\Z"
)


@dataclass(slots=True)
class Turns:
    """The messages of one session, in the making."""

    drafts: Drafts = field(default_factory=Drafts)
    live: dict[str, None] = field(default_factory=dict)
    """Ids of the messages in the model's context."""
    agents_own: bool = False
    """Whether the user's part is played by another agent."""
    cwd: str | None = None
    abandoned: set[int] = field(default_factory=set)
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    _steps: dict[str, list[Draft]] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _callers: dict[str, Draft] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _heard: set[str] = field(default_factory=set)

    def take(self, message: Record, *, again: bool) -> None:
        """A message, new or written anew; `again`: as part of a context made shorter."""
        id_, kind = text_at(message, "id"), text_at(message, "type")
        self.live[id_] = None
        self.abandoned.difference_update(draft.number for draft in self._steps.get(id_, ()))
        if kind == "gemini":
            self._agent(message, again=again)
        elif id_ not in self._steps:
            self._steps[id_] = list(self._hosts_or_users(message, again=again))
        elif kind == "user":
            self.skipped["message:rewritten"] += 1

    def shorten(self) -> None:
        """The model's context begins anew; what follows repeats it or sums it up."""
        self.live.clear()

    def rewind(self, id_: str) -> bool:
        """Whether the message is there; it and all after it in the context were given up."""
        if id_ not in self.live:
            return False
        ids = list(self.live)
        for given_up in ids[ids.index(id_) :]:
            del self.live[given_up]
            self.abandoned.update(draft.number for draft in self._steps.get(given_up, ()))
        return True

    @property
    def model(self) -> str | None:
        """Which model spoke last."""
        return next((draft.model for draft in reversed(self.drafts) if draft.model), None)

    @property
    def ended(self) -> datetime | None:
        """When the last message was written."""
        return max((draft.at for draft in self.drafts if draft.at), default=None)

    def _hosts_or_users(self, message: Record, *, again: bool) -> Iterator[Draft]:
        kind, at = text_at(message, "type"), moment(message.get("timestamp"))
        text, shown = self._said(message)
        if kind != "user":
            cancelled = text.startswith("Request cancelled")
            source = SourceClass.USER if cancelled else SourceClass.HOST
            yield self.drafts.begin("system", source, f"[{kind}] {text}".rstrip(), at=at)
            return
        if again and text in self._heard:
            self.skipped["message:rewritten"] += 1
            return
        self._heard.add(text)
        if text:
            step, source = self._speaker(text, again=again)
            yield self.drafts.begin(step, source, text, at=at)
        if shown:
            yield self.drafts.begin("system", SourceClass.EXTERNAL, shown, at=at)

    def _speaker(self, text: str, *, again: bool) -> tuple[StepKind, SourceClass]:
        if text.startswith(("<session_context>", "This is the Gemini CLI.")):
            found = _WORKSPACE.search(text)
            self.cwd = self.cwd or (found[1].strip() if found else None)
            return "boot", SourceClass.HOST
        if _SNAPSHOT in text and (again or text.startswith(_SNAPSHOT)):
            return "summary", SourceClass.AGENT
        if again or of_host(text) == "system":
            return "system", SourceClass.HOST
        if _COMMAND.match(text):
            return "system", SourceClass.USER
        return "user", SourceClass.AGENT if self.agents_own else SourceClass.USER

    def _said(self, message: Record) -> tuple[str, str]:
        """What was typed, and the files that the host put behind it."""
        typed: list[str] = []
        files: list[str] = []
        for part in _parts(message):
            kind = self._kind("user", part)
            if kind == "functionResponse":
                self._answer(message, object_at(part, "functionResponse"))
                continue
            text = self._without_hooks(_part_text(kind, part)).strip("\n")
            reads = bool(files) or text.startswith(_FILES)
            if text.strip():
                (files if reads else typed).append(text)
        return "\n".join(typed).strip(), "\n".join(files)

    def _without_hooks(self, text: str) -> str:
        place = text.find(_HOOK)
        while place >= 0:
            end = text.find(_HOOK_END, place)
            if end < 0:
                break
            self.skipped["user:hook_context"] += 1
            text = text[:place] + text[end + len(_HOOK_END) :].lstrip("\n")
            place = text.find(_HOOK, place)
        return text

    def _agent(self, message: Record, *, again: bool) -> None:
        id_ = text_at(message, "id")
        known = self._steps.get(id_)
        draft = known[0] if known else self._begin(message)
        draft.model = draft.model or text_at(message, "model") or None
        said, thought = self._spoken(message, draft)
        self._grow(id_, draft, said, again=again and known is not None)
        for reason in (thought, *map(_thought, list_at(message, "thoughts"))):
            if reason and reason not in draft.reasons:
                draft.reasons.append(reason)
        usage = object_at(message, "tokens")
        if usage:
            written = count_at(usage, "output") + count_at(usage, "thoughts")
            self.tokens[id_] = (count_at(usage, "input") + count_at(usage, "tool"), written)
        for place, call in enumerate(list_at(message, "toolCalls"), 1):
            self._call(draft, call, f"{id_}#{place}")

    def _begin(self, message: Record) -> Draft:
        at = moment(message.get("timestamp"))
        draft = self.drafts.begin("agent", SourceClass.AGENT, at=at)
        self._steps[text_at(message, "id")] = [draft]
        return draft

    def _spoken(self, message: Record, draft: Draft) -> tuple[str, str]:
        said: list[str] = []
        thought: list[str] = []
        for part in _parts(message):
            kind = self._kind("gemini", part)
            if kind == "functionCall":
                self._call_part(draft, object_at(part, kind))
            elif text := _part_text(kind, part):
                (thought if kind == "thought" else said).append(text)
        return "\n".join(said).strip(), "\n".join(thought).strip()

    def _grow(self, id_: str, draft: Draft, said: str, *, again: bool) -> None:
        before = self._told.get(id_, "")
        if not said or said == before:
            return
        if again and before:
            self.skipped["message:rewritten"] += 1
        elif said.startswith(before):
            draft.texts[-1:] = [said]
            self._told[id_] = said
        else:
            draft.texts.append(said)
            self._told[id_] = said

    def _call(self, draft: Draft, told: object, place: str) -> None:
        if not isinstance(told, dict):
            self.unknown["gemini:toolCalls"] += 1
            return
        id_ = text_at(told, "id")
        if not id_ or self._callers.get(id_, draft) is not draft:
            # Another message's call may bear the same id (masked by a capturing tool).
            id_ = place
        call = draft.calls.get(id_)
        if call is None:
            call = tool_call(id_, text_at(told, "name"), object_at(told, "args"))
            draft.calls[id_] = call
            self._callers[id_] = draft
        status = text_at(told, "status")
        text = _result_text(told)
        if id_ in self._answered or not (text or status in ("success", "error", "cancelled")):
            return
        self._answered.add(id_)
        draft.observations.append(_observation(call, told, text, status))

    def _call_part(self, draft: Draft, part: Record) -> None:
        id_ = text_at(part, "id")
        if not text_at(part, "name") or id_ in self._callers:
            self.skipped["gemini:functionCall"] += 1
            return
        draft.calls[id_] = tool_call(id_, text_at(part, "name"), object_at(part, "args"))
        self._callers[id_] = draft

    def _answer(self, message: Record, part: Record) -> None:
        """A result in the user's place: a repetition, but where the call's message was lost."""
        id_, name = text_at(part, "id"), text_at(part, "name")
        if id_ in self._answered:
            self.skipped["user:functionResponse"] += 1
            return
        self._answered.add(id_)
        draft = self._callers.get(id_)
        if draft is None:
            at = moment(message.get("timestamp"))
            draft = self.drafts.begin("system", SourceClass.TOOL, at=at)
        call = draft.calls.get(id_) or tool_call(id_, name, {})
        draft.observations.append(_observation(call, {}, _response_text(part), ""))

    def _kind(self, speaker: str, part: Record) -> str:
        if len(part) == 1 and "text" in part:
            return "text"
        kind = next((kind for kind in _PARTS if part.get(kind)), "")
        if not kind and "text" not in part:
            self.unknown[f"{speaker}:{next(iter(part), '')}"[:80]] += 1
        elif kind and f"{speaker}:{kind}" not in PARTS and kind not in _PARTS[:2]:
            self.unknown[f"{speaker}:{kind}"] += 1
        return kind


def _parts(message: Record) -> list[Record]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    plain = ({"text": part} if isinstance(part, str) else part for part in parts)
    return [part for part in plain if isinstance(part, dict)]


def _part_text(kind: str, part: Record) -> str:
    held = object_at(part, kind)
    if kind == "inlineData":
        return placeholder(text_at(held, "mimeType"), text_at(held, "data"))
    if kind == "fileData":
        return f"[{text_at(held, 'mimeType')} {text_at(held, 'fileUri')}]"
    if held:
        return text_at(held, "code") or text_at(held, "output")
    return without_blobs(text_at(part, "text"))


def _thought(thought: object) -> str:
    told = (text_at(thought, "subject"), text_at(thought, "description"))
    return "\n".join(text for text in told if text)


def _result_text(told: Record) -> str:
    result: Any = told.get("result")
    parts = result if isinstance(result, list) else [result]
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(without_blobs(part))
        elif response := object_at(part, "functionResponse"):
            texts.append(_response_text(response))
        elif isinstance(part, dict):
            texts.append(_part_text(next((kind for kind in _PARTS if part.get(kind)), ""), part))
    return "\n".join(text for text in texts if text)


def _response_text(part: Record) -> str:
    response = object_at(part, "response")
    told = [text_at(response, key) for key in ("output", "error")]
    told += [_part_text("inlineData", inner) for inner in list_at(part, "parts")
             if object_at(inner, "inlineData")]  # fmt: skip
    return "\n".join(without_blobs(text) for text in told if text)


def _observation(call: ToolCall, told: Record, text: str, status: str) -> Observation:
    code = _exit_code(call, text, told.get("resultDisplay")) if is_shell(call.name) else None
    failed = True if status in ("error", "cancelled") or code else None
    seen = Observation(
        call_id=call.id,
        text=text,
        exit_code=code,
        failed=False if failed is None and status == "success" else failed,
        source=SourceClass.USER if status == "cancelled" else source_of(call.name),
    )
    return unfed(call.name, seen)


def _exit_code(call: ToolCall, text: str, display: object) -> int | None:
    """The code in the host's fields behind the output, never one that the program printed."""
    if text.endswith(_HOOK_END):
        text = text[: text.rfind(_HOOK)].rstrip("\n")
    text = text.removesuffix("\n</untrusted_context>")
    text = text.removeprefix("<untrusted_context>\n")
    header = len("Command: ") + len(call.command or "") if text.startswith("Command: ") else 0
    start = text.find("Output: ", header)
    if start < 0:
        return None
    if found := _ALL_FIELDS.search(text, max(start, len(text) - 4000)):
        return None if found[1] == "(none)" else int(found[1])
    start += len("Output: ")
    shown = display.strip() if isinstance(display, str) else ""
    shown = "(empty)" if text.startswith("(empty)\n", start) else shown
    exact = bool(shown) and text.startswith(shown, start)
    place = start + len(shown) if exact else max(start, len(text) - 4000)
    fields = _SOME_FIELDS.search(text, place)
    if fields is None or fields["error"] or fields["signal"]:
        return None
    if fields["code"]:
        # Without the output to compare, the line may be the program's own last one.
        return int(fields["code"]) if exact else None
    return 0
