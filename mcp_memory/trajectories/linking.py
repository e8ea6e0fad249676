"""Linking: which session a commit was made in, and by which trace of it this is known."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from mcp_memory.domain import refs
from mcp_memory.domain.models import Frozen, Trajectory
from mcp_memory.domain.paths import relative
from mcp_memory.trajectories import calls, committing, edits

LEAST = 0.5
"""A link by edits must account for half of a commit's files: less is shared by several sessions."""
SLACK = timedelta(minutes=2)
"""Between git's clock and the transcript's: a hook may run before the host notes the result."""
WINDOW = timedelta(days=7)
"""An edit waits no longer than this for its commit."""


class Commit(Frozen):
    """What links look at of a commit; times are aware."""

    hash: str
    at: datetime
    """When it was authored: a rebase keeps it."""
    subject: str
    files: tuple[str, ...]


class Printed(Frozen):
    """A commit that git announced in a step."""

    hash: str
    subject: str
    step: int
    at: datetime | None


class Edited(Frozen):
    """A file that a step wrote."""

    path: str
    step: int
    at: datetime


class Trace(Frozen):
    """What a session left by which its commits are known."""

    session: str
    printed: tuple[Printed, ...] = ()
    edited: tuple[Edited, ...] = ()


class Link(Frozen):
    """A commit made in a session, with the step that tells and how sure that is, 0 to 1."""

    commit: str
    session: str
    step: int
    score: float
    reason: str

    @property
    def told(self) -> str:
        """The ref with the reason, on one line."""
        return f"{refs.span(self.session, self.step)} {self.reason}"


def trace(trajectory: Trajectory, *, project: str) -> Trace:
    """What a session printed and edited; paths are relative to the repository."""
    roots = tuple(root for root in (project, trajectory.cwd or "") if root)
    printed = [
        Printed(hash=one.hash, subject=one.subject, step=made.step.number, at=made.step.at)
        for made in calls.made(trajectory.steps)
        for one in committing.committed(made)
        if one.hash
    ]
    edited = [
        Edited(path=relative(path, roots), step=step.number, at=step.at)
        for step in trajectory.steps
        if step.at is not None
        for path in edits.paths(step)
    ]
    return Trace(session=trajectory.id, printed=tuple(printed), edited=tuple(edited))


def link(commits: Sequence[Commit], traces: Iterable[Trace]) -> dict[str, tuple[Link, ...]]:
    """Commit to its links, surest first; a commit that git announced is not guessed by files."""
    known = tuple(traces)
    announced = _announced(known)
    writers = _writers(known)
    earlier = _committed(commits)
    found: dict[str, tuple[Link, ...]] = {}
    for commit in commits:
        links = _printed(commit, announced) or _edited(commit, writers, earlier)
        if links:
            found[commit.hash] = links
    return found


class _Announced:
    """Announcements by the first letters of their hash, and by subject."""

    def __init__(self) -> None:
        self.by_hash: dict[str, list[tuple[str, Printed]]] = defaultdict(list)
        self.by_subject: dict[str, list[tuple[str, Printed]]] = defaultdict(list)


def _announced(traces: Sequence[Trace]) -> _Announced:
    found = _Announced()
    for each in traces:
        for printed in each.printed:
            found.by_hash[printed.hash[:7]].append((each.session, printed))
            if printed.subject:
                found.by_subject[printed.subject].append((each.session, printed))
    return found


def _printed(commit: Commit, announced: _Announced) -> tuple[Link, ...]:
    """By its hash; after a rebase by its subject at the moment it was authored."""
    links: dict[str, Link] = {}
    for session, printed in announced.by_hash[commit.hash[:7]]:
        if commit.hash.startswith(printed.hash):
            reason = f"git printed this hash in step {printed.step}"
            links.setdefault(session, _link(commit, session, printed.step, 1.0, reason))
    for session, printed in announced.by_subject[commit.subject] if not links else ():
        if printed.at is not None and abs(printed.at - commit.at) <= SLACK:
            reason = f"git printed this subject in step {printed.step}, when it was authored"
            links.setdefault(session, _link(commit, session, printed.step, 0.9, reason))
    return tuple(links.values())


_Writers = Mapping[str, Sequence[tuple[datetime, str, int]]]


def _writers(traces: Sequence[Trace]) -> _Writers:
    """File to the edits of it, oldest first."""
    found: dict[str, list[tuple[datetime, str, int]]] = defaultdict(list)
    for each in traces:
        for edit in each.edited:
            found[edit.path].append((edit.at, each.session, edit.step))
    return {path: sorted(edits) for path, edits in found.items()}


def _committed(commits: Sequence[Commit]) -> Mapping[str, Sequence[datetime]]:
    """File to the times it was committed."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for commit in commits:
        for path in commit.files:
            found[path].append(commit.at)
    return {path: sorted(times) for path, times in found.items()}


def _edited(
    commit: Commit, writers: _Writers, earlier: Mapping[str, Sequence[datetime]]
) -> tuple[Link, ...]:
    """By its files: each counts for the sessions that wrote it since it was last committed."""
    last: dict[str, dict[str, int]] = defaultdict(dict)
    for path in dict.fromkeys(commit.files):
        times = earlier[path]
        place = bisect_left(times, commit.at)
        since = max(commit.at - WINDOW, times[place - 1] if place else commit.at - WINDOW)
        edits = writers.get(path, ())
        end = bisect_right(edits, commit.at + SLACK, key=lambda edit: edit[0])
        for at, session, step in edits[:end]:
            if at > since:
                last[session][path] = step
    whole = len(set(commit.files))
    links = [
        _link(
            commit,
            session,
            max(steps.values()),
            round(0.8 * len(steps) / whole, 3),
            f"edited {len(steps)} of its {whole} files before it, last in step {max(steps.values())}",
        )
        for session, steps in last.items()
        if len(steps) / whole >= LEAST
    ]
    return tuple(sorted(links, key=lambda each: (-each.score, each.session)))


def _link(commit: Commit, session: str, step: int, score: float, reason: str) -> Link:
    return Link(commit=commit.hash, session=session, step=step, score=score, reason=reason)
