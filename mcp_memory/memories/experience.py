"""Experience: what a plan is told of sessions, words and memories, and how it offers what it finds; pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Literal

from mcp_memory.domain import refs
from mcp_memory.domain.models import Frozen, Group, MemoryKind, Outcome, Support
from mcp_memory.text import wording
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.naming import one_line

READING = 1_500
"""Tokens that reading one proposal takes at most."""
MOST_READ, MOST_MATCHED, MOST_SHARED = 2, 8, 4
"""Sessions that are read, words of a match, and things that are named as shared."""
ABOUT_CHARS = 240
JOINED = 6
"""Steps between a failure and its mending that are read as one span."""
Reason = Literal["error", "command", "correction", "decision", "fact", "contrast"]
RULES: dict[Reason, str] = {
    "error": (
        "gotcha: the error verbatim, its cause, what made it go away; when_to_use: the command or "
        "situation that meets it. Cite a span of two sessions."
    ),
    "command": (
        "procedure: the whole line that works, and why the other does not; when_to_use: the task. "
        "Cite a failing and a working step of two sessions."
    ),
    "correction": (
        "preference: the user's own words, not turned round, with their condition; quote them, and "
        "cite the step."
    ),
    "decision": "fact: what was asked and what the user chose, in these words; cite the step.",
    "fact": "fact: one sentence with its literal names; cite a span of two sessions.",
    "contrast": (
        "procedure: what the attempt that went well did and the other did not; when_to_use: the "
        "goal. Cite both."
    ),
}


class SessionView(Frozen):
    """What planning needs to know of a session."""

    root: str
    """The session that it counts with."""
    project: str
    entry: Entry

    @property
    def id(self) -> str:
        """Its trajectory id."""
        return self.entry.id

    def outcome(self, step: int) -> Outcome:
        """How the attempt went that a step is of."""
        within = (a.outcome for a in self.entry.attempts if a.first <= step <= a.last)
        return next(within, Outcome.UNKNOWN)


class Said(Frozen):
    """What a person or an agent said in one step."""

    session: str
    step: int
    by_user: bool
    text: str


class MemoryView(Frozen):
    """What planning needs to know of a live memory; uses whose outcome is unknown do not count."""

    ref: str
    kind: MemoryKind
    text: str
    title: str = ""
    project: str = ""
    evidence: tuple[str, ...] = ()
    """Refs of its evidence."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    used: int = 0
    succeeded: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is made of."""

    sessions: Sequence[SessionView] = ()
    said: Sequence[Said] = ()
    memories: Sequence[MemoryView] = ()
    similar: Sequence[tuple[str, str, float]] = ()
    """Pairs of memory refs with their cosine."""
    lines: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """What was run in a step, by session and number."""
    sought: Mapping[str, Sequence[tuple[int, int, int]]] = field(default_factory=dict)
    """By session first and last step of what was searched for and opened, and how often."""


@dataclass(frozen=True, slots=True)
class Point:
    """One step in which something was met."""

    session: SessionView
    step: int
    mended: int = 0
    """The step in which the same command went well again."""
    told: str = ""

    @property
    def spans(self) -> tuple[str, ...]:
        """Refs that show it, and its mending."""
        if self.mended > self.step + JOINED:
            ends = (self.step, self.mended)
            return tuple(refs.span(self.session.id, step) for step in ends)
        return (refs.span(self.session.id, self.step, max(self.step, self.mended)),)


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal, what it is worth, and every step that it rests on."""

    worth: float
    group: Group
    points: tuple[Point, ...] = ()
    files: frozenset[str] = frozenset()


def roots(points: Iterable[Point]) -> int:
    """How many root sessions met something."""
    return len({point.session.root for point in points})


def support(points: Sequence[Point]) -> Support:
    """Sessions, attempts by their end, and days of some steps."""
    attempts = {(p.session.id, a.first): a.outcome for p in points
                for a in p.session.entry.attempts if a.first <= p.step <= a.last}  # fmt: skip
    ends = Counter(attempts.values())
    days = sorted({point.session.entry.day for point in points} - {"undated"})
    return Support(
        sessions=roots(points),
        succeeded=ends[Outcome.SUCCESS],
        failed=ends[Outcome.FAILURE],
        first=days[0] if days else "",
        last=days[-1] if days else "",
    )


def to_read(points: Sequence[Point]) -> tuple[str, ...]:
    """The few spans that show a thing: mended ones first, of two sessions."""
    told = sorted(points, key=lambda p: (p.mended == 0, p.mended - p.step, p.session.id, p.step))
    one_each = {point.session.root: point for point in reversed(told)}
    chosen = sorted(one_each.values(), key=told.index)[:MOST_READ]
    return tuple(ref for point in chosen for ref in point.spans)


def matching(text: str) -> str:
    """The telling words of a text, by which long steps show it."""
    plain = (term for term in wording.informative(text) if len(term) > 2 and "…" not in term)  # noqa: PLR2004
    return " ".join(islice(plain, MOST_MATCHED))


def offer(
    reason: Reason, key: str, points: Sequence[Point], *, worth: float, shared: Iterable[str] = ()
) -> Offer:
    """A proposal about what some steps of one project met; `key` is what recurs, verbatim."""
    project = points[0].session.project
    group = Group(
        id=f"p:{refs.short_hash(reason, project, key)}",
        reason=reason,
        project=project,
        about=one_line(key, ABOUT_CHARS),
        refs=to_read(points),
        match=matching(key),
        budget_tokens=READING,
        shared=tuple(islice(dict.fromkeys(_below(one, project) for one in shared), MOST_SHARED)),
        support=support(points),
        rules=RULES[reason],
    )
    return Offer(worth, group, tuple(points), _files(points))


def _below(told: str, project: str) -> str:
    """A line with the project's paths as they are below it, in a worktree too."""
    root = re.escape(project.replace("\\", "/").rstrip("/"))
    return re.sub(rf"{root}/(?:\.?worktrees/[^/\s`]+/)?", "", told) if len(project) > 1 else told


def _files(points: Iterable[Point]) -> frozenset[str]:
    """Files that the attempts of these steps touched."""
    return frozenset(
        file.name
        for point in points
        for attempt in point.session.entry.attempts
        if attempt.first <= point.step <= attempt.last
        for file in point.session.entry.files
        if any(attempt.first <= step <= attempt.last for step in file.steps)
    )
