"""OpenHands' live store (V1): one file an event, in the folder beside a session's state.

It follows its published sources and a description; no session of a real user was seen.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft
from mcp_memory.readers.jsonl import (
    Record,
    list_at,
    number_at,
    object_at,
    read_whole,
    text_at,
)
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk, arguments_of, spoken, thought
from mcp_memory.readers.tally import REPEATED, STATE

EVENTS = "events"
"""The folder beside a session's state that its events lie in."""
UNSAID = {
    **dict.fromkeys(
        (
            "PauseEvent", "CondensationRequest", "ConversationStateUpdateEvent", "TokenEvent",
            "HookExecutionEvent",
        ),
        STATE,
    ),
    "LLMCompletionLogEvent": REPEATED,
    "StreamingDeltaEvent": REPEATED,
}  # fmt: skip
"""Known events that are counted and not kept, with the reason."""

_STATE_KEYS = (b'"workspace"', b'"working_dir"', b'"execution_status"', b'"agent_status"')
_LEAST = 2
_NAME = re.compile(r"event-\d{1,12}-[\w-]{1,80}\.json")
_FILES = 200_000


def is_state(head: bytes) -> bool:
    """Whether a file is a session's state, beside which its events lie."""
    told = sum(key in head for key in _STATE_KEYS) >= _LEAST
    return told and b'"id"' in head and head.lstrip().startswith(b"{") and b'"history"' not in head


def read_live(path: Path, format_: str) -> Iterator[Trajectory]:
    """The one session whose state a file is."""
    talk = Talk()
    state = read_whole(path, talk.tally.refusals) or {}
    talk.cwd = text_at(object_at(state, "workspace"), "working_dir")
    talk.model = text_at(object_at(object_at(state, "agent"), "llm"), "model")
    for event in _events(path.absolute().parent / EVENTS, talk.tally.refusals):
        _take(talk, event)
    status = text_at(state, "execution_status") or text_at(state, "agent_status")
    talk.reason = f"the session's status is {status[:80]}: not tested" if status else ""
    yield talk.trajectory(format_, text_at(state, "id") or content_id(path=path))


def _events(folder: Path, refusals: list[Refusal]) -> Iterator[Record]:
    try:
        files = sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    except OSError:
        refusals.append(Refusal(where="file", reason="no events of it lie beside it"))
        return
    for file in files[:_FILES]:
        found: list[Refusal] = []
        try:
            event = None if file.is_symlink() else read_whole(file, found)
        except OSError as error:
            event, found = None, [Refusal(where="file", reason=str(error))]
        refusals.extend(Refusal(where=file.name, reason=each.reason) for each in found)
        if event is not None:
            yield event


def _take(talk: Talk, event: Record) -> None:
    kind, at = text_at(event, "kind"), talk.note(moment(event.get("timestamp")))
    if talk.tally.keeps(kind, TAKEN, UNSAID, untyped="event without kind"):
        _TAKERS[kind](talk, event, at)


def _boot(talk: Talk, event: Record, at: datetime | None) -> None:
    del at
    talk.boot(spoken(event.get("system_prompt")))


def _message(talk: Talk, event: Record, at: datetime | None) -> None:
    message = object_at(event, "llm_message")
    text = spoken(message.get("content"))
    if text_at(event, "source") == "user":
        talk.ask(text, at)
        talk.tell(spoken(event.get("extended_content")), at)
    elif text_at(event, "source") == "agent":
        draft = talk.say(text, at)
        _reason(draft, message)
    else:
        talk.tell(text, at)


def _act(talk: Talk, event: Record, at: datetime | None) -> None:
    """A call; what ends the session is the agent's own words."""
    draft = talk.say(spoken(event.get("thought")), at)
    _reason(draft, event)
    action, call = object_at(event, "action"), object_at(event, "tool_call")
    if text_at(action, "kind") == "FinishAction":
        draft.texts.append(text_at(action, "message").strip())
        return
    told = dict(arguments_of(call.get("arguments"))) or {
        key: value for key, value in action.items() if key != "kind"
    }
    id_ = text_at(event, "tool_call_id") or text_at(call, "id")
    talk.call(draft, id_, text_at(event, "tool_name") or text_at(call, "name"), told)


def _observe(talk: Talk, event: Record, at: datetime | None) -> None:
    seen = object_at(event, "observation")
    metadata = object_at(seen, "metadata")
    code = number_at(seen, "exit_code")
    code = number_at(metadata, "exit_code") if code is None else code
    failed = seen.get("is_error")
    text = spoken(seen.get("content")) or spoken(seen.get("output")) or text_at(seen, "error")
    if not text:
        text = orjson.dumps({k: v for k, v in seen.items() if k != "kind"}).decode()
    talk.result(
        Observation(
            call_id=text_at(event, "tool_call_id"),
            text=text,
            exit_code=None if code is None else int(code),
            failed=bool(code) if code is not None else failed if isinstance(failed, bool) else None,
        ),
        text_at(event, "tool_name"),
        at,
    )


def _fail(talk: Talk, event: Record, at: datetime | None) -> None:
    id_, error = text_at(event, "tool_call_id"), text_at(event, "error") or text_at(event, "detail")
    if id_:
        seen = Observation(call_id=id_, text=error, failed=True)
        talk.result(seen, text_at(event, "tool_name"), at)
    else:
        talk.tell(f"[error] {error}", at)


def _reject(talk: Talk, event: Record, at: datetime | None) -> None:
    told = text_at(event, "rejection_reason")
    seen = Observation(
        call_id=text_at(event, "tool_call_id"), text=told, failed=True, source=SourceClass.USER
    )
    talk.result(seen, text_at(event, "tool_name"), at)


def _condense(talk: Talk, event: Record, at: datetime | None) -> None:
    talk.sum_up(text_at(event, "summary"), at)


def _interrupt(talk: Talk, event: Record, at: datetime | None) -> None:
    del event
    talk.tell("[Request interrupted by user]", at, SourceClass.USER)


def _reason(draft: Draft, told: Record) -> None:
    draft.reasons.append(text_at(told, "reasoning_content").strip())
    draft.reasons.append(thought(list_at(told, "thinking_blocks")))


_TAKERS: dict[str, Callable[[Talk, Record, datetime | None], None]] = {
    "SystemPromptEvent": _boot,
    "MessageEvent": _message,
    "ActionEvent": _act,
    "ObservationEvent": _observe,
    "AgentErrorEvent": _fail,
    "ConversationErrorEvent": _fail,
    "UserRejectObservation": _reject,
    "Condensation": _condense,
    "CondensationSummaryEvent": _condense,
    "InterruptEvent": _interrupt,
}
TAKEN = frozenset(_TAKERS)
"""Events that become part of a trajectory."""
