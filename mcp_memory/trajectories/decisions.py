"""Decisions: what was settled in a session, verbatim: accepted plans, answers, refusals, commits."""

from collections.abc import Iterable, Iterator

from mcp_memory.domain.models import Frozen, Observation, SourceClass, Step, ToolCall
from mcp_memory.trajectories import calls, committing
from mcp_memory.trajectories.naming import code, one_line

_CHARS = 600
_USER_SAID = "the user said:\n"


class Decision(Frozen):
    """One thing that was settled, and the step that settled it."""

    step: int
    text: str


def decided(steps: Iterable[Step]) -> Iterator[Decision]:
    """Accepted plans, the user's answers and refusals, and the subjects of commits, in order.

    Only what a person or git settled counts; an agent's own "I decided" does not.
    """
    session = list(steps)
    undone = {(one.step, one.subject): one.undone for one in committing.of_steps(session)}
    for made in calls.made(session):
        if made.seen is None:
            continue
        number = made.step.number
        for text in _settled(made.call, made.seen):
            yield Decision(step=number, text=text)
        for one in committing.committed(made):
            if one.subject:
                later = undone.get((one.step, one.subject), 0)
                what = f"committed, taken back in #{later}" if later else "committed"
                yield Decision(step=number, text=f"{what}: {one_line(one.subject)}")


def _settled(call: ToolCall, seen: Observation) -> Iterator[str]:
    plan = call.arguments.get("plan")
    if isinstance(plan, str) and seen.failed is False:
        yield f"plan accepted: {one_line(plan, _CHARS)}"
    elif seen.source is SourceClass.USER:
        yield _answer(call, seen)


def _answer(call: ToolCall, seen: Observation) -> str:
    if not seen.failed:
        return f"answered {one_line(call.name, 60)}: {one_line(seen.text, _CHARS)}"
    what = code(call.command or next(iter(call.paths), call.name))
    said = seen.text.partition(_USER_SAID)[2]
    return f"refused {what}: {one_line(said, _CHARS)}" if said else f"refused {what}"
