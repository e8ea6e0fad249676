"""Calls: what a session's agents did, each call with all that came back of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall

_RUNNING = re.compile(r"\AProcess running with session ID (?P<id>\d+)\s*(?:\n|\Z)")


def called(step: Step) -> Iterator[tuple[ToolCall, Observation | None]]:
    """The calls of a step, each with what came back."""
    ended = {seen.call_id: seen for seen in step.observations}
    return ((call, ended.get(call.id)) for call in step.calls)


def strings(value: object) -> Iterator[str]:
    """Every text within an argument, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from strings(each)


def failed(seen: Observation | None) -> bool:
    """Whether a tool failed by its host's word; what the user refused did not."""
    if seen is None or seen.source is SourceClass.USER:
        return False
    return bool(seen.failed or seen.exit_code)


def refused(step: Step) -> bool:
    """Whether the user refused an edit or a command of a step; readers give a denial its user as source."""
    return any(
        seen is not None and seen.failed is True and seen.source is SourceClass.USER
        for call, seen in called(step)
        if call.edits or call.command
    )


class Made(NamedTuple):
    """One call with all that came back, also from what went on in the background."""

    step: Step
    call: ToolCall
    seen: Observation | None


def made(steps: Iterable[Step]) -> Iterator[Made]:
    """The calls of a session in order; what a running process printed later stands with its start."""
    known = list(steps)
    later = _later(known)
    for step in known:
        for call, seen in called(step):
            if seen is None or call.id in later.fed:
                yield Made(step, call, None if seen is None else _silenced(seen))
            elif call.id in later.parts:
                yield Made(step, call, _joined(seen, later.parts[call.id]))
            else:
                yield Made(step, call, seen)
        ids = {call.id for call in step.calls}
        for seen in step.observations:
            if seen.call_id not in ids:
                yield Made(step, ToolCall(id=seen.call_id, name=""), seen)


class _Later(NamedTuple):
    parts: dict[str, list[Observation]]
    """Call to what was read of it later."""
    fed: frozenset[str]
    """The calls that read it."""


def _later(steps: Sequence[Step]) -> _Later:
    running: dict[str, str] = {}
    parts: dict[str, list[Observation]] = {}
    fed: set[str] = set()
    for step in steps:
        for call, seen in called(step):
            if seen is None:
                continue
            session = str(call.arguments.get("session_id", ""))
            if call.command is None and session in running:
                parts.setdefault(running[session], []).append(seen)
                fed.add(call.id)
            begun = _RUNNING.match(seen.text) if call.command else None
            if begun:
                running[begun["id"]] = call.id
    return _Later(parts, frozenset(fed))


def _joined(seen: Observation, parts: Sequence[Observation]) -> Observation:
    """An observation with what its process printed until it ended."""
    texts = [_RUNNING.sub("", one.text) for one in (seen, *parts)]
    codes = [one.exit_code for one in (seen, *parts) if one.exit_code is not None]
    verdicts = [one.failed for one in (seen, *parts) if one.failed is not None]
    return seen.model_copy(
        update={
            "text": "".join(texts),
            "exit_code": codes[-1] if codes else None,
            "failed": verdicts[-1] if verdicts else None,
        }
    )


def _silenced(seen: Observation) -> Observation:
    """What only reads from a running process judges nothing itself."""
    return seen.model_copy(update={"failed": None, "exit_code": None})
