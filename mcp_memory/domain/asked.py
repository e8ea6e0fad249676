"""What is asked of a bank: queries, readings, tasks, plans, inspections and deletions."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Frozen, Outcome
from mcp_memory.domain.moments import Moment, SaidMoment

DeletionMode = Literal["preview", "forget", "restore", "purge"]
Show = Literal["everything", "prose", "calls"]
"""All of a step; what user and agent said; commands and edits with how they ended."""


Order = Literal["best", "newest"]


class Query(Frozen):
    """What `search` is asked; without texts, what happened within its other fields."""

    texts: Annotated[tuple[str, ...], Field(max_length=6)] = ()
    """A question and five other wordings of it, or so many questions."""
    reworded: bool = False
    """Whether the texts after the first are other wordings of it, and no questions of their own."""
    kinds: tuple[HitKind, ...] = ()
    project: str | None = None
    """None: where the server was started, and `user`; `*`: everywhere."""
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: Moment | None = None
    """A moment: what held then, and what had happened by then."""
    path: str = ""
    """A file or folder that steps read, edited or named in a command."""
    within: str = ""
    """A session or an episode, by its ref."""
    match: str = ""
    """A regular expression that a line of the step must match."""
    order: Order = "best"
    explain: bool = False
    limit: Annotated[int, Field(ge=1, le=50)] = 8
    budget_tokens: int | None = None


class Reading(Frozen):
    """What `fetch` is asked."""

    refs: tuple[str, ...]
    around: Annotated[int, Field(ge=0, le=20)] = 0
    match: str = ""
    """Words: where not everything fits, lines that hold them stay."""
    show: Show = "everything"
    as_of: Moment | None = None
    budget_tokens: int | None = None


class Task(Frozen):
    """What a runbook is asked for."""

    text: Annotated[str, Field(min_length=1)]
    queries: Annotated[tuple[str, ...], Field(max_length=5)] = ()
    error: str = ""
    files: tuple[str, ...] = ()
    project: str | None = None
    as_of: Moment | None = None
    budget_tokens: int | None = None


class Planning(Frozen):
    """What a plan is asked to propose."""

    project: str | None = None
    since: datetime | None = None
    """Only what sessions since then met."""
    about: tuple[str, ...] = ()
    """Refs, files, words of an error: only what touches all of them."""
    limit: Annotated[int, Field(ge=1, le=100)] = 12


ANYTHING = Planning()
"""A plan of this project, narrowed by nothing."""


class Inspection(Frozen):
    """What `inspect` shows of a span: everything, or only what failed, ran, matched or was touched."""

    span: str = ""
    """`A:B`, step numbers counted from 1; empty means all that the ref names."""
    match: str = ""
    files: bool = False
    errors: bool = False
    commands: bool = False
    cap: int = 12_000
    """Most characters shown."""


class Manner(TypedDict, total=False):
    """How a deletion goes about it; where nothing is said, it is a preview."""

    mode: DeletionMode
    confirm: str
    """What the preview told; a filter and a purge need it."""


class Filter(Frozen):
    """Which records a deletion by filter means; every field given must hold, at least one is."""

    contains: str = Field("", description="its exact words")
    session: str = Field("", description="t:…")
    project: str = ""
    path: str = Field("", description="a file that it touches")
    kinds: tuple[HitKind, ...] = ()
    since: SaidMoment = None
    until: SaidMoment = Field(None, description="older than")
