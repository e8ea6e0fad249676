"""Fetched: what `fetch` answers, the text behind refs."""

from pydantic import Field

from mcp_memory.domain.models import Frozen, Origin, SourceClass


class Fetched(Frozen):
    """The text behind one ref; what is left out is marked in place, with the ref to read on."""

    ref: str
    kind: str = "steps"
    text: str
    source: SourceClass
    trust: float | None = None
    """Where it is not its source's own: the least of its lineage."""
    origin: Origin = ""
    """`team` where a team's bank told it."""
    project: str = Field("", exclude=True)
    """Whose it is; not told, for whoever has the ref knows."""
    path: str | None = None
    """`file:line` below the answer's folder."""
    next_ref: str | None = None
    """What follows, where the budget ended before the ref did."""
    flags: tuple[str, ...] = ()


class FetchResult(Frozen):
    """What `fetch` answers; refs that name nothing are listed, not raised, unless all of them do."""

    folder: str | None = None
    """The archive's folder that paths are below."""
    items: tuple[Fetched, ...]
    unknown: tuple[str, ...] = ()
