"""Briefing: what a project's history tells at the start of a session, a line each, best first; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import Memory, MemoryKind
from mcp_memory.hooks import binding, checking, lines
from mcp_memory.hooks.lines import Line
from mcp_memory.hooks.ready import Told
from mcp_memory.search import withholding
from mcp_memory.trajectories.entries import Entry

SESSIONS = 4
"""How many sessions are told: three to five say where work stands, older ones are searched."""
MEMORIES = 4
LEFT, STANDS = "Last sessions, newest first", "What stands"
CHECKED, SETTLED = "How work is checked here", "Settled by the user"
_KINDS = (MemoryKind.GOTCHA, MemoryKind.PROCEDURE, MemoryKind.FACT, MemoryKind.PREFERENCE)
"""An observation never becomes an instruction; who wants one searches."""
_ASKED = re.compile(r"agent asked: ")
"""Whether to go on is asked at the end of most sessions: only the last one waits for an answer."""
_DIRTY = "edited, not committed: "
_COUNTS = re.compile(r"and \d+ (?:more|earlier)")
GOAL, PART, MEMORY = 110, 80, 200
FILES = 3
"""Characters of a goal, of one thing that is open or done, and of a memory; files of a session."""


def told(
    project: str,
    memories: Sequence[Memory],
    entries: Sequence[Entry],
    left: Sequence[LeftOff],
    own: Mapping[str, str],
) -> tuple[Told, ...]:
    """Lines in the order in which they are worth their room.

    `entries` newest first; `left` the newest sessions as they were left; `own` to a session's ref
    its host's name for it, hashed.
    """
    standing = [one for one in memories if one.kind in _KINDS]
    by_kind = [[m for m in standing if m.kind is kind] for kind in _KINDS]
    stands = [_told(STANDS, lines.of_memory(m, MEMORY)) for m in _in_turn(by_kind)]
    sessions = [_told(LEFT, one, own.get(one.ref, "")) for one in _sessions(left)][:SESSIONS]
    checks = [_told(CHECKED, one) for one in checking.lines_of(entries)]
    settled = [_told(SETTLED, one) for one in binding.decisions(project, entries)]
    return tuple(_interleaved(sessions, stands[:MEMORIES], (*checks, *settled[: binding.MOST])))


def _told(section: str, line: Line, own: str = "") -> Told:
    return Told(section, f"- {line.text}", line.ref, own)


def _interleaved(
    sessions: Sequence[Told], stands: Sequence[Told], settled: Sequence[Told]
) -> Iterator[Told]:
    """Two sessions, then what stands, then a decision, then the rest, as far as each may be said."""
    ordered = (*sessions[:2], *stands[:2], *settled[:1], *sessions[2:], *stands[2:], *settled[1:])
    return (one for one in ordered if lines.fit(Line(one.text, one.ref)))


def _in_turn(lists: Sequence[Sequence[Memory]]) -> Iterator[Memory]:
    longest = max(map(len, lists), default=0)
    return (each[place] for place in range(longest) for each in lists if place < len(each))


def _sessions(left: Sequence[LeftOff]) -> Iterator[Line]:
    for place, one in enumerate(left):
        parts = list(filter(None, _parts(one, newest=place == 0)))
        # A session that only asked something leaves nothing to come back to.
        if parts:
            day = one.when.partition(" ")[0]
            yield Line(f"{day} {lines.goal(one.goal, GOAL)}: {'; '.join(parts)} {one.ref}", one.ref)


def _parts(one: LeftOff, *, newest: bool) -> Iterator[str]:
    """What came of a session; what was not committed is news of the last one only."""
    if one.outcome.value in ("failure", "partial"):
        yield f"ended in {one.outcome.value}"
    done = [_plain(each) for each in one.done if not _COUNTS.match(each)]
    if done:
        more = f" and {len(done) - 1} more" if len(done) > 1 else ""
        yield f"committed \u201c{_fit(done[-1])}\u201d{more}"
    opened = [_plain(each) for each in one.open if not _COUNTS.match(each)]
    dirty = [each for each in opened if each.startswith(_DIRTY)]
    told = [each for each in opened if each not in dirty and (newest or not _ASKED.match(each))]
    for each in told[:2]:
        yield f"open: {_fit(each)}"
    named = one.files or (dirty[0].removeprefix(_DIRTY).split(", ") if dirty else ())
    if files := [each for each in named if not _COUNTS.match(each)]:
        more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
        what = "edited, no commit seen" if dirty and newest else "edited"
        yield f"{what}: {', '.join(map(_short, files[:FILES]))}{more}"


def _plain(text: str) -> str:
    """What follows the step's number."""
    return text.partition(" ")[2] if text.startswith("#") else text


def _short(path: str) -> str:
    """A path's last two names: enough to find it by."""
    return "/".join(path.split("/")[-2:])


def _fit(text: str) -> str:
    """A part cut to its room; one that gives something away says only that it does."""
    return lines.flat(text, PART) if withholding.told(text) else "(held back)"
