"""Mendings: errors that this project met and got past, and commands that work only in another form; pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.hooks import lines
from mcp_memory.hooks.lines import Line
from mcp_memory.hooks.ready import Saying
from mcp_memory.memories import faults
from mcp_memory.text import families, shell, signatures
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.mending import Mend

_RAN = re.compile(r"^(?:ran|then) `(.+?)`(?: went well)?$", re.DOTALL)
_CUT = "\u2026"
_HERE = re.compile(r"<<|\$\(cat |>\s*\S|\btee\b|\bsed -i|\btouch\b|\bmkdir\b")
"""A line that writes files is an edit, whose text belongs to its session."""
_NARROWS = re.compile(
    r"^--?(?:run|k|short|filter|t|testNamePattern|grep|only|m|x|count|v|timeout|list|failfast|race"
    r"|no-verify|force\S*|f|skip\S*|ignore\S*|no-config|no-gpg-sign|allow\S*|quiet|q|verbose|tail|p)(?:=.*)?$"
)
"""What only runs less, says less or passes a check over mends nothing."""
_SLIPS = re.compile(r"\b(?:Syntax|Indentation|Tab|Name|UnboundLocal)Error\b|^undefined: ")
_MISSED = re.compile(r"'([\w@./-]{2,60})'|command not found: ([\w.-]{2,40})")
MOST_KINDS, MOST_FORMS = 300, 100


class Cure(NamedTuple):
    """How one session got past an error."""

    entry: Entry
    mend: Mend
    way: str
    """`form` or `setup`."""
    told: str
    follows: tuple[str, ...]
    needs: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The session that it counts with."""
        return self.entry.parent or self.entry.id


SURE = {"form": (0.85, 0.95), "setup": (0.7, 0.9)}
"""How sure a way is that one session went, and one that several did."""


def cures(entries: Sequence[Entry]) -> Mapping[str, list[Cure]]:
    """Cause of an error to how it was got past, newest first."""
    found: dict[str, list[Cure]] = defaultdict(list)
    for entry in sorted(entries, key=lambda one: (one.started, one.id), reverse=True):
        for mend in reversed(entry.mends):
            cure = None if _SLIPS.search(mend.error) else _cure(entry, mend)
            if cure is not None:
                found[faults.cause_of(mend.error)].append(cure)
    return found


def errors(known: Mapping[str, list[Cure]], met: Mapping[str, int]) -> Iterator[tuple[str, Saying]]:
    """Cause of an error to what is said of it: the way that most sessions went, else the newest."""
    for kind, found in list(known.items())[:MOST_KINDS]:
        best, went = _most(found)
        line = Line(
            f"{_said(best)} ({SourceClass.AGENT.value} {SourceClass.AGENT.trust:.1f}) {_ref(best)}",
            _ref(best),
        )
        if not lines.fit(line):
            continue
        many = met.get(kind, 1)
        what = f"this error was met before in this project, in {counted(many, 'session')}, and got past"
        yield (
            kind,
            lines.said(what, "error", [line])._replace(
                heads=signatures.heads(best.mend.command.split(" && ")),
                follows=best.follows,
                needs=best.needs,
                sure=SURE[best.way][went > 1 or _names(best)],
            ),
        )


def forms(
    known: Mapping[str, list[Cure]], entries: Sequence[Entry]
) -> Iterator[tuple[str, Saying]]:
    """Command to the form of it that works here, where the bare one failed in two sessions or more."""
    by_command: dict[str, list[Cure]] = defaultdict(list)
    for cure in (one for found in known.values() for one in found if one.way == "form"):
        by_command[cure.mend.command].append(cure)
    for command, found in list(by_command.items())[:MOST_FORMS]:
        roots = {one.root for one in found}
        newest = max(found, key=lambda one: one.entry.started)
        if len(roots) < 2 or not _still_fails(command, found, entries):  # noqa: PLR2004 two bear it out
            continue
        ref = _ref(newest)
        line = Line(
            f"{_said(newest)} ({SourceClass.AGENT.value} {SourceClass.AGENT.trust:.1f}) {ref}", ref
        )
        if lines.fit(line):
            often = counted(len(roots), "session")
            what = f"this command failed before in this project, in {often}; another form went well"
            yield (
                command,
                lines.said(what, "command", [line])._replace(
                    follows=newest.follows, sure=SURE["form"][1]
                ),
            )


def met(entries: Iterable[Entry]) -> Mapping[str, int]:
    """Cause of an error to the number of sessions that met it."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for error in entry.errors:
            found[faults.cause_of(error.name)].add(entry.parent or entry.id)
    return {kind: len(roots) for kind, roots in found.items()}


def _still_fails(command: str, found: Sequence[Cure], entries: Iterable[Entry]) -> bool:
    """Whether the bare command failed in half of the sessions that ran it since it first did."""
    first = min(one.entry.started for one in found)
    ran = [
        each
        for one in entries
        if one.started >= first
        for each in one.commands
        if each.name == command
    ]
    return 2 * sum(bool(each.marked) for each in ran) >= len(ran)


def _most(found: Sequence[Cure]) -> tuple[Cure, int]:
    """The way that most sessions went, by what is to be done, and how many did."""
    roots: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in found:
        roots[one.follows].add(one.root)
    most = max(map(len, roots.values()))
    best = next(one for one in found if len(roots[one.follows]) == most)
    return best, most


def _names(one: Cure) -> bool:
    """Whether what was run names what the error misses: `No module named 'flask'`, `pip install flask`."""
    missed = {name for pair in _MISSED.findall(one.mend.error) for name in pair if name}
    return one.way == "setup" and any(name in one.follows[0].split() for name in missed)


def _said(one: Cure) -> str:
    return f"{one.entry.day}: {lines.flat(one.mend.error, 120)} \u2192 {one.told}"


def _ref(one: Cure) -> str:
    return refs.span(one.entry.id, one.mend.failed, one.mend.passed)


def _cure(entry: Entry, mend: Mend) -> Cure | None:
    """What was done, where it is short and may be done again; None where it was work on the code."""
    last = _RAN.match(mend.done[-1])
    good, done = (last[1] if last else ""), mend.done[:-1]
    if not good or not mend.ran:
        return None
    if not done:
        added = _added(mend.ran, good)
        if added and _CUT not in good and not _HERE.search(good):
            return Cure(entry, mend, "form", f"`{good}` went well", added)
        return None
    if any(one.startswith("edited ") for one in done):
        return None
    ran = [found[1] for one in done if (found := _RAN.match(one))]
    acts = [one for one in ran if not _judges(one)]
    if (
        len(acts) != 1
        or acts[0].endswith(_CUT)
        or _HERE.search(acts[0])
        or _narrower(mend.ran, good)
    ):
        return None
    return Cure(
        entry, mend, "setup", f"`{acts[0]}` was run, then `{_cut(good)}` went well", (acts[0],)
    )


def _added(before: str, after: str) -> tuple[str, ...]:
    """Settings, flags and wrappers that the line that worked has besides; nothing where it ran less."""
    if _narrower(before, after):
        return ()
    was = {word for one in shell.programs(before) for word in (*one.words, *one.assignments)}
    return tuple(
        word
        for one in shell.programs(after)
        if families.purpose(one) != "looks" and not families.is_silent(one)
        for word in (*one.assignments, *one.words)
        if word not in was and not _NARROWS.match(word)
        if "=" in word or word.startswith("-")
    )


def _narrower(before: str, after: str) -> bool:
    """Whether a line leaves out what another one was run on, or names something else."""
    was, now = _targets(before), _targets(after)
    return not was or not was <= now or any(map(_NARROWS.match, _flags(after) - _flags(before)))


def _targets(line: str) -> set[str]:
    return {
        word
        for one in shell.programs(line)
        if families.purpose(one) != "looks" and not families.is_silent(one)
        for word in one.words
        if not word.startswith("-") and "=" not in word
    }


def _flags(line: str) -> set[str]:
    return {w for one in shell.programs(line) for w in one.words if w.startswith("-")}


def _judges(line: str) -> bool:
    found = shell.programs(line)
    return any(map(families.judged, found)) or families.only_looks(found)


def _cut(line: str) -> str:
    return lines.flat(line, 80)
