"""Rows of the four tables as plain values; light enough to import before LanceDB."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Table = Literal["evidence", "memories", "ledger", "sessions"]
EvidenceKind = Literal["step", "episode", "output"]
Phase = Literal["once", "intent", "commit", "done", "reversed"]


PUSHED = "pushed:"
"""How the catalogue's source of a session begins that somebody brought over the network."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A step, an episode, or a large tool output kept once per session."""

    key: str
    """The ref: `t:…#12`, `e:….2` or `o:…`."""
    kind: EvidenceKind
    trajectory: str
    first: int
    last: int
    """Step numbers, inclusive."""
    project: str
    source: str
    """A SourceClass value."""
    at: datetime | None
    outcome: str
    text: str
    """Own words, searchable."""
    context: str
    """The first of its own words, and the heads of the two steps before and after it."""
    identifiers: str
    """Paths, symbols, flags and error codes, separated by spaces."""
    paths: tuple[str, ...]
    body: str
    """The masked record as JSON of a Step or Episode; empty for an output: `text` is whole."""
    hash: str
    """SHA-256 over all that is derived from the record, to see what a new indexing changed."""
    flags: tuple[str, ...]
    state: str
    batch: str
    vector: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session in the catalogue."""

    id: str
    """Trajectory id."""
    format: str
    native_id: str
    project: str
    cwd: str
    title: str
    goal: str
    outcome: str
    steps: int
    started_at: datetime | None
    ended_at: datetime | None
    source_path: str
    size: int
    mtime_ns: int
    fingerprint: str
    """SHA-256 over the masked trajectory and the versions of reader and rules."""
    folder: str
    """Archive folder, relative to the archive root, `/`-separated; never changes."""
    parent: str
    state: str
    body: str
    """JSON of the Trajectory without its steps."""
    entry: str
    """JSON of what the archive's indexes say of it."""
    hidden: str
    """JSON: step number to why it is not shown: `forgotten`, `purged`, or its ref elsewhere."""
    batch: str
    origin: str = ""
    """Trajectory id of the session that this one is a fork or a copy of."""
    marks: str = ""
    """By what its steps are known again, without their words; see `trajectories/lineage`."""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One version of one memory."""

    key: str
    """The ref: `m:…`."""
    version: int
    kind: str
    project: str
    source: str
    standing: str
    state: str
    at: datetime
    text: str
    """Title, text and conditions, searchable."""
    context: str
    """Its words with the tags and quotes that it was kept with."""
    identifiers: str
    paths: tuple[str, ...]
    evidence: tuple[str, ...]
    """Refs of its evidence."""
    body: str
    """JSON of the Memory."""
    hash: str
    """SHA-256 over content and source: the same thing said twice has the same hash."""
    batch: str
    vector: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One phase of one change; never text."""

    batch: str
    phase: Phase
    op: str
    refs: tuple[str, ...]
    hashes: tuple[str, ...]
    actor: str
    owner: str
    """Name of the writer's lock, by which a dead writer is known."""
    at: datetime
    inverse: str
    """JSON: how to take the change back."""
    effects: str
    """JSON: what is still to be done after the commit, idempotent."""


class Found(NamedTuple):
    """A key that a channel found, with the channel's own score, best first."""

    key: str
    score: float


@dataclass(frozen=True, slots=True)
class Look:
    """One way of looking: by words in a column, or by nearness to a vector."""

    words: str = ""
    column: str = ""
    vector: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over `evidence` or `memories`; every field given must hold, empty means any."""

    keys: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    trajectories: tuple[str, ...] = ()
    states: tuple[str, ...] = ("live",)
    outcomes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    not_batches: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    path: str = ""
    """A path that `paths` holds, whole or by its ending at a folder boundary."""
    below: str = ""
    """A file or folder that `paths` hold, or that the line of a call names."""
    matches: str = ""
    """A regular expression, of Rust's kind, that the text matches; read in time linear in it."""
    contains: str = ""
    """Exact words that text, context or body holds."""
    cites: str = ""
    """Memories only: a ref that `evidence` holds, by prefix."""
    first: int | None = None
    last: int | None = None
    """Evidence only: rows whose span overlaps these step numbers."""


BRIEF = tuple(
    name
    for name in EvidenceRow.__dataclass_fields__
    if name not in {"body", "vector", "paths", "hash", "batch"}
)
"""What is ranked and shown of evidence."""


def sender_of(source: str) -> str:
    """Who brought a session, by the catalogue's source of it, as `pushed:NAME`; empty for a file."""
    return source.rpartition("?steps=")[0] if source.startswith(PUSHED) else ""
