"""Mended: errors that commands of a project met again and again, and lines that worked after others; pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from mcp_memory.memories.experience import Offer, Point, SessionView, offer, roots
from mcp_memory.memories.faults import CLASS, CODE, kind_of
from mcp_memory.memories.gate import QUORUM
from mcp_memory.trajectories.mending import Mend

COVERED = 0.6
"""Share of its steps that another proposal holds, from which one says nothing new."""
_SLIPS = re.compile(r"\b(?:Syntax|Indentation|Tab|Name|UnboundLocal)Error\b")
"""What an interpreter says of a line that was just written wrong."""
_SITED = re.compile(r"^\S*\.\w{1,8}:N:")
_TEST_FAILED = re.compile(r"^(?:-{3} FAIL|FAIL(?:ED)?):? \S+$")
"""That a test failed, and not how."""
SLIP, SCATTERED = 0.2, 0.6
"""What an error is worth that only its own line mends, and one that never names the same twice."""
_ASSIGNED = re.compile(r"(?<![\w=/.-])([A-Z][A-Z0-9_]{2,40}=[^\s`]{1,80})")
_FLAG = re.compile(r"(?<!\S)(--?[a-z][\w-]*(?:=[^\s`]{1,40})?)")
_WENT_WELL = re.compile(r"^then `(.+)` went well$")


def errors(sessions: Sequence[SessionView]) -> Iterator[Offer]:
    """Errors that commands of two sessions of one project met, each once, with what mended them."""
    met: dict[tuple[str, str], dict[tuple[str, int], Point]] = {}
    for session in sessions:
        for point in _met(session):
            key = (session.project, kind_of(point.told))
            met.setdefault(key, {}).setdefault((session.id, point.step), point)
    found = [tuple(points.values()) for points in met.values()]
    found = [points for points in found if roots(points) >= QUORUM]
    found.sort(key=lambda points: (-_worth(points), points[0].told))
    for points in _apart(found):
        names = Counter(point.told for point in points)
        most = max(names.values())
        named = min((name for name, count in names.items() if count == most), key=len)
        yield offer("error", named, points, worth=_worth(points), shared=_shared(points, named))


def _met(session: SessionView) -> Iterator[Point]:
    """The errors of commands that failed; what a host says of its own tools is none."""
    failed = {step for command in session.entry.commands for step in command.marked}
    mends: dict[tuple[str, int], Mend] = {
        (mend.error, mend.failed): mend for mend in session.entry.mends
    }
    for error in session.entry.errors:
        for step in error.steps:
            if step in failed:
                mend = mends.get((error.name, step))
                yield Point(session, step, mend.passed if mend else 0, error.name)


def _worth(points: Sequence[Point]) -> float:
    """Sessions, the share that failed, what mended it, and that it came back after that."""
    met = roots(points)
    mended = sorted(p.session.entry.day for p in points if p.mended)
    again = {p.session.root for p in points if mended and p.session.entry.day > mended[0]}
    failed = sum(p.session.outcome(p.step).value == "failure" for p in points) / len(points)
    worth = met + 1.5 * bool(mended) + 0.5 * len(again) + failed
    return worth * _telling(points)


def _telling(points: Sequence[Point]) -> float:
    """How much more an error says than that a line was written wrong."""
    names = Counter(point.told for point in points)
    line = points[0].told
    if _SLIPS.search(line) or (_SITED.match(line) and not CODE.search(line)):
        return SLIP
    if _TEST_FAILED.match(line):
        return SCATTERED
    marked = CODE.search(line) or CLASS.search(line)
    return 1.0 if marked or max(names.values()) * 3 > len(points) else SCATTERED


def _apart(found: Iterable[tuple[Point, ...]]) -> Iterator[tuple[Point, ...]]:
    """Those whose steps no better one holds already: one run prints many errors of one cause."""
    held: set[tuple[str, int]] = set()
    for points in found:
        steps = {(point.session.id, point.step) for point in points}
        if len(steps & held) < COVERED * len(steps):
            held |= steps
            yield points


def _shared(points: Sequence[Point], named: str) -> Iterator[str]:
    """The command, what mended it the shortest way, and how else it was said."""
    mends = [(mend, point) for point in points for mend in point.session.entry.mends
             if point.mended and (mend.error, mend.failed) == (point.told, point.step)]  # fmt: skip
    if mends:
        best = min(mends, key=lambda pair: (pair[0].passed - pair[0].failed, pair[1].session.id))[0]
        yield best.command
        yield f"mended: {'; '.join(best.done)}"
    yield from islice((p.told for p in points if p.told != named), 1)


def commands(
    sessions: Sequence[SessionView], lines: Mapping[tuple[str, int], str]
) -> Iterator[Offer]:
    """What was added to lines that failed, in two sessions, until they worked; nothing was edited.

    `lines`: what was run in a step.
    """
    added: dict[tuple[str, str, str], dict[tuple[str, int], Point]] = {}
    for session in sessions:
        for mend in session.entry.mends:
            ran = _WENT_WELL.match(mend.done[-1])
            before = lines.get((session.id, mend.failed), "")
            if ran is None or not before or any(one.startswith("edited") for one in mend.done):
                continue
            for part in _parts(ran[1]) - _parts(before):
                point = Point(session, mend.failed, mend.passed, ran[1])
                key = (session.project, mend.command, part)
                added.setdefault(key, {}).setdefault((session.id, mend.failed), point)
    for (_, command, part), met in sorted(added.items()):
        points = tuple(met.values())
        if roots(points) >= QUORUM:
            last = max(points, key=lambda p: (p.session.entry.started, p.step))
            yield offer("command", f"{command}: {part}", points, worth=roots(points) + 1.0,
                        shared=(last.told,))  # fmt: skip


def _parts(line: str) -> frozenset[str]:
    """Settings and flags of a line."""
    return frozenset((*_ASSIGNED.findall(line), *_FLAG.findall(line)))
