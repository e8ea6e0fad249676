"""Failures: the errors that the calls of a session met, each by the line that names its cause."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.text import signatures
from mcp_memory.trajectories import calls, verdicts
from mcp_memory.trajectories.calls import Made
from mcp_memory.trajectories.verdicts import Verdict
from mcp_memory.trajectories.worked_out import WorkedOut

_ADDED = re.compile(r"\. (?:Note:|Did you mean)")
_MISSING = ("does not exist", "illegal operation on a directory")


class Failure(NamedTuple):
    """One call that failed, with the errors that it names."""

    made: Made
    verdict: Verdict
    errors: tuple[str, ...]
    """Signatures, most telling first; none where the output names no cause."""


def met(steps: Iterable[Step]) -> Iterator[Failure]:
    """The failed calls of a session in order; a look counts where its program itself complained."""
    for made in calls.made(steps):
        verdict = verdicts.of(made)
        seen = made.seen
        if verdict is None or seen is None:
            continue
        if verdict.failed or seen.failed or seen.exit_code:
            yield Failure(made, verdict, _named(seen, made.call))


def _errors(seen: Observation, call: ToolCall) -> tuple[str, ...]:
    found = signatures.errors(seen.text, call.command or "")
    if call.command or not call.paths:
        return found
    # "File does not exist." is another error for every file.
    name = call.paths[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
    return tuple(
        f"{_ADDED.split(one)[0].rstrip('.')}: {name}" if _nameless(one, name) else one
        for one in found
    )


_named = WorkedOut[Observation, ToolCall, tuple[str, ...]](_errors)


def _nameless(error: str, name: str) -> bool:
    return bool(name) and name not in error and any(word in error for word in _MISSING)
