"""Parts: a step as what was said, thought, called and came back, each with its place in the whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from mcp_memory.domain.asked import Show
from mcp_memory.domain.models import Observation, Step, ToolCall

_INLINE = 80
"""A string argument so short stands beside its name; a longer one below it."""
Kind = Literal["said", "thought", "called", "returned"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a step."""

    kind: Kind
    text: str
    at: int
    """Where it begins in the step's whole text."""
    weight: float
    """How much room it may claim beside others."""


def head(step: Step, before: Step | None = None) -> str:
    """`#12 agent 2026-01-02 10:11`; the day stands only where it is not that of the step before."""
    marks = " abandoned" if step.abandoned else ""
    marks += f" revises #{step.revises}" if step.revises else ""
    when = ""
    if step.at is not None:
        same = before is not None and before.at is not None and before.at.date() == step.at.date()
        when = f" {step.at:%H:%M}" if same else f" {step.at:%Y-%m-%d %H:%M}"
    return f"#{step.number} {step.kind}{when}{marks}"


def parts(step: Step, show: Show = "everything") -> list[Part]:
    """The pieces that are shown, in their order; none where the step has nothing of that kind."""
    made: list[Part] = []
    at = 0
    for kind, text, weight, told in _pieces(step):
        if told(show):
            made.append(Part(kind, text, at, weight))
        at += len(text) + 1
    return made


def whole(step: Step) -> str:
    """All of a step as one text: what offsets count in."""
    return "\n".join(text for _, text, _, _ in _pieces(step))


def ending(seen: Observation | None) -> str:
    """How a call ended, in brackets."""
    if seen is None:
        return "[no result]"
    if seen.exit_code is not None:
        return f"[exit {seen.exit_code}]"
    return "[failed]" if seen.failed else "[ok]" if seen.failed is False else "[unknown]"


class _In:
    """In which ways of showing a piece stands."""

    def __init__(self, *ways: Show) -> None:
        self._ways = ("everything", *ways)

    def __call__(self, show: Show) -> bool:
        return show in self._ways


_Piece = tuple[Kind, str, float, _In]


def _pieces(step: Step) -> Iterator[_Piece]:
    if step.text:
        yield "said", step.text, 3.0 if step.kind == "user" else 2.0, _In("prose")
    if step.reasoning:
        yield "thought", f"(reasoning) {step.reasoning}", 0.7, _In()
    ended = {seen.call_id: seen for seen in step.observations}
    for call in step.calls:
        acts = _In("calls") if call.command or call.edits else _In()
        yield "called", _call(call), 1.5, acts
        if call.id in ended:
            yield _returned(ended.pop(call.id), acts)
    for seen in ended.values():
        yield _returned(seen, _In("calls"))


def _returned(seen: Observation, acts: _In) -> _Piece:
    failed = bool(seen.failed or seen.exit_code)
    return "returned", f"← {ending(seen)} {seen.text}".rstrip(), 1.5 if failed else 1.0, acts


def _call(call: ToolCall) -> str:
    if call.command:
        return f"→ {call.name}: {call.command}"
    return f"→ {call.name}{_arguments(call.arguments)}"


def _arguments(given: Mapping[str, JsonValue]) -> str:
    """Short ones in brackets, longer ones as blocks below their names, as they are."""
    short = {name: value for name, value in given.items() if not _is_block(value)}
    inline = ", ".join(f"{name}={_plain(value)}" for name, value in short.items())
    blocks = [f"\n{name}:\n{value}" for name, value in given.items() if name not in short]
    return f"({inline}){''.join(blocks)}"


def _is_block(value: JsonValue) -> bool:
    return isinstance(value, str) and (len(value) > _INLINE or "\n" in value)


def _plain(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_plain(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return repr(value)
