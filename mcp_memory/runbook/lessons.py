"""Lessons: what to leave: commands that never went well here, and words that ask for what nobody here did."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mcp_memory.domain.hits import Hit
from mcp_memory.runbook.assembling import Line
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.search.consenting import ODD
from mcp_memory.text.counting import counted

TITLE = "Lessons"
MOST = 4
LEAST_SESSIONS = 2
"""A command that failed in one session only may have been mistyped."""


@dataclass(slots=True)
class _Runs:
    """How one command went over sessions, newest last."""

    failed: dict[str, str] = field(default_factory=dict)
    """The session that it counts with, to the ref of a failure in it."""
    times: int = 0
    well: bool = False
    line: str = ""


def of_task(
    attempts: Sequence[Attempt], hits: Iterable[Hit], known: Mapping[str, Session]
) -> list[Line]:
    """What failed whenever it was tried in such work, then what is said otherwise than it was done."""
    return [*_never_well(attempts, known), *_otherwise(hits)][:MOST]


def _never_well(attempts: Sequence[Attempt], known: Mapping[str, Session]) -> Iterator[Line]:
    own = {(one.episode.trajectory, number) for one in attempts for number in one.steps}
    runs: dict[str, _Runs] = {}
    bears: set[str] = set()
    for session in sorted(known.values(), key=lambda one: (one.entry.started, one.entry.id)):
        entry = session.entry
        for ran in entry.commands:
            kept = runs.setdefault(ran.name, _Runs())
            kept.well |= len(ran.marked) < len(ran.steps)
            kept.times += len(ran.marked)
            if ran.marked:
                kept.failed[entry.parent or entry.id] = f"t:{entry.id}#{ran.marked[-1]}"
                kept.line = ran.last
            if any((entry.id, number) in own for number in ran.steps):
                bears.add(ran.name)
    for name in sorted(bears, key=lambda name: (-runs[name].times, name)):
        one = runs[name]
        if not one.well and len(one.failed) >= LEAST_SESSIONS:
            often = f"{counted(one.times, 'time')} in {counted(len(one.failed), 'session')}"
            yield (
                f"`{one.line or name}` never went well: it failed {often}",
                [*one.failed.values()][-1],
            )


def _otherwise(hits: Iterable[Hit]) -> Iterator[Line]:
    for hit in hits:
        for flag in hit.flags:
            if flag.startswith(ODD):
                yield f"asks for {flag.removeprefix(ODD)}", hit.ref
