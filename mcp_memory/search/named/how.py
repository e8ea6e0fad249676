"""how: the commands that worked here for something, by how often and how lately they did."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log

from mcp_memory.domain.models import Frozen, Origin, Outcome
from mcp_memory.rooms import Rooms
from mcp_memory.search.named.held import Held, held, rarities, share
from mcp_memory.text import families, shell, wording
from mcp_memory.trajectories.entries import Touched

LEAST_SHARE = 0.5
_GOAL = 0.6
"""What the request that a command was run for counts beside the command's own words."""
_ARGUMENTS = 0.6
"""What a name among a command's arguments counts, such as a file's."""
_QUOTED = re.compile(r"<<.*|\"[^\"]*\"|'[^']*'")
"""A message is no part of what a command is."""
_FILLERS = frozenset(
    wording.terms("how do does did we you to the an is are it this here run running use using get")
)


class Way(Frozen):
    """One command that was run for it."""

    command: str
    """As it was typed last where it went well."""
    ref: str
    """The last time that it went well."""
    at: datetime | None = None
    origin: Origin = ""
    project: str = ""
    runs: int
    failed: int
    sessions: int
    asked: str = ""
    """What it was run for, where that and not the command names what was asked."""


class Ways(Frozen):
    """The commands that worked for something, best first."""

    what: str
    ways: tuple[Way, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Ran:
    """All runs of one family of commands."""

    share: float = 0.0
    runs: int = 0
    failed: int = 0
    sessions: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    newest: tuple[Held, Touched, int] | None = None
    asked: str = ""


async def how(rooms: Rooms, what: str, *, project: str | None = None, limit: int = 6) -> Ways:
    """Commands that went well and bear on what is asked, those that only look left out."""
    known, notes = await held(rooms, project)
    words = [w for w in wording.informative(what) if w.casefold() not in _FILLERS]
    words = words or list(wording.informative(what))
    lines = {each.name for one in known for each in one.entry.commands}
    goals = {each.goal for one in known for each in one.entry.attempts}
    found = _counted(known, _Asked(words, lines, goals))
    best = sorted(found.values(), key=_worth, reverse=True)
    told = [_way(ran) for ran in best if ran.newest is not None and ran.share >= LEAST_SHARE]
    return Ways(what=what, ways=tuple(told[:limit]), notes=notes)


class _Asked:
    """How well a command, or the request that it was run for, fits what is asked."""

    def __init__(self, words: Sequence[str], lines: Iterable[str], goals: Iterable[str]) -> None:
        self._lines = rarities(words, lines)
        self._goals = rarities(words, goals)

    def name(self, name: str) -> float:
        """Of the command's own words."""
        # A word that no command has was asked for all the same.
        return share({word: much or 6.0 for word, much in self._lines.items()}, name)

    def line(self, name: str, line: str) -> float:
        """The same, and of those among its arguments."""
        told = {word: much or 6.0 for word, much in self._lines.items()}
        return max(self.name(name), _ARGUMENTS * share(told, _QUOTED.sub(" ", line)))

    def goal(self, text: str) -> float:
        """Of the words of a request."""
        return _GOAL * share({word: much or 6.0 for word, much in self._goals.items()}, text)


def _counted(known: Sequence[Held], asked: _Asked) -> dict[str, _Ran]:
    found: dict[str, _Ran] = {}
    for one in known:
        for each in one.entry.commands:
            good = [step for step in each.steps if step not in each.marked]
            ran_by = shell.programs(each.last or each.name)
            # Of `rm`, `git add` and their like the files and the request say nothing of the way.
            moves = families.only_moves(ran_by)
            own = asked.name(each.name) if moves else asked.line(each.name, each.last)
            goal = "" if moves or own >= LEAST_SHARE else _succeeded(one, good)
            fits = max(own, asked.goal(goal))
            if fits < LEAST_SHARE or families.only_looks(ran_by):
                continue
            ran = found.setdefault(each.name, _Ran())
            ran.share = max(ran.share, fits)
            ran.runs += len(each.steps)
            ran.failed += len(each.marked)
            ran.sessions += 1
            if good:
                ran.lines[shorter(each.last, one)] += 1
                if ran.newest is None:
                    ran.newest, ran.asked = (one, each, good[-1]), goal
    return found


def _succeeded(one: Held, steps: Sequence[int]) -> str:
    """The request that the last of these steps was taken for, where that went well."""
    attempt = one.attempt(steps[-1]) if steps else None
    return attempt.goal if attempt and attempt.outcome is Outcome.SUCCESS else ""


def _worth(ran: _Ran) -> float:
    good = ran.runs - ran.failed
    return ran.share * log(2 + good) * (1 + good) / (2 + ran.runs)


def shorter(line: str, one: Held) -> str:
    """A command line without what only says where its session was and where its output went."""
    told = line.removesuffix("2>&1").strip()
    for root in (one.row.cwd, one.row.project):
        told = told.removeprefix(f"cd {root} && ") if root else told
    return told


def _way(ran: _Ran) -> Way:
    assert ran.newest is not None
    one, each, step = ran.newest
    usual, _ = ran.lines.most_common(1)[0]
    return Way(
        command=usual or each.name,
        ref=one.span(step),
        at=one.at,
        project=one.project,
        runs=ran.runs,
        failed=ran.failed,
        sessions=ran.sessions,
        asked=ran.asked,
    )
