"""Mending: commands of a session that failed and went well later, and what was done in between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mcp_memory.domain.models import Frozen, Step, ToolCall
from mcp_memory.text import families, shell, signatures
from mcp_memory.trajectories import calls, edits, verdicts
from mcp_memory.trajectories.naming import code

MOST_MENDS = 100
MOST_DONE = 4
_CHARS = 160
_REACH = 60
"""An error that a command no longer met so many steps later was hardly mended for it."""


class Mend(Frozen):
    """An error that a command met, and the same command without it later in the session."""

    error: str
    """The error's signature."""
    command: str
    """The command that failed, folded."""
    failed: int
    passed: int
    """Step numbers."""
    done: tuple[str, ...]
    """What was edited and run in between, and the command that went well; as it was written."""
    ran: str = ""
    """The line that failed, as it was written."""


@dataclass(slots=True)
class _Open:
    """A failure that is not mended yet."""

    error: str
    step: int
    ran: str
    done: list[str] = field(default_factory=list)


def mends(steps: Iterable[Step]) -> Iterator[Mend]:
    """The errors that were mended, in the order in which the commands went well again.

    Where the same command line went well with nothing done in between, nothing was mended.
    """
    waiting: dict[str, dict[str, _Open]] = {}
    for made in calls.made(steps):
        call, seen = made.call, made.seen
        verdict = verdicts.of(made)
        if seen is None or verdict is None:
            continue
        name = " && ".join(signatures.commands(call.command)) if call.command else ""
        if verdict.failed:
            error = signatures.error(seen.text, call.command or "") if name else ""
            if error:
                known = waiting.setdefault(name, {})
                known.setdefault(error, _Open(error, made.step.number, call.command or ""))
            continue
        if not verdict.good:
            continue
        for one in waiting.pop(name, {}).values() if name else ():
            mend = _mended(one, call, name, made.step.number)
            if mend is not None:
                yield mend
        _note(waiting, call, name)


def _note(waiting: dict[str, dict[str, _Open]], call: ToolCall, name: str) -> None:
    """What was done while failures wait for their mending."""
    written = [] if name else edits.paths_of(call)
    if written:
        told = f"edited {', '.join(code(path) for path in written[:3])}"
    elif name and not families.only_looks(shell.programs(call.command or "")):
        told = f"ran {code(call.command or '', _CHARS)}"
    else:
        return
    for failures in waiting.values():
        for one in failures.values():
            if told not in one.done:
                one.done.append(told)


def _mended(one: _Open, call: ToolCall, name: str, step: int) -> Mend | None:
    ran = call.command or ""
    if step - one.step > _REACH or not (one.done or ran.split() != one.ran.split()):
        return None
    # Edits tell more of a mending than what was run on the way.
    edits = [told for told in one.done if told.startswith("edited")]
    runs = [told for told in one.done if told not in edits]
    kept = [*edits[:MOST_DONE], *runs[-MOST_DONE:]][:MOST_DONE]
    done = (*kept, f"then {code(ran, _CHARS)} went well")
    return Mend(
        error=one.error,
        command=name,
        failed=one.step,
        passed=step,
        done=done,
        ran=code(one.ran, _CHARS)[1:-1],
    )
