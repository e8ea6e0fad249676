"""Exact: a regular expression over what is stored, read in linear time, and the passages it holds in."""

import re
from collections.abc import Sequence
from typing import Any

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Step
from mcp_memory.search.passages import LONGEST, Passage, strings
from mcp_memory.search.telling import Told

MOST_CHARS = 300
_BEYOND = re.compile(r"\(\?<?[=!]|\(\?\(|\\[1-9]|\(\?P=|\(\?>|[*+?}]\+")
"""Look-arounds, back references and the like: a reader in linear time has none of them."""
SECONDS = 0.05
"""What one passage may cost: the store has matched in linear time, this reader may not."""


def pattern(text: str) -> str:
    """The expression as the store reads it, without regard to case; empty for none.

    Raises:
        InvalidInput: it is none, or one that cannot be read in linear time.
    """
    if not text:
        return ""
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidInput(
            f"{text[:80]!r} is no regular expression: {error}.",
            next_step="Put a backslash before each sign that is meant as itself.",
        ) from error
    if len(text) > MOST_CHARS or _BEYOND.search(text):
        raise InvalidInput(
            "Look-arounds, back references and more than 300 characters are not read.",
            next_step="Match the words themselves; several calls may look for several things.",
        )
    return f"(?i){text}"


def with_line(expression: str, cut: Sequence[Passage], text: str) -> list[Passage]:
    """A record's passages; where none holds what matched, the line of its text that does, too.

    What an edit left as it was, or stands in the middle of a very long text, is in no passage.
    """
    find = _finder(expression)
    if any(_found(find, passage.text) for passage in cut):
        return list(cut)
    line = next((one for one in text.splitlines() if _found(find, one)), "")
    if not line:
        return list(cut)
    begin = max(0, line.casefold().find(_found(find, line)) - LONGEST // 4)
    return [*cut, Passage("output", line[begin : begin + LONGEST].strip())]


def text_of(step: Step) -> str:
    """All that is stored of a step, a line below the other."""
    calls = ("\n".join((call.command or "", *strings(call.arguments))) for call in step.calls)
    return "\n".join((step.text, *calls, *(seen.text for seen in step.observations)))


def told(
    expression: str, records: Sequence[Sequence[Passage]], scores: Sequence[float]
) -> list[Told]:
    """The passages with a line that matches, in the order of their records."""
    find = _finder(expression)
    made = []
    for record, cut in enumerate(records):
        for place, passage in enumerate(cut):
            held = _found(find, passage.text)
            if held:
                made.append(Told(record, place, passage, scores[record], frozenset({held})))
    return made


def _finder(expression: str) -> Any:
    import regex  # its searches can be given an end, which those of `re` cannot

    return regex.compile(expression, regex.IGNORECASE | regex.MULTILINE)


def _found(find: Any, text: str) -> str:
    """What matches, folded; nothing where looking takes too long."""
    try:
        match = find.search(text, timeout=SECONDS)
    except TimeoutError:
        return ""
    return match[0].casefold() if match else ""
