"""Prose: what people and agents said and ran, as short lines that a grep prints whole and cites."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass, Step
from mcp_memory.text import causes, cutting, guard
from mcp_memory.trajectories import verdicts
from mcp_memory.trajectories.calls import Made, called, failed
from mcp_memory.trajectories.naming import one_line
from mcp_memory.trajectories.told import day

SAID_CHARS = 4_000
"""How much of one saying is told; `steps.jsonl` has the rest."""
LINE_CHARS = 420
"""A line is about a passage long: a grep for two words of one thought finds both."""
COMMAND_CHARS = 240
REASON_CHARS, ERROR_CHARS = 120, 200
_BREAK = " / "
"""Stands where a saying had a new line."""
_TAG = re.compile(r"<(?=[A-Za-z/!])")


def prose(trajectory: str, steps: Iterable[Step], *, path: Callable[[str], str]) -> str:
    """One line a passage: `day t:ID#N who: words`; each step's lines depend on that step alone.

    `path` names a file as the archive does.
    """
    lines = [
        f"{day(step.at)} {refs.span(trajectory, step.number)} {_inert(line)}"
        for step in steps
        for line in _told(step, path)
    ]
    return "".join(f"{line}\n" for line in lines)


def _told(step: Step, path: Callable[[str], str]) -> Iterator[str]:
    if step.kind in ("user", "agent", "summary"):
        who = f"{step.kind} (abandoned)" if step.abandoned else step.kind
        yield from _said(who, step.text)
    for call, seen in called(step):
        plan = call.arguments.get("plan")
        if isinstance(plan, str):
            yield from _said("plan", plan)
        if call.edits and call.paths:
            names = [path(each) for each in call.paths]
            yield f"edit{'' if not failed(seen) else ' failed'}: {' '.join(filter(None, names))}"
        elif call.command:
            yield _ran(Made(step, call, seen))
        if seen is not None and seen.source is SourceClass.USER:
            yield from _said("user", seen.text)


def _said(who: str, text: str) -> Iterator[str]:
    cut = text[: cutting.end(text, SAID_CHARS)]
    for passage in _passages(cut):
        yield f"{who}: {passage}"
    if len(text) > len(cut):
        yield f"{who}: [… {len(text) - len(cut):,} more characters in steps.jsonl …]"


def _passages(text: str) -> Iterator[str]:
    """Lines of a text packed into passages, a longer one broken at its spaces."""
    held = ""
    for line in text.splitlines():
        for piece in _pieces(" ".join(line.split())):
            if held and len(held) + len(piece) > LINE_CHARS:
                yield held
                held = ""
            held = f"{held}{_BREAK}{piece}" if held else piece
    if held:
        yield held


def _pieces(line: str) -> Sequence[str]:
    pieces = []
    while len(line) > LINE_CHARS:
        at = line.rfind(" ", LINE_CHARS // 2, LINE_CHARS)
        at = at if at > 0 else cutting.end(line, LINE_CHARS)
        pieces.append(line[:at])
        line = line[at:].lstrip()
    return [*pieces, line] if line else pieces


def _ran(made: Made) -> str:
    command = (made.call.command or "").strip()
    first = command.partition("\n")[0].strip()
    goes_on = len(first) <= COMMAND_CHARS and len(command) > len(first)
    shown = f"{first}…" if goes_on else cutting.head(first, COMMAND_CHARS + 1)
    verdict = verdicts.of(made)
    if made.seen is None or verdict is None or not verdict.failed:
        return f"ran: {shown}"
    met = next(iter(causes.causes(made.seen.text, command)), "")
    error = f"; {one_line(met, ERROR_CHARS)}" if met and met not in verdict.reason else ""
    return f"ran: {shown} → {one_line(verdict.reason, REASON_CHARS)}{error}"


def _inert(line: str) -> str:
    """A line that Markdown and a terminal show but do not obey; as greppable as it was said."""
    return _TAG.sub("\u2039", guard.neutralise(line)).replace("](", "] (")
