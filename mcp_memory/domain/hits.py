"""Hits: what `search` answers, ranked and cited."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field

from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import Frozen, Origin, Outcome, SourceClass, Standing

HitKind = Literal["fact", "procedure", "gotcha", "preference", "observation", "episode", "step"]


class Hit(Frozen):
    """One ranked result; it always cites. The first tell a passage, the others a line."""

    ref: str
    kind: HitKind = "step"
    title: str = ""
    text: str
    """Passages; a line that begins `#31` or `#12-40` tells what these steps of the same session say."""
    score: float
    """0 to 1: how surely it bears on the question; hits stand in this order unless newest are asked."""
    source: SourceClass
    trust: float | None = None
    """Where it is not its source's own: the least of its lineage."""
    standing: Standing | None = None
    outcome: Outcome | None = None
    origin: Origin = ""
    """`team` where a team's bank told it; this machine's own, else."""
    project: str = ""
    """Its folder's name, where it is not the project that was asked."""
    at: date | None = None
    path: str | None = Field(None, exclude=True)
    """`file:line` below the answer's folder; not told, for `files` says it of all."""
    also: tuple[str, ...] = ()
    """Refs that say the same: copies, forks, the episode that begins with it."""
    later: tuple[str, ...] = ()
    """What became of it: the ref that changed it, with what it says now, or the step of its session
    (`#34 user: …`) in which it was taken back."""
    linked: tuple[str, ...] = ()
    """Of a memory: others one step away, each with what both have."""
    flags: tuple[str, ...] = ()
    why: Mapping[str, int | float] = {}
    """Channel or prior to its rank or weight; only where it was asked for."""

    @property
    def trusted(self) -> float:
        """How far it is trusted, 0 to 1."""
        return self.source.trust if self.trust is None else self.trust


class SearchResult(Frozen):
    """What `search` answers: hits that clear the floor each by itself, or the nearest, named as such."""

    found: bool
    folder: str | None = Field(None, exclude=True)
    """The archive's folder that paths are below."""
    files: str | None = None
    """Where in the archive a ref's step stands, said once for all hits."""
    hits: tuple[Hit, ...] = ()
    nearest: tuple[Hit, ...] = ()
    unknown: tuple[str, ...] = ()
    """Names of the question that the whole history does not hold."""
    in_no_code: tuple[str, ...] = ()
    """Names that are only talked of: no code that was read, written or run here holds them."""
    sessions: tuple[LeftOff, ...] = ()
    """The newest sessions, where nothing was asked for but them."""
    more: int = 0
    """Hits that clear the floor and found no room."""
    none_newer: bool = False
    """Whether nothing that was found is newer than what is shown."""
    notes: tuple[str, ...] = ()
    """How the answer is limited: degraded channels, an index behind, an unknown project."""
    held: Mapping[str, tuple[str, ...]] = Field({}, exclude=True)
    """Ref to why all of it was held back; a note counts them."""

    @property
    def beyond(self) -> str:
        """How many more there are than are shown, and that none of them is newer where it is so."""
        return f"{self.more} more{', none newer' * self.none_newer}"
