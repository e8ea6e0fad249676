"""Parts: a step as what was said, thought, called and came back, each with its place in the whole."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from mcp_memory.domain.asked import Show
from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.text import causes, cutting

_INLINE = 80
"""An argument so short stands beside its name; a longer one below it."""
_BRIEF = 120
_WORD = re.compile(r"\w{3}")
Name = Callable[[str], str]
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


def parts(step: Step, show: Show = "everything", name: Name = str) -> list[Part]:
    """The pieces that are shown, in their order; none where the step has nothing of that kind.

    `name` says how a path is told.
    """
    made: list[Part] = []
    at = 0
    for piece in _pieces(step, name):
        if show in ("everything", piece.stands_in):
            text = piece.brief if show == "calls" else piece.text
            made.append(Part(piece.kind, text or piece.text, at, piece.weight))
        at += len(piece.text) + 1
    return made


def whole(step: Step, name: Name = str) -> str:
    """All of a step as one text: what offsets count in."""
    return "\n".join(piece.text for piece in _pieces(step, name))


def ending(seen: Observation | None) -> str:
    """How a call ended, in brackets."""
    if seen is None:
        return "[no result]"
    if seen.exit_code is not None:
        return f"[exit {seen.exit_code}]"
    return "[failed]" if seen.failed else "[ok]" if seen.failed is False else "[unknown]"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a step, and which way of showing it stands in beside everything."""

    kind: Kind
    text: str
    weight: float
    stands_in: Show | None = None
    brief: str = ""
    """What is told of it among calls, where that is less."""


def _pieces(step: Step, name: Name) -> Iterator[_Piece]:
    if step.text:
        spoken = step.kind != "system" or step.source is SourceClass.USER
        weight = 3.0 if step.kind == "user" else 2.0 if spoken else 1.0
        yield _Piece("said", step.text, weight, "prose" if spoken else None)
    if step.reasoning:
        yield _Piece("thought", f"(reasoning) {step.reasoning}", 0.5)
    ended = {seen.call_id: seen for seen in step.observations}
    for call in step.calls:
        yield _Piece("called", _call(call, name), 1.5, "calls" if _acts(call) else None)
        if call.id in ended:
            yield _returned(ended.pop(call.id), call)
    for seen in ended.values():
        yield _returned(seen, None)


def _acts(call: ToolCall | None) -> bool:
    return call is None or bool(call.command or call.edits)


def _returned(seen: Observation, call: ToolCall | None) -> _Piece:
    """What came back; among calls with the last line of a long text, which sums it up."""
    failed = bool(seen.failed or seen.exit_code)
    verdict = f"← {ending(seen)}"
    text = f"{verdict} {seen.text}".rstrip()
    if call is not None and call.edits and not call.command and not failed:
        brief = verdict
    elif len(text) <= _BRIEF:
        brief = text
    else:
        said = (line.strip() for line in seen.text.splitlines() if _WORD.search(line))
        lines = [line for line in said if not line.startswith(causes.MOVED_BACK)]
        brief = f"{verdict} … {cutting.head(lines[-1], _BRIEF)}" if lines else verdict
    stands_in: Show | None = "calls" if _acts(call) else None
    return _Piece("returned", text, 1.5 if failed else 1.0, stands_in, brief)


def _call(call: ToolCall, name: Name) -> str:
    """A command, or the tool with its files, short arguments in brackets and the others below."""
    if call.command:
        return f"→ {call.name}: {call.command}"
    told = {
        key: value
        for key, value in call.arguments.items()
        if value not in ("", None, False) and value not in call.paths
    }
    pair = _pair(told)
    short = {k: value for k, value in told.items() if k not in pair and not _is_block(value)}
    inline = ", ".join(f"{key}={_plain(value)}" for key, value in short.items())
    blocks = _blocks({key: value for key, value in told.items() if key not in short})
    words = (f"→ {call.name}", *map(name, call.paths), f"({inline})" if inline else "")
    return "\n".join((" ".join(filter(None, words)), *blocks))


def _is_block(value: JsonValue) -> bool:
    return len(_plain(value)) > _INLINE or "\n" in _plain(value)


def _blocks(given: Mapping[str, JsonValue]) -> Iterator[str]:
    """Long arguments below their names, as they are; what is replaced by what, as a change."""
    if pair := _pair(given):
        yield _change(*(_plain(given[key]) for key in pair))
        given = {key: value for key, value in given.items() if key not in pair}
    for key, value in given.items():
        several = value if isinstance(value, list) else ()
        if several and all(isinstance(each, Mapping) for each in several):
            for each in several:
                yield from _blocks(each if isinstance(each, Mapping) else {})
        else:
            yield f"{key}:\n{_plain(value)}"


def _pair(given: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """The names of what is replaced and of what by, where there are both."""
    named = [
        next((key for key in given if key.lower().startswith(word)), "") for word in ("old", "new")
    ]
    return tuple(named) if all(named) else ()


def _change(old: str, new: str) -> str:
    """Lines that go and lines that come, between those that both begin and end with."""
    before, after = old.splitlines(), new.splitlines()
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
    end = after[len(after) - tail :] if tail else []
    return "\n".join(
        [
            *(f"  {line}".rstrip() for line in after[:head]),
            *(f"- {line}".rstrip() for line in gone),
            *(f"+ {line}".rstrip() for line in come),
            *(f"  {line}".rstrip() for line in end),
        ]
    )


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _plain(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return repr(value)
