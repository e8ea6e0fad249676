"""ATIF's steps: who spoke, what was called and what came back."""

from collections import Counter
from datetime import datetime
from typing import Any

from mcp_memory.domain.models import Observation, Refusal, SourceClass, ToolCall
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import speeches
from mcp_memory.readers.jsonl import Record, count_at, list_at, object_at, text_at
from mcp_memory.readers.tools import source_of, tool_call, unfed


class Steps:
    """The steps of one run, with what was counted on the way."""

    def __init__(self, model: str | None, refusals: list[Refusal]) -> None:
        self.drafts = Drafts()
        self.skipped: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.lifetime = Lifetime()
        self._copied_goal = ""
        self._model = model
        self._refusals = refusals

    @property
    def goal(self) -> str:
        """What was asked first, in this run or in the one that it continues."""
        return self._copied_goal or self.drafts.goal

    def take(self, taken: object, number: int) -> None:
        """One step as the file has it."""
        if not isinstance(taken, dict):
            self._refusals.append(Refusal(where=f"step {number}", reason="not an object"))
            return
        source, said = text_at(taken, "source"), spoken(taken.get("message"))
        if taken.get("is_copied_context") is True:
            self.skipped["step:copied"] += 1
            if source == "user":
                self._copied_goal = self._copied_goal or said[:1000]
            return
        at = moment(taken.get("timestamp"))
        self.lifetime.note(at)
        if source == "agent":
            self._agent(taken, said, at, number)
        elif source == "user":
            self._user(said, at)
            self._seen_outside(taken, at)
        else:
            self._system(taken, said, at)

    def _agent(self, taken: Record, said: str, at: datetime | None, number: int) -> None:
        draft = self.drafts.begin("agent", SourceClass.AGENT, said, at=at)
        draft.model = text_at(taken, "model_name") or self._model
        if thought := spoken(taken.get("reasoning_content")):
            draft.reasons.append(thought)
        metrics = object_at(taken, "metrics")
        for key in ("prompt_tokens", "completion_tokens"):
            self.tokens[key] += count_at(metrics, key)
        for place, called in enumerate(list_at(taken, "tool_calls"), 1):
            if isinstance(called, dict):
                call = _call(called, f"call-{number}-{place}")
                draft.calls[call.id] = call
            else:
                self._refusals.append(Refusal(where=f"step {number}", reason="call: not an object"))
        self._results(draft, list_at(object_at(taken, "observation"), "results"), at)

    def _results(self, draft: Draft, results: list[Any], at: datetime | None) -> None:
        open_calls = list(draft.calls)
        for result in results:
            call_id, text = text_at(result, "source_call_id"), _result(result)
            if not call_id and len(open_calls) == len(results) == 1:
                call_id = open_calls[0]
            call = draft.calls.get(call_id)
            if call:
                seen = Observation(call_id=call_id, text=text, source=source_of(call.name))
                draft.observations.append(unfed(call.name, seen))
            elif text:
                self.drafts.begin("system", SourceClass.TOOL, text, at=at)

    def _seen_outside(self, taken: Record, at: datetime | None) -> None:
        for result in list_at(object_at(taken, "observation"), "results"):
            if text := _result(result):
                self.drafts.begin("system", SourceClass.TOOL, text, at=at)

    def _user(self, said: str, at: datetime | None) -> None:
        for speech in speeches(said):
            draft = self.drafts.begin(speech.kind, speech.source, speech.text, at=at)
            if speech.command is not None:
                call = tool_call(f"run-{draft.number}", "shell", {"command": speech.command})
                draft.calls[call.id] = call

    def _system(self, taken: Record, said: str, at: datetime | None) -> None:
        source = text_at(taken, "source")
        if source != "system":
            self.unknown[f"step:{source[:80]}"] += 1
        begun = any(draft.kind != "boot" for draft in self.drafts)
        if said:
            kind = "system" if begun or source != "system" else "boot"
            by = SourceClass.HOST if source == "system" else SourceClass.TOOL
            self.drafts.begin("boot" if kind == "boot" else "system", by, said, at=at)
        self._seen_outside(taken, at)


def spoken(message: object) -> str:
    """The text of a message: a string, or (from 1.6) parts of text and pictures."""
    if isinstance(message, str):
        return without_blobs(message)
    parts = message if isinstance(message, list) else []
    return "\n\n".join(text for text in map(_part, parts) if text)


def _part(part: object) -> str:
    if text := text_at(part, "text"):
        return without_blobs(text)
    source = object_at(part, "source")
    if not source:
        return part if isinstance(part, str) else ""
    name = text_at(source, "path") or text_at(source, "url")
    kind = text_at(source, "media_type") or text_at(part, "type")
    return without_blobs(f"[{', '.join(word for word in (kind, name) if word)}]")


def _call(called: Record, fallback: str) -> ToolCall:
    name, arguments = text_at(called, "function_name"), called.get("arguments")
    if not isinstance(arguments, dict):
        arguments = {} if arguments is None else {"input": arguments}
    call = tool_call(text_at(called, "tool_call_id") or fallback, name, arguments)
    typed = call.arguments.get("keystrokes")
    if call.command is None and name == "bash_command" and isinstance(typed, str):
        return call.model_copy(update={"command": typed.strip()})
    return call


def _result(result: object) -> str:
    """What came back, and which sub-agents' runs it names."""
    content = spoken(result.get("content")) if isinstance(result, dict) else ""
    ref = result.get("subagent_trajectory_ref") if isinstance(result, dict) else None
    names = [_ref_name(item) for item in (ref if isinstance(ref, list) else [ref])]
    noted = [f"[sub-agent's trajectory: {name}]" for name in names if name]
    return "\n".join(part for part in (content, *noted) if part)


def _ref_name(ref: object) -> str:
    keys = ("trajectory_path", "trajectory_id", "session_id")
    return next((name for key in keys if (name := text_at(ref, key))), "")
