"""OpenHands: a session's events as a JSON list (2025-01 to 0.46 seen), or a file each (V1)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, Refusal, Trajectory
from mcp_memory.readers.jsonl import list_at, read_head, read_json, text_at
from mcp_memory.readers.openhands_events import ACTIONS, OBSERVATIONS, UNSAID, Events
from mcp_memory.readers.openhands_live import TAKEN, is_state, read_live
from mcp_memory.readers.openhands_live import UNSAID as LIVE_UNSAID

FORMAT = "openhands"
VERSION = 1

_KEYS = ("trajectory", "history", "events")
MAPPED = frozenset(
    {
        *_KEYS,
        *(f"action/{name}" for name in ACTIONS),
        *(f"observation/{name}" for name in OBSERVATIONS),
        *TAKEN,
    }
)
"""Events, and keys that they stand under, that become part of a trajectory."""
LEFT_OUT = {**UNSAID, **LIVE_UNSAID}
"""Known events and parts that are counted and not kept, with the reason."""

_KEY = r'"[^"\\]{1,80}"\s*:\s*'
_SCALAR = r'(?:"[^"\\]{0,4096}"|-?\d[\d.]{0,30}|true|false|null)\s*,\s*'
_EVENTS = re.compile(
    (
        rf'\s*(?:\{{\s*(?:{_KEY}{_SCALAR}){{0,8}}"(?:{"|".join(_KEYS)})"\s*:\s*)?'
        r'\[\s*(?:\[\s*)?\{\s*"id"\s*:\s*\d{1,9}\s*,\s*"timestamp"\s*:\s*"[^"\\]{1,40}"\s*,\s*'
        r'"source"\s*:\s*"(?:user|agent|environment)"\s*,\s*"message"\s*:\s*"'
    ).encode()
)
_NESTED = 2


def recognize(path: Path) -> bool:
    """Whether the file begins with a numbered event, or is the state beside a session's events."""
    head = read_head(path)
    return bool(_EVENTS.match(head)) or is_state(head)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file, or of the folder that it is the state of."""
    if is_state(read_head(path)):
        yield from read_live(path, FORMAT)
        return
    refusals: list[Refusal] = []
    value = read_json(path, refusals)
    told = list(_flat(_listed(value), _NESTED))
    events = Events(refusals)
    for key in value if isinstance(value, dict) else ():
        if key not in _KEYS:
            events.unknown[f"file/{key}"[:80]] += 1
    for number, event in enumerate(told, 1):
        events.take(number, event)
    yield _trajectory(told, path.name, events)


def _trajectory(told: list[Any], name: str, events: Events) -> Trajectory:
    native_id = _native_id(told) if told else refs.short_hash(name)
    verdict, reason = _verdict(events)
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        goal=events.drafts.goal,
        cwd=events.facts.get("cwd"),
        model=events.facts.get("model"),
        host_version=events.facts.get("version"),
        started_at=events.lifetime.begun,
        ended_at=events.lifetime.ended,
        steps=tuple(draft.finished() for draft in events.drafts),
        verdict=verdict,
        verdict_reason=reason,
        tokens_in=sum(read for read, _ in events.tokens.values()),
        tokens_out=sum(written for _, written in events.tokens.values()),
        skipped=dict(events.skipped),
        unknown=dict(events.unknown),
        refusals=tuple(events.refusals),
    )


def _verdict(events: Events) -> tuple[Outcome, str]:
    state = events.facts.get("state", "")
    if state == "error":
        return Outcome.FAILURE, "the agent's last state is error"
    if state in {"finished", "rejected", "stopped"}:
        return Outcome.UNKNOWN, f"the agent's last state is {state}: not tested"
    return Outcome.UNKNOWN, "no final state: not finished, or not recorded"


def _native_id(told: list[Any]) -> str:
    """A hash of the first event: its time, to the microsecond, is no other session's."""
    first = next((event for event in told if text_at(event, "timestamp")), None)
    if first is None:
        return refs.short_hash(*(text_at(event, "message") for event in told))
    return refs.short_hash(*(text_at(first, key) for key in ("timestamp", "source", "message")))


def _listed(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return next((found for key in _KEYS if (found := list_at(value, key))), [])


def _flat(told: list[Any], depth: int) -> Iterator[Any]:
    """The events of a list, or of lists in it: some exports pair each action with its result."""
    for event in told:
        if isinstance(event, list) and depth:
            yield from _flat(event, depth - 1)
        else:
            yield event
