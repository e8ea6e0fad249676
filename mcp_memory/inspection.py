"""Inspection: steps of a session as text within a cap, whole or narrowed to what was asked."""

import re
from collections.abc import Sequence

from mcp_memory import signatures
from mcp_memory.errors import InvalidInput
from mcp_memory.models import Inspection, Observation, Step, ToolCall

_LEAST = 200
_PATTERN_CHARS = 300


def show(steps: Sequence[Step], *, cap: int) -> tuple[str, int]:
    """Steps as text of at most `cap` characters, and the last step that is in it.

    The first step is always in it, cut in the middle where it alone is too long.
    """
    parts: list[str] = []
    left, last = cap, steps[0].number
    for step in steps:
        text = _told(step)
        if parts and len(text) > left:
            break
        parts.append(text if len(text) <= left else _cut(text, max(left, _LEAST)))
        left -= len(text)
        last = step.number
    return "\n\n".join(parts), last


def inspect(steps: Sequence[Step], asked: Inspection) -> str:
    """What was asked of these steps, within its cap.

    Raises:
        InvalidInput: the regular expression cannot be read.
    """
    narrowed = [step for step in steps if _wanted(step, _pattern(asked.match))]
    if asked.files or asked.errors or asked.commands:
        lines = [line for step in narrowed for line in _facts(step, asked)]
        text = "\n".join(lines)
        return text if len(text) <= asked.cap else _cut(text, asked.cap)
    if not narrowed:
        return "No step matches."
    text, last = show(narrowed, cap=asked.cap)
    if last != narrowed[-1].number:
        text += f"\n\n[cut at {asked.cap} characters; go on with --span {last + 1}:{narrowed[-1].number}]"
    return text


def _pattern(match: str) -> re.Pattern[str] | None:
    if not match:
        return None
    try:
        return re.compile(match[:_PATTERN_CHARS], re.IGNORECASE)
    except re.error as error:
        raise InvalidInput(
            f"{match!r} is not a regular expression ({error}).",
            next_step="Escape what is meant literally, or search without it.",
        ) from None


def _wanted(step: Step, pattern: re.Pattern[str] | None) -> bool:
    return pattern is None or pattern.search(_told(step)) is not None


def _facts(step: Step, asked: Inspection) -> list[str]:
    ended = {seen.call_id: seen for seen in step.observations}
    lines = []
    for call in step.calls:
        seen = ended.get(call.id)
        if asked.files:
            lines += [
                f"#{step.number} {'edits' if call.edits else 'reads'} {p}" for p in call.paths
            ]
        if asked.commands and call.command:
            lines.append(f"#{step.number} {_ending(seen)} {call.command.splitlines()[0][:300]}")
        if asked.errors and seen is not None and (seen.failed or seen.exit_code):
            lines.append(f"#{step.number} {_ending(seen)} {signatures.error(seen.text)}")
    return lines


def _ending(seen: Observation | None) -> str:
    if seen is None:
        return "[no result]"
    if seen.exit_code is not None:
        return f"[exit {seen.exit_code}]"
    return "[failed]" if seen.failed else "[ok]" if seen.failed is False else "[unknown]"


def _told(step: Step) -> str:
    when = f" {step.at.isoformat()}" if step.at else ""
    marks = f"{' abandoned' if step.abandoned else ''}{f' revises #{step.revises}' if step.revises else ''}"
    parts = [f"#{step.number} {step.kind}{when}{marks}", step.text]
    if step.reasoning:
        parts.append(f"(reasoning) {step.reasoning}")
    ended = {seen.call_id: seen for seen in step.observations}
    for call in step.calls:
        parts.append(_call(call))
        if call.id in ended:
            parts.append(_result(ended.pop(call.id)))
    parts += [_result(seen) for seen in ended.values()]
    return "\n".join(part for part in parts if part)


def _call(call: ToolCall) -> str:
    if call.command:
        return f"→ {call.name}: {call.command}"
    told = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"→ {call.name}({told})"


def _result(seen: Observation) -> str:
    return f"← {_ending(seen)} {seen.text}"


def _cut(text: str, cap: int) -> str:
    half = max(1, (cap - 60) // 2)
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
