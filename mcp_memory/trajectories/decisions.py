"""Decisions: what was settled in a session, verbatim: accepted plans, answers, refusals, commits."""

import re
from collections.abc import Iterable, Iterator

from mcp_memory.domain.models import Frozen, Observation, SourceClass, Step, ToolCall
from mcp_memory.trajectories.naming import code, one_line

_CHARS = 600
_SCANNED = 4_000
_COMMITTED = re.compile(r"^\[[^\]\n]{1,200} [0-9a-f]{7,40}\] (\S[^\n]*)$", re.MULTILINE)
"""How git says what it committed."""
_SUBJECT = re.compile(
    r"\bgit\b[^\n;&|]{0,200}?\bcommit\b[^\n;&|]{0,200}?"
    r"(?:(?:-[a-z]*m|--message)[ =]*(?:\"\$\(cat )?|-F ?-\s*)"
    r"(?:<<-?\s*['\"]?\w+['\"]?[^\n]*\n(?P<body>[^\n]+)|\"(?P<double>[^\"\n$`]+)|'(?P<single>[^'\n]+))"
)
"""The subject that a command line gives git: in quotes, or as the first line of a here-document."""
_NOTHING = ("nothing to commit", "nothing added to commit", "no changes added")
_USER_SAID = "the user said:\n"


class Decision(Frozen):
    """One thing that was settled, and the step that settled it."""

    step: int
    text: str


def decided(steps: Iterable[Step]) -> Iterator[Decision]:
    """Accepted plans, the user's answers and refusals, and the subjects of commits, in order.

    Only what a person or git settled counts; an agent's own "I decided" does not.
    """
    for step in steps:
        for call, seen in called(step):
            if seen is not None:
                for text in _settled(call, seen):
                    yield Decision(step=step.number, text=text)


def called(step: Step) -> Iterator[tuple[ToolCall, Observation | None]]:
    """The calls of a step, each with what came back."""
    ended = {seen.call_id: seen for seen in step.observations}
    return ((call, ended.get(call.id)) for call in step.calls)


def _settled(call: ToolCall, seen: Observation) -> Iterator[str]:
    plan = call.arguments.get("plan")
    if isinstance(plan, str) and seen.failed is False:
        yield f"plan accepted: {one_line(plan, _CHARS)}"
    elif seen.source is SourceClass.USER:
        yield _answer(call, seen)
    elif call.command and "commit" in call.command:
        for subject in _committed(call.command, seen):
            yield f"committed: {one_line(subject)}"


def _committed(command: str, seen: Observation) -> list[str]:
    """What git announced; where it was told to be quiet and did not fail, what it was given."""
    announced = _COMMITTED.findall(seen.text[:_SCANNED])
    if announced or seen.failed is not False or any(no in seen.text for no in _NOTHING):
        return announced
    given = (one.groupdict().values() for one in _SUBJECT.finditer(command[:_SCANNED]))
    return [subject for found in given for subject in found if subject]


def _answer(call: ToolCall, seen: Observation) -> str:
    if not seen.failed:
        return f"answered {one_line(call.name, 60)}: {one_line(seen.text, _CHARS)}"
    what = code(call.command or next(iter(call.paths), call.name))
    said = seen.text.partition(_USER_SAID)[2]
    return f"refused {what}: {one_line(said, _CHARS)}" if said else f"refused {what}"
