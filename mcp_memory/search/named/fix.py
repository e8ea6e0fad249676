"""fix: what was done before after an error, where the same command went well later."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

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
LEAST_CHARS, LEAST_WORDS = 6, 2
"""An error that holds so much of what was asked for, beside each other or word by word, is that."""
_PLACE = re.compile(r"^\S+?(?::N|\(N\)):?\s+")
"""Where an error lies, in a folded one: the same error in another file is the same."""
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
    """1: the error that was asked for, or one that holds all that was; less: so much of its words."""
    times: int = 1
    """How many sessions mended it so."""


class Met(Frozen):
    """A session that met the error; how it was mended is not known."""

    ref: str
    at: datetime | None = None
    origin: Origin = ""
    error: str
    likeness: float = 1.0
    """As of a cure."""


Told = TypeVar("Told", Cure, Met)


def nearest_first(told: Iterable[Told]) -> list[Told]:
    """The error that was asked for before those that are near it, and these as near as they are."""
    return sorted(told, key=lambda one: (one.likeness < 1, -round(one.likeness, 1)))


class Fixed(Frozen):
    """What is known of an error: cures, what was learned, and where else it was met."""

    error: str
    cures: tuple[Cure, ...] = ()
    learned: tuple[Hit, ...] = ()
    met: tuple[Met, ...] = ()
    sessions: int = 0
    """How many sessions met the error itself."""
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the error itself was met, and not only one that is near it."""
        near = [*(one.likeness for one in self.cures), *(one.likeness for one in self.met)]
        return max(near, default=0.0) >= 1


async def fix(rooms: Rooms, error: str, *, project: str | None = None, limit: int = 5) -> Fixed:
    """The cures of an error, most alike first, then the newest; memories of it; where it was met."""
    known, notes = await held(rooms, project)
    like = _Likeness(error, known)
    cures = _cures(known, like)
    met = [
        Met(ref=one.span(each.steps[-1]), at=one.at, error=each.name, likeness=near)
        for one in known
        for each in one.entry.errors
        if (near := like.of(each.name)) >= LEAST_SHARE
    ]
    query = Query(texts=(error[:2_000],), kinds=LEARNED, project=project, limit=MOST_LEARNED)
    learned = await search(rooms, query)
    mended = {each.ref.partition("#")[0] for each in cures}
    open_ = nearest_first(each for each in met if each.ref.partition("#")[0] not in mended)
    once = {each.ref: each for each in reversed(open_)}
    return Fixed(
        error=error,
        cures=tuple(cures[:limit]),
        learned=learned.hits if learned.found else (),
        met=tuple(each for each in open_ if once[each.ref] is each)[:MOST_MET],
        sessions=len({each.ref.partition("#")[0] for each in met if each.likeness >= 1}),
        notes=notes,
    )


class _Likeness:
    """How alike the error of a question is to one that was met."""

    def __init__(self, error: str, known: Sequence[Held]) -> None:
        self._same = {*signatures.errors(error), *signatures.named_errors(error)}
        whole = [signatures.fold(error)] if "\n" not in error.strip() else sorted(self._same)
        self._parts = [_PLACE.sub("", each).casefold() for each in whole]
        self._same |= {signatures.fold(line) for line in error.splitlines() if line.strip()}
        named = " ".join(sorted(self._same)) if "\n" in error.strip() else error
        texts = {each.name for one in known for each in one.entry.errors}
        self._told = rarities(wording.informative(named), texts)
        self._few = len(self._told) < LEAST_WORDS
        self._known: dict[str, float] = {}

    def of(self, name: str) -> float:
        """1 for what was asked for; else the share of its words, the rare ones counting more.

        That is the same signature, one that holds the words of the question beside each other
        wherever it lies, or one that holds all of them.
        """
        if name in self._same or self._holds(name):
            return 1.0
        if name not in self._known:
            # A word that no error has still was asked for: what lacks it is less like it.
            self._known[name] = share({w: much or 6.0 for w, much in self._told.items()}, name)
        return min(self._known[name], 0.99) if self._known[name] < 1 or self._few else 1.0

    def _holds(self, name: str) -> bool:
        """Whether a signature holds the words of the question as they stand there."""
        low = name.casefold()
        return any(
            part in low and re.search(rf"(?<!\w){re.escape(part)}(?!\w)", low)
            for part in self._parts
            if len(part) >= LEAST_CHARS
        )


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
    return nearest_first(found.values())


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
        likeness=round(near, 2) if near < 1 else 1.0,
    )


def _short(told: str, one: Held) -> str:
    """Files below the project's folder are named from there."""
    for root in (one.row.cwd, one.row.project):
        if root:
            told = told.replace(f"{root.rstrip('/')}/", "")
    return told
