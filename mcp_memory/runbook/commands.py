"""Commands: which ones judged or did such work in this project, and how they fared."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.domain import refs
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.text import families, shell
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.entries import Touched

SHORT, VARIED = 90, 3
_VALUED = re.compile(r" -(?:-?run|k|t|-filter|-grep|c|m|o)(?: |$)")
"""Flags that mean nothing without their value, which a family leaves out."""
_AIMED = re.compile(r"\s+\d?(?:>&\d|>{1,2}\s*/dev/null)")
"""Where an agent sent the output says nothing of the command."""
_EVERYWHERE = frozenset(
    {"git commit", "git push", "git pull", "git merge", "git rebase", "git cherry-pick"}
)
"""What every project judges by tells nothing of this one."""


@dataclass(frozen=True, slots=True)
class Fared:
    """A command of the project: how often it ran and failed, and where it went well last."""

    family: str
    line: str
    runs: int
    failed: int
    sessions: int
    day: str
    ref: str
    used: int
    """In how many of the attempts it ran."""


def of_task(
    attempts: Sequence[Attempt], text: str, known: Mapping[str, Session]
) -> tuple[Fared, ...]:
    """The commands that the task names, then those that most of the attempts were judged by."""
    used = _used(attempts)
    fared = _fared(known, used)
    kept = [one for one in fared if one.line and (one.used or one.family in text)]
    kept.sort(key=lambda one: (one.family not in text, -one.used, -one.runs, one.family))
    return tuple(kept)


def aimless(line: str) -> str:
    """A command line without where its output was sent."""
    return _AIMED.sub("", line)


def told(one: Fared) -> str:
    """The command as it was typed last, and how it fared."""
    how = f"failed {one.failed} of {one.runs} times" if one.failed else f"ran {one.runs} times"
    ran = "ran once" if one.runs == 1 else how
    return f"`{one.line}` {ran} in {counted(one.sessions, 'session')}, last {one.day}"


def _used(attempts: Sequence[Attempt]) -> Counter[str]:
    """Family to the number of attempts in which it ran and judged."""
    counts: Counter[str] = Counter()
    for attempt in attempts:
        ran = {
            one.name
            for one in attempt.session.entry.commands
            if any(n in attempt.steps for n in one.steps)
        }
        counts.update(name for name in ran if judges(name))
    return counts


def judges(family: str) -> bool:
    """Whether a command judges the work, and by more than every project does."""
    kinds = [families.judged(one) for one in shell.programs(family)]
    return any(kind and kind not in _EVERYWHERE for kind in kinds)


def _fared(known: Mapping[str, Session], used: Counter[str]) -> list[Fared]:
    held: dict[str, list[tuple[Session, Touched]]] = {}
    for session in sorted(known.values(), key=lambda one: one.entry.started):
        for one in session.entry.commands:
            if judges(one.name):
                held.setdefault(one.name, []).append((session, one))
    return [_summed(family, met, used[family]) for family, met in held.items()]


def _summed(family: str, met: Sequence[tuple[Session, Touched]], used: int) -> Fared:
    well = [(s, t, n) for s, t in met for n in t.steps if n not in t.marked]
    session, _, step = well[-1] if well else (*met[-1], met[-1][1].steps[-1])
    typed = Counter(aimless(touched.last) for _, touched in met if touched.last)
    line = min(typed, key=lambda one: (-typed[one], len(one), one), default=family)
    if len(line) > SHORT or (len(typed) >= VARIED and typed[line] == 1):
        # What every session typed in another way is told by its family, where that can be typed.
        line = "" if _VALUED.search(family) else family
    return Fared(
        family=family,
        line=line.replace("`", "'"),
        runs=sum(len(one.steps) for _, one in met),
        failed=sum(len(one.marked) for _, one in met),
        sessions=len(met),
        day=session.entry.day,
        ref=refs.span(session.entry.id, step),
        used=used,
    )
