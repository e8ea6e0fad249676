"""Harness: which parts of a user message a person wrote, and which the host did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_memory.domain.models import SourceClass, StepKind

WRAPPERS = (
    "system-reminder",
    "task-notification",
    "agent-notification",
    "teammate-message",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "bash-stdout",
    "bash-stderr",
    "user-prompt-submit-hook",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
)
"""Tags that the host puts round its own text inside a user message."""

_OPENING = re.compile(rf"<({'|'.join(WRAPPERS)})(?=[\s>])[^<>]{{0,500}}>")
_EMPTY = re.compile(r"<[^<>]*>\s*</[^<>]*>")
_COMMAND = re.compile(r"\s*<command-(name|message)>")
INTERRUPTED = "[Request interrupted by user]"
"""What a host writes where the user broke a turn off."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A part of a message; `command` is what a person ran without the agent."""

    kind: StepKind
    source: SourceClass
    text: str
    command: str | None = None


def speeches(text: str) -> Iterator[Speech]:
    """The parts of a user message, no word lost; an interrupt is a system part from the user."""
    if text.lstrip().startswith(INTERRUPTED[:-1]):
        yield Speech("system", SourceClass.USER, text.strip())
        return
    if _COMMAND.match(text):
        yield _slash_command(text)
        return
    if text.lstrip().startswith("<bash-input>"):
        yield Speech("user", SourceClass.USER, "", command=_inside(text, "bash-input"))
        return
    place = 0
    for start, end in _wrapped(text):
        yield from _human(text[place:start])
        if not _EMPTY.fullmatch(text, start, end):
            yield Speech("system", SourceClass.HOST, text[start:end])
        place = end
    yield from _human(text[place:])


def _human(text: str) -> Iterator[Speech]:
    if text.strip():
        yield Speech("user", SourceClass.USER, text.strip())


def _slash_command(text: str) -> Speech:
    name, arguments = _inside(text, "command-name"), _inside(text, "command-args")
    said = f"{name} {arguments}".strip()
    # A prompt for the agent opens with its message, a command of the host itself with its name.
    asks = bool(arguments) or text.lstrip().startswith("<command-message>")
    return Speech(
        "user" if asks else "system", SourceClass.USER if asks else SourceClass.HOST, said
    )


def _inside(text: str, tag: str) -> str:
    _, found, rest = text.partition(f"<{tag}>")
    return rest.partition(f"</{tag}>")[0].strip() if found else ""


def _wrapped(text: str) -> Iterator[tuple[int, int]]:
    place = 0
    unclosed: set[str] = set()
    for opening in _OPENING.finditer(text):
        tag = opening[1]
        if opening.start() < place or tag in unclosed:
            continue
        close = text.find(f"</{tag}>", opening.end())
        if close < 0:
            unclosed.add(tag)
            continue
        place = close + len(tag) + 3
        yield opening.start(), place
