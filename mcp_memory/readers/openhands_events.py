"""OpenHands' events: actions, and observations that name the action that caused them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, ToolCall
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, count_at, list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import source_of, tool_call, unfed

_WORK = (
    *("run", "run_ipython", "read", "write", "edit", "browse", "browse_interactive"),
    *("call_tool_mcp", "delegate", "task_tracking"),
)
ACTIONS = frozenset({*_WORK, "message", "system", "condensation", "think", "finish", "reject"})
"""Actions that become part of a trajectory."""
OBSERVATIONS = frozenset(
    {
        *("run", "run_ipython", "read", "write", "edit", "browse", "mcp", "delegate", "error"),
        *("task_tracking", "user_rejected", "recall", "success", "message"),
        "agent_state_changed",
    }
)
"""Observations that become part of a trajectory."""
UNSAID = {
    "action/change_agent_state": "state of the program; what it came to is observed",
    "action/recall": "the host looks up what it knows; what it found is observed",
    "action/condensation_request": "asks for a summary, which follows",
    "action/null": "nothing was done",
    "observation/null": "nothing was seen",
    "observation/think": "acknowledges a thought, which is kept",
    "observation/condense": "repeats the summary that its action holds",
    "observation/agent_state_changed:quiet": "state of the program, without an error's reason",
    "observation/edit:content": "the file before and after; the call holds what was changed",
    "observation/recall:surroundings": "date, ports and names of secrets of the host",
    "action/system:tools": "descriptions of the host's tools",
}
"""Known events and parts that do not become part of a trajectory, with the reason."""

_OUTSIDE = frozenset({"read", "browse", "browse_interactive", "call_tool_mcp"})
_SETTINGS = frozenset(
    {
        *("thought", "blocking", "hidden", "confirmation_state", "is_static", "is_input"),
        *("impl_source", "security_risk", "return_axtree", "browsergym_send_msg_to_user"),
    }
)
_KNOWLEDGE = ("repo_instructions", "additional_agent_instructions", "conversation_instructions")
_RUNNING = -1
"""The exit code of a command that has not ended."""


@dataclass(slots=True)
class _Caller:
    """A call that waits for its observation."""

    draft: Draft
    call: ToolCall
    action: str
    at: datetime | None


@dataclass(slots=True)
class Events:
    """The steps of a session, as its events come."""

    refusals: list[Refusal]
    drafts: Drafts = field(default_factory=Drafts)
    facts: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)
    lifetime: Lifetime = field(default_factory=Lifetime)
    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    _callers: dict[str, _Caller] = field(default_factory=dict)
    _answers: dict[str, Draft] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def take(self, number: int, event: object) -> None:
        """Read one event."""
        if not isinstance(event, dict):
            self.refusals.append(Refusal(where=f"event {number}", reason="not an object"))
            return
        at = moment(event.get("timestamp"))
        self.lifetime.note(at)
        if action := text_at(event, "action"):
            self._action(event, action, at)
        elif seen := text_at(event, "observation"):
            self._observation(event, seen, at)
        else:
            self.unknown[f"event/{text_at(event, 'source')}"[:80]] += 1
            self._note(text_at(event, "content") or text_at(event, "message"), at)

    def _action(self, event: Record, action: str, at: datetime | None) -> None:
        args = object_at(event, "args")
        if f"action/{action}" in UNSAID:
            self.skipped[f"action/{action}"] += 1
        elif action == "system":
            self._system(event, args)
        elif action == "message":
            self._message(event, args, at)
        elif action == "condensation":
            self._summary(args, at)
        elif action == "think":
            self._speaker(event, at).reasons.append(text_at(args, "thought"))
        elif action in {"finish", "reject"}:
            self._last_words(event, args, at)
        else:
            if action not in ACTIONS:
                self.unknown[f"action/{action}"[:80]] += 1
            self._call(event, action, at)

    def _system(self, event: Record, args: Record) -> None:
        if version := text_at(args, "openhands_version"):
            self.facts.setdefault("version", version)
        if list_at(args, "tools"):
            self.skipped["action/system:tools"] += 1
        self._once(text_at(args, "content") or text_at(event, "message"))

    def _message(self, event: Record, args: Record, at: datetime | None) -> None:
        said = text_at(args, "content") or text_at(event, "message")
        pictures = [
            url
            for key in ("image_urls", "file_urls")
            for url in list_at(args, key)
            if isinstance(url, str)
        ]
        text = without_blobs("\n".join([said, *pictures]))
        source = text_at(event, "source")
        if source == "user":
            self.drafts.begin("user", SourceClass.USER, text, at=at)
        elif source == "agent":
            _say(self._speaker(event, at), text)
        else:
            self._note(text, at)

    def _summary(self, args: Record, at: datetime | None) -> None:
        summary = text_at(args, "summary")
        if summary:
            self.drafts.begin("summary", SourceClass.AGENT, without_blobs(summary), at=at)

    def _last_words(self, event: Record, args: Record, at: datetime | None) -> None:
        draft = self._speaker(event, at)
        said = [text_at(args, key) for key in ("final_thought", "thought")]
        outputs = object_at(args, "outputs")
        said += [text_at(outputs, key) for key in ("content", "message", "reason")]
        for text in said:
            _say(draft, text)
        if not draft.texts:
            _say(draft, text_at(event, "message"))

    def _speaker(self, event: Record, at: datetime | None) -> Draft:
        """The step of a model's answer: one for all its actions."""
        if text_at(event, "source") == "user":
            return self.drafts.begin("user", SourceClass.USER, at=at)
        response = object_at(object_at(event, "tool_call_metadata"), "model_response")
        answer = text_at(response, "id")
        known = self._answers.get(answer) if answer else None
        if known is not None:
            return known
        draft = self.drafts.begin("agent", SourceClass.AGENT, at=at)
        if answer:
            self._answers[answer] = draft
            usage = object_at(response, "usage")
            read, written = (count_at(usage, f"{kind}_tokens") for kind in ("prompt", "completion"))
            self.tokens[answer] = (read, written)
        draft.model = text_at(response, "model") or None
        if draft.model:
            self.facts["model"] = draft.model
        for said, thought in _answered(response):
            _say(draft, said)
            draft.reasons.append(thought)
        return draft

    def _call(self, event: Record, action: str, at: datetime | None) -> None:
        args = object_at(event, "args")
        draft = self._speaker(event, at)
        _say(draft, text_at(args, "thought"))
        number = str(event.get("id"))
        call = _tool_call(event, action, args, number)
        place = call.id if call.id not in draft.calls else f"{call.id}#{len(draft.calls)}"
        draft.calls[place] = call
        self._callers[number] = _Caller(draft, call, action, at)

    def _observation(self, event: Record, seen: str, at: datetime | None) -> None:
        extras = object_at(event, "extras")
        if f"observation/{seen}" in UNSAID:
            self.skipped[f"observation/{seen}"] += 1
            return
        if seen == "agent_state_changed":
            self._state(extras, at)
            return
        if seen == "recall":
            self._knowledge(extras)
            return
        if seen not in OBSERVATIONS:
            self.unknown[f"observation/{seen}"[:80]] += 1
        if "old_content" in extras or "new_content" in extras:
            self.skipped["observation/edit:content"] += 1
        self._place(extras)
        caller = self._callers.get(str(event.get("cause")))
        if caller is not None:
            caller.draft.observations.append(_observed(event, seen, caller, at))
        elif text := _shown(event, None):
            source = SourceClass.HOST if seen == "error" else SourceClass.TOOL
            self.drafts.begin("system", source, text, at=at)

    def _place(self, extras: Record) -> None:
        place = text_at(object_at(extras, "metadata"), "working_dir")
        if place:
            self.facts.setdefault("cwd", place)

    def _state(self, extras: Record, at: datetime | None) -> None:
        state, reason = text_at(extras, "agent_state"), text_at(extras, "reason")
        self.facts["state"] = state
        if reason:
            self._note(f"{state}: {reason}", at)
        else:
            self.skipped["observation/agent_state_changed:quiet"] += 1

    def _knowledge(self, extras: Record) -> None:
        """What the host told the agent about the project and its own abilities."""
        self.skipped["observation/recall:surroundings"] += 1
        if place := text_at(extras, "repo_directory"):
            self.facts["cwd"] = place
        for key in _KNOWLEDGE:
            self._once(text_at(extras, key))
        for known in list_at(extras, "microagent_knowledge"):
            self._once(text_at(known, "content"))

    def _once(self, text: str) -> None:
        if text.strip() and text not in self._told:
            self._told.add(text)
            self.drafts.begin("boot", SourceClass.HOST, without_blobs(text))

    def _note(self, text: str, at: datetime | None) -> None:
        if text.strip():
            self.drafts.begin("system", SourceClass.HOST, without_blobs(text), at=at)


def _say(draft: Draft, text: str) -> None:
    """Words of a step; the host repeats a model's words in each of its actions."""
    text = without_blobs(text.strip())
    if text and text not in draft.texts:
        draft.texts.append(text)


def _answered(response: Record) -> Iterator[tuple[str, str]]:
    for choice in list_at(response, "choices"):
        message = object_at(choice, "message")
        parts = [text_at(part, "text") for part in list_at(message, "content")]
        said = "\n".join(part for part in [text_at(message, "content"), *parts] if part)
        yield said, text_at(message, "reasoning_content")


def _tool_call(event: Record, action: str, args: Record, number: str) -> ToolCall:
    """The call as the model made it; where that was not recorded, as the host understood it."""
    metadata = object_at(event, "tool_call_metadata")
    call_id = text_at(metadata, "tool_call_id")
    asked = _arguments(object_at(metadata, "model_response"), call_id)
    if not asked:
        asked = {key: value for key, value in args.items() if key not in _SETTINGS}
    name = text_at(metadata, "function_name") or text_at(args, "name") or action
    call = tool_call(call_id or f"event-{number}", name, asked)
    command = text_at(args, "command") if action == "run" else ""
    path = text_at(args, "path")
    paths = call.paths or ((path,) if path else ())
    edits = action in {"edit", "write"} and bool(paths)
    changed = {"command": command or None, "paths": paths, "edits": edits}
    return call.model_copy(update=changed)


def _arguments(response: Record, call_id: str) -> dict[str, Any]:
    for choice in list_at(response, "choices"):
        for asked in list_at(object_at(choice, "message"), "tool_calls"):
            if call_id and text_at(asked, "id") == call_id:
                try:
                    found = orjson.loads(text_at(object_at(asked, "function"), "arguments"))
                except orjson.JSONDecodeError:
                    return {}
                return found if isinstance(found, dict) else {}
    return {}


def _observed(event: Record, seen: str, caller: _Caller, at: datetime | None) -> Observation:
    extras = object_at(event, "extras")
    code = _exit_code(extras)
    source = source_of(caller.call.name)
    if seen == "user_rejected":
        source = SourceClass.USER
    elif caller.action in _OUTSIDE:
        source = SourceClass.EXTERNAL
    began = caller.at
    observation = Observation(
        call_id=caller.call.id,
        text=_shown(event, code),
        exit_code=None if code == _RUNNING else code,
        failed=_failed(event, seen, code),
        seconds=(at - began).total_seconds() if at and began and at >= began else None,
        source=source,
    )
    # A server's tools go by their bare names, after the server's own where there are several.
    served = caller.action == "call_tool_mcp"
    return unfed(f"mcp_{caller.call.name}" if served else caller.call.name, observation)


def _exit_code(extras: Record) -> int | None:
    code = number_at(object_at(extras, "metadata"), "exit_code")
    code = number_at(extras, "exit_code") if code is None else code
    return None if code is None else int(code)


def _failed(event: Record, seen: str, code: int | None) -> bool | None:
    if seen in {"error", "user_rejected"}:
        return True
    if code == _RUNNING:
        return None
    success, error = event.get("success"), object_at(event, "extras").get("error")
    if isinstance(success, bool):
        return not success
    return error if isinstance(error, bool) else None


def _shown(event: Record, code: int | None) -> str:
    """The output, with the host's remark where a command has not ended."""
    extras = object_at(event, "extras")
    metadata = object_at(extras, "metadata")
    parts = [text_at(metadata, "prefix"), text_at(event, "content")]
    if code == _RUNNING:
        parts.append(text_at(metadata, "suffix"))
    if (picture := text_at(extras, "screenshot")).startswith("data:"):
        parts.append(picture)
    return without_blobs("\n".join(part for part in parts if part).strip("\n"))
