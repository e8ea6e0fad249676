"""Inspection: steps of a session within a cap, whole or narrowed to what was asked."""

from collections.abc import Callable, Sequence
from typing import Any

from mcp_memory.archive import parts, reading, shortening
from mcp_memory.archive.parts import ending
from mcp_memory.domain.asked import Inspection
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Step
from mcp_memory.text import cutting, guard, signatures
from mcp_memory.trajectories.naming import code

_PATTERN_CHARS = 300
_LINE_SECONDS = 0.25
"""What one line may cost: an expression that backtracks for longer is refused, not waited for."""
_MOST_LINES = 8
_LINE_CHARS = 240
_NO_MATCH = "No step matches."
Find = Callable[[str], Any]
"""Where a line matches, as a match object, or None."""


def inspect(steps: Sequence[Step], asked: Inspection) -> str:
    """What was asked of these steps, within its cap.

    With `match`, the lines that match of each step; with `files`, `errors` or `commands`, one line
    a fact of the steps that match; else the steps themselves.

    Raises:
        InvalidInput: the regular expression cannot be read.
    """
    find = _finder(asked.match)
    if asked.files or asked.errors or asked.commands:
        facts = [fact for step in steps if _wanted(step, find) for fact in _facts(step, asked)]
        return _within(facts, asked.cap) or "Nothing of that kind here."
    if find is not None:
        return _within([m for s in steps for m in _matches(s, find)], asked.cap) or _NO_MATCH
    shown = reading.show(steps, reading.Asked(), room=asked.cap)
    text = guard.neutralise(shown.text)
    if steps and shown.last != steps[-1].number:
        rest = f"{shown.last + 1}:{steps[-1].number}"
        text += f"\n\n[cut at {asked.cap:,} characters; go on with --span {rest}]"
    return text


def _within(lines: Sequence[str], cap: int) -> str:
    """As many lines as the cap holds, at least one; what is left out is counted."""
    shown: list[str] = []
    left = cap
    for line in lines:
        text = guard.neutralise(line)
        left -= len(text) + 1
        if left < 0 and shown:
            break
        shown.append(cutting.head(text, cap))
    more = len(lines) - len(shown)
    return "\n".join([*shown, *([f"[… {more:,} more lines left out …]"] if more else [])])


def _matches(step: Step, find: Find) -> list[str]:
    """The lines of a step that match, each cut to where it does."""
    found = [(line, hit) for line in _lines(step) if (hit := find(line))]
    lines = [f"#{step.number} {_around(line, hit.start())}" for line, hit in found[:_MOST_LINES]]
    more = len(found) - _MOST_LINES
    return [*lines, f"#{step.number} and {more} more matching lines"] if more > 0 else lines


def _around(line: str, place: int) -> str:
    first, last = shortening.around(line, place, _LINE_CHARS)
    cut = line[first:last].strip()
    return f"{'…' if first else ''}{cut}{'…' if last < len(line) else ''}"


def _finder(match: str) -> Find | None:
    if not match:
        return None
    import regex  # its searches can be given an end, which those of `re` cannot

    try:
        pattern = regex.compile(match[:_PATTERN_CHARS], regex.IGNORECASE)
    except regex.error as error:
        raise InvalidInput(
            f"{match!r} is not a regular expression ({error}).",
            next_step="Escape what is meant literally, or search without it.",
        ) from None

    def find(line: str) -> Any:
        try:
            return pattern.search(line, timeout=_LINE_SECONDS)
        except TimeoutError:
            raise InvalidInput(
                f"{match!r} takes too long on a line of {len(line):,} characters.",
                next_step="Leave out nested repetitions such as (a+)+.",
            ) from None

    return find


def _wanted(step: Step, find: Find | None) -> bool:
    return find is None or any(map(find, _lines(step)))


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
            lines.append(f"#{step.number} {ending(seen)} {code(call.command, 300)}")
        if asked.errors and seen is not None and (seen.failed or seen.exit_code):
            lines.append(f"#{step.number} {ending(seen)} {signatures.error(seen.text)}")
    return lines


def _lines(step: Step) -> list[str]:
    return [parts.head(step), *parts.whole(step).splitlines()]
