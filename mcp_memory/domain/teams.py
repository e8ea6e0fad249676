"""Teams: what a machine and its team's bank say to each other, beside pushes and pulls."""

from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.models import Draft, Evidence, Frozen, MemoryKind

QUESTIONS, PROPOSE = "/team/questions", "/team/propose"
PROPOSALS, DECISIONS = "/team/proposals", "/team/decisions"

alone: ContextVar[bool] = ContextVar("alone", default=False)
"""Whether a bank answers another's question: it asks no third, nor itself."""

Read = Literal["search", "recent", "fetch"]


class Question(Frozen):
    """A reading question, by its name and its parts."""

    read: Read
    asked: Query | Reading


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
