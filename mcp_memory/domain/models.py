"""The nouns of the house: what was observed, what was learned, and what the six verbs answer."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from mcp_memory.domain.moments import Moment, SaidMoment
from mcp_memory.domain.reviews import Review


class Frozen(BaseModel):
    """A value: immutable, closed to unknown fields."""

    # Built at first use: all of them at once take 20 ms of a host's wait for its handshake.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class SourceClass(StrEnum):
    """Who said it, from most to least trusted; a model's claim about itself never raises it."""

    USER = "user"
    HOST = "host"
    AGENT = "agent"
    TOOL = "tool"
    EXTERNAL = "external"

    @property
    def trust(self) -> float:
        """0 to 1; anything derived takes the minimum over its lineage."""
        return {"user": 1.0, "host": 0.9, "agent": 0.6, "tool": 0.4, "external": 0.2}[self.value]


Origin = Literal["", "team"]
"""Which bank told something: this machine's own, or a team's that is asked beside it."""
STANDS = SourceClass.TOOL.trust
"""The least trust of what may be said as advice: what only outsiders wrote is none."""


class Outcome(StrEnum):
    """How an attempt ended, decided from evidence only."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class MemoryKind(StrEnum):
    """What sort of thing was learned."""

    FACT = "fact"
    PROCEDURE = "procedure"
    GOTCHA = "gotcha"
    PREFERENCE = "preference"
    OBSERVATION = "observation"
    """Something seen, kept as it was said; it never becomes an instruction."""


class Standing(StrEnum):
    """Whether a memory has a quorum of evidence."""

    CANDIDATE = "candidate"
    ESTABLISHED = "established"


class State(StrEnum):
    """Whether a record answers searches; purged ones keep no text."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    FORGOTTEN = "forgotten"


StepKind = Literal["user", "agent", "system", "summary", "boot"]


class ToolCall(Frozen):
    """One call of a tool by an agent, as the host recorded it."""

    id: str
    name: str
    arguments: Mapping[str, JsonValue] = {}
    command: str | None = None
    """The shell command, where the tool runs one."""
    paths: tuple[str, ...] = ()
    """Files that the call reads or writes, as the host spelled them."""
    edits: bool = False
    """Whether the call writes to `paths`."""


class Observation(Frozen):
    """What came back from one tool call."""

    call_id: str
    text: str
    exit_code: int | None = None
    failed: bool | None = None
    """The host's own verdict; None where it gave none."""
    seconds: float | None = None
    source: SourceClass = SourceClass.TOOL


class Step(Frozen):
    """One user message, or one agent message with its calls and what came back.

    `number` counts from 1, is given at first sight and never reused:
    step N is line N of the session's `steps.jsonl`.
    """

    number: int
    kind: StepKind
    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    observations: tuple[Observation, ...] = ()
    at: datetime | None = None
    model: str | None = None
    source: SourceClass = SourceClass.AGENT
    abandoned: bool = False
    revises: int | None = None
    taken_back: bool = False
    """Whether its host no longer has it: the transcript became shorter; the bank keeps it."""


class Refusal(Frozen):
    """A piece of a transcript that was not read, counted and named."""

    where: str
    """Line or key, e.g. `line 12`."""
    reason: str


class Trajectory(Frozen):
    """The neutral record of one session of one agent (names after the ATIF interchange format)."""

    id: str
    """`trajectory_id(format, native id)`: the same for a file that was moved or copied."""
    format: str
    native_id: str
    title: str = ""
    goal: str = ""
    cwd: str | None = None
    git_branch: str | None = None
    git_commit: str | None = None
    model: str | None = None
    host_version: str | None = None
    parent: str | None = None
    """The trajectory id of the session that started this one as a sub-agent."""
    origin: str | None = None
    """The trajectory id of the session that this one is a fork or a copy of."""
    remote: str = ""
    """The git remote of its folder as `host/owner/name`, where the host noted it."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    verdict: Outcome = Outcome.UNKNOWN
    """The host's own verdict on the whole session, where it gave one."""
    verdict_reason: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    skipped: Mapping[str, int] = {}
    """Known record types left out on purpose, with their counts."""
    unknown: Mapping[str, int] = {}
    """Record types that the reader does not know, with their counts."""
    refusals: tuple[Refusal, ...] = ()
    """Lines or records that could not be read."""


class Episode(Frozen):
    """One attempt at one goal: a span of a trajectory with its outcome."""

    trajectory: str
    number: int
    first: int
    last: int
    goal: str
    outcome: Outcome
    reason: str


class Evidence(Frozen):
    """Why a memory is believed: a span of steps, and a quote where one carries the point."""

    ref: str = Field(description="t:…#12-15 or e:…")
    quote: str = Field("", description="its words, verbatim")


class Memory(Frozen):
    """One version of what was learned."""

    ref: str
    version: int
    kind: MemoryKind
    text: str
    title: str = ""
    when_to_use: str = ""
    not_when: str = ""
    evidence: tuple[Evidence, ...] = ()
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    project: str = "user"
    source: SourceClass = SourceClass.AGENT
    trust: float = SourceClass.AGENT.trust
    standing: Standing = Standing.CANDIDATE
    state: State = State.LIVE
    supersedes: str | None = None
    superseded_by: str | None = None
    challenged_by: tuple[str, ...] = ()
    """Candidates that would supersede it and may not yet."""
    seen: Mapping[str, str] = {}
    """To its files the hash of what each held when this was kept, as git makes it."""
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    """From when to when it holds, as its writer said."""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    """When its evidence shows it first and last."""
    rested_at: datetime | None = None
    """From when its successor holds, or when it was retired."""
    flags: tuple[str, ...] = ()
    """What the guard noticed; the text is kept, and comes back marked."""
    review: Review | None = None
    created_at: datetime
    batch: str

    def outweighs(self, other: "Memory") -> bool:
        """Whether it may put another to rest: what is established is not overthrown by less.

        What the user said, only the user takes back.
        """
        if other.standing is Standing.CANDIDATE:
            return True
        users = other.source is SourceClass.USER and self.source is not SourceClass.USER
        return self.standing is Standing.ESTABLISHED and not users


class Resemblance(Frozen):
    """A memory that says nearly the same."""

    ref: str
    similarity: float
    title: str


class Retained(Frozen):
    """What `retain` answers."""

    ref: str
    version: int
    standing: Standing
    created: bool
    """False when the same content from the same source was there already."""
    masked: Mapping[str, int] = {}
    """Rule family to how many secrets it masked."""
    resembles: tuple[Resemblance, ...] = ()
    notes: tuple[str, ...] = ()
    batch: str


class RunbookSection(Frozen):
    """One part of a runbook; every line of `lines` ends with its ref."""

    title: str
    lines: tuple[str, ...]


class Runbook(Frozen):
    """What `runbook` answers: evidence-backed instructions for one task."""

    task: str
    sections: tuple[RunbookSection, ...]
    spans: tuple[str, ...]
    """Refs to open, most telling first, at most 20 steps together."""
    premises: tuple[str, ...] = ()
    """What the task takes for granted and history does not bear out."""
    notes: tuple[str, ...] = ()


class Draft(Frozen):
    """A memory as a host proposes it."""

    text: Annotated[str, Field(min_length=1)]
    kind: MemoryKind = MemoryKind.FACT
    title: str = ""
    when_to_use: str = ""
    not_when: str = ""
    evidence: tuple[Evidence, ...] = ()
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    project: str | None = None
    supersedes: str | None = None
    valid_from: SaidMoment = None
    valid_to: SaidMoment = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Draft":
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be after valid_from")
        return self


class Listed(Frozen):
    """One line of a listing: a session, a memory, a project or a change."""

    ref: str
    at: datetime | None = None
    project: str = ""
    title: str = ""
    marks: tuple[str, ...] = ()


class Status(Frozen):
    """What the bank holds and how it is."""

    home: Path
    schema_version: int
    counts: Mapping[str, int]
    """Sessions, steps, episodes, memories, changes."""
    projects: Mapping[str, int]
    model: str
    bytes: int
    notes: tuple[str, ...] = ()


class Support(Frozen):
    """What a proposal of a plan rests on."""

    sessions: int = 0
    """Root sessions: sub-agents and copies count with the session that they come from."""
    succeeded: int = 0
    failed: int = 0
    """Attempts of these that ended so."""
    sought: int = 0
    """How often a search found its steps and they were opened."""
    first: str = ""
    last: str = ""
    """Days."""


class Group(Frozen):
    """One proposal of a plan: steps or memories that may deserve one memory, or a second look."""

    id: str = ""
    """The same for the same proposal, however often it is planned."""
    reason: Literal[
        "error", "command", "correction", "decision", "fact", "contrast",
        "duplicates", "contradiction", "unhelpful",
    ]  # fmt: skip
    project: str = ""
    about: str
    """What recurs, verbatim."""
    refs: tuple[str, ...]
    """The few spans to read, or the memories."""
    match: str = ""
    """Words to give `fetch` beside the refs, so that long steps show the thing."""
    budget_tokens: int = 0
    """What reading them takes at most."""
    shared: tuple[str, ...] = ()
    """What they share: the command, what mended it, files, names."""
    support: Support = Support()
    rules: str = ""
    """How to write it, so that the gate lets it in."""


class Consolidation(Frozen):
    """What `consolidate` answers: the groups of a plan, or the batch that was applied or undone."""

    groups: tuple[Group, ...] = ()
    batch: str | None = None
    refs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Check(Frozen):
    """One absence check of a purge; `control` says that its detector found the text before."""

    where: str
    control: int
    left: int


class Deletion(Frozen):
    """What `delete` answers: what it reaches, what it did, and for a purge what was re-checked."""

    mode: Literal["preview", "forget", "restore", "purge"]
    refs: tuple[str, ...]
    cascade: tuple[str, ...] = ()
    """Memories that go with them."""
    weakened: tuple[str, ...] = ()
    """Memories that lose evidence, and their standing unless the rest bears them out."""
    batch: str | None = None
    confirm: str | None = None
    """Pass this back to carry out a deletion by filter."""
    checks: tuple[Check, ...] = ()
    beyond_reach: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
