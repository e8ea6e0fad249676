"""Teams: what a machine and its team's bank say to each other, beside pushes and pulls."""

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from mcp_memory.domain.asked import Inspection, Query, Reading, Task
from mcp_memory.domain.models import Draft, Evidence, Frozen, MemoryKind

QUESTIONS, PROPOSE = "/team/questions", "/team/propose"
PROPOSALS, DECISIONS, AUDIT = "/team/proposals", "/team/decisions", "/team/audit"

alone: ContextVar[bool] = ContextVar("alone", default=False)
"""Whether a bank answers another's question: it asks no third, nor itself."""

Told = Literal["fix", "how", "blame"]
"""Questions to sessions by what is held of each, which are asked in one sentence."""
Read = Literal["search", "recent", "fetch", "runbook", "fix", "how", "blame", "inspect"]
ABOUT: Mapping[Told, str] = {"fix": "error", "how": "what", "blame": "path"}
"""What the sentence of each is."""
MOST_ASKED, MOST_CAP = 100_000, 100_000


class About(Frozen):
    """What `fix`, `how` and `blame` are asked: an error, a purpose, a file."""

    about: Annotated[str, Field(max_length=MOST_ASKED)]
    project: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 5


class Looking(Frozen):
    """What `inspect` is asked for: steps of a session."""

    ref: Annotated[str, Field(max_length=200)]
    asked: Inspection


class Steps(Frozen):
    """What `inspect` shows."""

    text: str


Asked = Query | Reading | Task | About | Looking


class Question(Frozen):
    """A reading question, by its name and its parts."""

    read: Read
    asked: Asked


class Audit(Frozen):
    """What of a bank's audit is asked for: not older than a moment, from a place on."""

    since: datetime | None = None
    start: Annotated[int, Field(ge=0)] = 0


class Entry(Frozen):
    """One thing that was done."""

    at: datetime
    actor: str
    """Who, as the ledger knows it: `token:…`, `oauth:…`, or a process of the bank's own machine."""
    name: str = ""
    """The name of the actor's token."""
    did: str
    batch: str = ""
    refs: tuple[str, ...] = ()
    names: int = 0
    """How many things it reached that have no ref, such as a file's or a project's name: not told."""
    undoes: str = ""
    completed: bool = True
    token: str = ""
    """Of a token: what it allows, and until when."""


class Audited(Frozen):
    """A part of what was done, as one bank tells another."""

    entries: tuple[Entry, ...] = ()
    more: bool = False


class Proposed(Frozen):
    """A memory that somebody proposes, its evidence by what the team's bank has of it."""

    draft: Draft


class Decision(Frozen):
    """What somebody decides of a proposal, and why."""

    ref: str = ""
    approve: bool
    reason: Annotated[str, Field(max_length=500)] = ""


class Waiting(Frozen):
    """A proposal that waits, with all that a reviewer weighs."""

    ref: str
    proposed_by: str
    at: datetime
    project: str
    kind: MemoryKind
    title: str = ""
    text: str
    when_to_use: str = ""
    not_when: str = ""
    supersedes: str | None = None
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    """What the guard noticed in it, and what power it gives away."""


class Proposals(Frozen):
    """What waits for a decision."""

    waiting: tuple[Waiting, ...] = ()
