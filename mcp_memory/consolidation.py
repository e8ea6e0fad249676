"""Consolidation: the gate that every memory passes, and the plan of what may deserve one."""

from collections.abc import Sequence
from datetime import datetime

from mcp_memory.models import (
    Draft,
    Frozen,
    Group,
    MemoryKind,
    Outcome,
    Resemblance,
    SourceClass,
    Standing,
)


class Cited(Frozen):
    """What one piece of evidence says, as the store holds it."""

    ref: str
    """As the draft spelled it."""
    session: str
    """Trajectory id."""
    live: bool
    text: str
    """All words of the span, tool outputs whole."""
    source: SourceClass = SourceClass.EXTERNAL
    outcome: Outcome = Outcome.UNKNOWN


class Neighbour(Resemblance):
    """A resembling memory whose kind is known; a plain `Resemblance` counts as of the same kind."""

    kind: MemoryKind


class Admit(Frozen):
    """The draft may enter; `notes` say what it lacks or resembles."""

    standing: Standing
    notes: tuple[str, ...] = ()


class Refuse(Frozen):
    """The draft may not enter; one line a fault."""

    reasons: tuple[str, ...]


Verdict = Admit | Refuse


class EpisodeView(Frozen):
    """What planning needs to know of an episode."""

    ref: str
    """`e:….n`."""
    first: int
    last: int
    """Step numbers, inclusive."""
    goal: str
    outcome: Outcome
    errors: tuple[str, ...] = ()
    """Error lines or codes met, as they were printed."""
    commands: tuple[str, ...] = ()
    """Commands run."""
    files: tuple[str, ...] = ()
    """Files edited."""
    at: datetime | None = None


class MemoryView(Frozen):
    """What planning needs to know of a live memory; counters are of its current version."""

    ref: str
    kind: MemoryKind
    text: str
    title: str = ""
    evidence: tuple[str, ...] = ()
    """Refs of its evidence."""
    used: int = 0
    succeeded: int = 0


def judge(
    draft: Draft, cited: Sequence[Cited], neighbours: Sequence[Resemblance] = (), *, strict: bool
) -> Verdict:
    """Whether a draft may enter, and with which standing.

    With `strict` any fault refuses (consolidation). Without it only evidence that does not exist
    and quotes that are not there refuse (retain); what else is missing makes a candidate.
    """
    raise NotImplementedError


def claims(text: str) -> tuple[str, ...]:
    """The checkable parts of a text: quoted strings, paths, symbols, error codes, numbers."""
    raise NotImplementedError


def plan(
    episodes: Sequence[EpisodeView],
    memories: Sequence[MemoryView],
    *,
    similar: Sequence[tuple[str, str, float]] = (),
    limit: int = 12,
) -> tuple[Group, ...]:
    """What the host may want to look at, at most `limit` groups, most supported first.

    `similar`: pairs of memory refs with their cosine.
    """
    raise NotImplementedError
