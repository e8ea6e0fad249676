"""fix: what was done before after an error, where the same command went well later."""

from collections.abc import Sequence
from datetime import datetime

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit, HitKind
from mcp_memory.domain.models import Frozen, Origin
from mcp_memory.rooms import Rooms
from mcp_memory.search.named.held import Change, Held, held, rarities, share
from mcp_memory.search.searching import search
from mcp_memory.text import signatures, wording
from mcp_memory.trajectories.mending import Mend

LEAST_SHARE = 0.55
"""So much of the words of an error another must hold to be told as like it."""
LEARNED: tuple[HitKind, ...] = ("gotcha", "procedure", "fact")
MOST_LEARNED, MOST_MET = 3, 6
MOST_CHANGES = 2


class Cure(Frozen):
    """An error that was met, and what was done until the same command went well."""

    ref: str
    """From the failure to the success."""
    at: datetime | None = None
    origin: Origin = ""
    project: str = ""
    error: str
    command: str
    done: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    """The last that was changed in files on the way."""
    likeness: float
    """1: the same error; less: so much of its words."""
    times: int = 1
    """How many sessions mended it so."""


class Met(Frozen):
    """A session that met the error; how it was mended is not known."""

    ref: str
    at: datetime | None = None
    origin: Origin = ""
    error: str


class Fixed(Frozen):
    """What is known of an error: cures, what was learned, and where else it was met."""

    error: str
    cures: tuple[Cure, ...] = ()
    learned: tuple[Hit, ...] = ()
    met: tuple[Met, ...] = ()
    sessions: int = 0
    """How many sessions met it."""
    notes: tuple[str, ...] = ()


async def fix(rooms: Rooms, error: str, *, project: str | None = None, limit: int = 5) -> Fixed:
    """The cures of an error, most alike first, then the newest; memories of it; where it was met."""
    known, notes = await held(rooms, project)
    like = _Likeness(error, known)
    cures = _cures(known, like)
    met = [
        Met(ref=one.span(each.steps[-1]), at=one.at, error=each.name)
        for one in known
        for each in one.entry.errors
        if like.of(each.name) >= LEAST_SHARE
    ]
    query = Query(texts=(error[:2_000],), kinds=LEARNED, project=project, limit=MOST_LEARNED)
    learned = await search(rooms, query)
    mended = {each.ref.partition("#")[0] for each in cures}
    open_ = [each for each in met if each.ref.partition("#")[0] not in mended]
    return Fixed(
        error=error,
        cures=tuple(cures[:limit]),
        learned=learned.hits if learned.found else (),
        met=tuple(open_[:MOST_MET]),
        sessions=len({each.ref.partition("#")[0] for each in met}),
        notes=notes,
    )


class _Likeness:
    """How alike the error of a question is to one that was met."""

    def __init__(self, error: str, known: Sequence[Held]) -> None:
        self._same = {*signatures.errors(error), *signatures.named_errors(error)}
        self._same |= {signatures.fold(line) for line in error.splitlines() if line.strip()}
        named = " ".join(sorted(self._same)) if "\n" in error.strip() else error
        texts = {each.name for one in known for each in one.entry.errors}
        self._told = rarities(wording.informative(named), texts)
        self._known: dict[str, float] = {}

    def of(self, name: str) -> float:
        """1 for the same signature; else the share of its words, the rare ones counting more."""
        if name in self._same:
            return 1.0
        if name not in self._known:
            # A word that no error has still was asked for: what lacks it is less like it.
            self._known[name] = share({w: much or 6.0 for w, much in self._told.items()}, name)
        return min(self._known[name], 0.99)


def _cures(known: Sequence[Held], like: _Likeness) -> list[Cure]:
    found: dict[tuple[str, ...], Cure] = {}
    for one in known:
        for mend in one.entry.mends:
            near = like.of(mend.error)
            if near < LEAST_SHARE:
                continue
            again = found.get((mend.error, *mend.done))
            found[mend.error, *mend.done] = (
                again.model_copy(update={"times": again.times + 1})
                if again
                else _cure(one, mend, near)
            )
    return sorted(found.values(), key=lambda each: -round(each.likeness, 1))


def _cure(one: Held, mend: Mend, near: float) -> Cure:
    made = [each for each in one.entry.changes if mend.failed < each.step <= mend.passed]
    return Cure(
        ref=one.span(mend.failed, mend.passed),
        at=one.at,
        project=one.project,
        error=mend.error,
        command=mend.command,
        done=tuple(_short(told, one) for told in mend.done),
        changes=tuple(map(one.change, made[-MOST_CHANGES:])),
        likeness=round(near, 2),
    )


def _short(told: str, one: Held) -> str:
    """Files below the project's folder are named from there."""
    for root in (one.row.cwd, one.row.project):
        if root:
            told = told.replace(f"{root.rstrip('/')}/", "")
    return told
