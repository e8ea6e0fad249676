"""Experience: what the team's sessions say of an error, a purpose or a file, beside this machine's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from mcp_memory.domain import teams
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import Frozen
from mcp_memory.domain.refs import session_of
from mcp_memory.remote import advice, merging, others
from mcp_memory.rooms import Rooms
from mcp_memory.search.named.blame import Blame, Blamed
from mcp_memory.search.named.fix import MOST_LEARNED, MOST_MET, Cure, Fixed, Met, nearest_first
from mcp_memory.search.named.how import Way, Ways
from mcp_memory.text import cutting, guard
from mcp_memory.text.counting import counted

KINDS: Mapping[teams.Told, type[Frozen]] = {"fix": Fixed, "how": Ways, "blame": Blame}
MOST_TEXT = 4_000
"""Characters of one text that are taken over."""
_NEVER = datetime.min.replace(tzinfo=UTC)

Experience = TypeVar("Experience", Fixed, Ways, Blame)
Told = TypeVar("Told", Cure, Met, Way, Blamed)


def noted(told: Experience, *notes: str) -> Experience:
    """An answer with something to be said of it."""
    return told.model_copy(update={"notes": (*told.notes, *notes)}) if notes else told


class _Theirs:
    """What this machine does not know itself and may tell, of what the team's bank told."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.held = 0

    async def new(self, told: Sequence[Told]) -> list[Told]:
        """Records as a colleague's words."""
        known = await others.known_here(self.rooms, [one.ref for one in told])
        trusting = self.rooms.trusting()
        kept = []
        for one in told:
            if not others.spelled(one.ref) or one.ref in known:
                continue
            if others.withheld((one.ref,), "\n".join(_texts(one)), trusting):
                self.held += 1
            else:
                kept.append(_neutral(one).model_copy(update={"origin": "team", "ref": one.ref}))
        return kept


async def beside(rooms: Rooms, own: Experience, theirs: Experience, limit: int) -> Experience:
    """One's own answer with what the team knows more, labelled; what is held back is counted."""
    found = _Theirs(rooms)
    made: Any = own
    if isinstance(own, Fixed) and isinstance(theirs, Fixed):
        made = await _fixed(found, own, theirs, limit)
    elif isinstance(own, Ways) and isinstance(theirs, Ways):
        made = await _worked(found, own, theirs, limit)
    elif isinstance(own, Blame) and isinstance(theirs, Blame):
        made = await _blamed(found, own, theirs, limit)
    if any(one.origin for one in _records(made)):
        made = made.model_copy(update={"notes": others.fitting(made.notes)})
    held = f"{counted(found.held, 'record')} of the team's bank held back: of unsure origin."
    told: Experience = noted(made, *([held] if found.held else ()))
    return told


def _records(told: Fixed | Ways | Blame) -> Sequence[Cure | Hit | Met | Way | Blamed]:
    match told:
        case Fixed():
            return (*told.cures, *told.learned, *told.met)
        case Ways():
            return told.ways
        case Blame():
            return told.sessions


async def _fixed(found: _Theirs, own: Fixed, theirs: Fixed, limit: int) -> Fixed:
    done = {(cure.error, cure.done) for cure in own.cures}
    cures = [cure for cure in await found.new(theirs.cures) if (cure.error, cure.done) not in done]
    met = await found.new(theirs.met)
    refs = [cure.ref for cure in cures if cure.likeness >= 1]
    refs += [one.ref for one in met if one.likeness >= 1]
    said = [_words(hit.text) for hit in own.learned]
    fit = await others.fit(found.rooms, SearchResult(found=True, hits=theirs.learned))
    learned = [hit for hit in fit.hits if not any(merging.same(_words(hit.text), w) for w in said)]
    return own.model_copy(
        update={
            # One's own before the team's that is as much alike.
            "cures": tuple(nearest_first((*own.cures, *cures))[:limit]),
            "learned": (*own.learned, *learned)[:MOST_LEARNED],
            "met": tuple(nearest_first((*own.met, *met))[:MOST_MET]),
            "sessions": own.sessions + len(set(map(session_of, refs))),
            "notes": (*own.notes, *fit.notes),
        }
    )


async def _worked(found: _Theirs, own: Ways, theirs: Ways, limit: int) -> Ways:
    said = {way.command for way in own.ways}
    new = [way for way in await found.new(theirs.ways) if way.command not in said]
    return own.model_copy(update={"ways": (*advice.woven(own.ways, new),)[:limit]})


async def _blamed(found: _Theirs, own: Blame, theirs: Blame, limit: int) -> Blame:
    new = await found.new(theirs.sessions)
    every = sorted((*own.sessions, *new), key=lambda one: one.at or _NEVER, reverse=True)
    files = {*own.files, *(_said(file) for file in theirs.files)} if new else {*own.files}
    more = own.more + (theirs.more if new else 0) + max(0, len(every) - limit)
    return own.model_copy(
        update={"sessions": tuple(every[:limit]), "files": tuple(sorted(files)), "more": more}
    )


def _texts(told: BaseModel) -> Iterator[str]:
    """All that a record says."""
    for name in type(told).model_fields:
        for value in _each(getattr(told, name)):
            if isinstance(value, BaseModel):
                yield from _texts(value)
            elif isinstance(value, str):
                yield value


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, tuple) else (value,)


def _neutral(told: Any) -> Any:
    """The same with every text as data, and bounded."""
    if isinstance(told, tuple):
        return tuple(map(_neutral, told))
    if isinstance(told, BaseModel):
        named = type(told).model_fields
        return told.model_copy(update={name: _neutral(getattr(told, name)) for name in named})
    return _said(told) if type(told) is str else told


def _said(text: str) -> str:
    return cutting.head(guard.neutralise(text), MOST_TEXT)


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()
