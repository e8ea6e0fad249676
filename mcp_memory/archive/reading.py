"""Reading: steps of a session as text within a room that they share; none stops those after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.archive import parts, shortening
from mcp_memory.archive.parts import Part
from mcp_memory.archive.shortening import Find, Text, cost
from mcp_memory.domain.asked import Show
from mcp_memory.domain.models import Step

_RETURNED = 300
"""Bytes of what came back from one call, where calls are asked for."""
_MATCHED, _UNMATCHED = 3.0, 0.5
"""How much more a part weighs that holds what is asked, and how much less one that does not."""
_SEAM = 2
"""Bytes of the end of a line within JSON."""
NOTHING = "Nothing of that kind in these steps."


@dataclass(frozen=True, slots=True)
class Shown:
    """Steps as text, and the last that is in it; 0 where there was none."""

    text: str
    last: int


@dataclass(frozen=True, slots=True)
class _Told:
    """A step as it stands in the answer, or several that hold nothing of what is asked."""

    head: str
    number: int
    pieces: tuple[Part, ...] = ()
    costs: tuple[int, ...] = ()
    """What each piece takes where there is room."""
    hits: tuple[bool, ...] = ()

    @property
    def frame(self) -> int:
        """What stands round its pieces."""
        return cost(self.head) + (2 + len(self.pieces)) * _SEAM

    @property
    def least(self) -> int:
        """What it takes in any case."""
        return self.frame + sum(min(each, shortening.LEAST) for each in self.costs)

    @property
    def most(self) -> int:
        """What it takes where there is room."""
        return self.frame + sum(self.costs)


def show(
    steps: Sequence[Step], *, room: int, show: Show = "everything", find: Find | None = None
) -> Shown:
    """Steps as text of at most `room` bytes of JSON, each shortened to its share.

    The first step is always in it. Where not all fit and some hold what is looked for, the others
    are folded; where even shortened ones do not fit, the text ends before them.
    """
    told = list(_told(steps, show, find))
    if not told:
        return Shown(NOTHING if steps else "", steps[-1].number if steps else 0)
    if sum(each.most for each in told) > room and any(any(each.hits) for each in told):
        told = _folded(told)
    kept = _fitting(told, room)
    if not kept:
        return Shown(_alone(steps, told[0], room), told[0].number)
    texts = _shared(kept, room, find)
    last = kept[-1].number if len(kept) < len(told) else steps[-1].number
    return Shown("\n\n".join(texts), last)


def _told(steps: Sequence[Step], show: Show, find: Find | None) -> Iterator[_Told]:
    before: Step | None = None
    for step in steps:
        pieces = tuple(parts.parts(step, show))
        if pieces or show == "everything":
            hits = tuple(bool(find and find(piece.text)[0]) for piece in pieces)
            costs = tuple(_cost(piece, show) for piece in pieces)
            yield _Told(parts.head(step, before), step.number, pieces, costs, hits)
            before = step


def _cost(piece: Part, show: Show) -> int:
    brief = show == "calls" and piece.kind == "returned"
    return min(cost(piece.text), _RETURNED) if brief else cost(piece.text)


def _folded(told: Sequence[_Told]) -> list[_Told]:
    """Runs of steps that hold nothing of what is asked, as one line each."""
    made: list[_Told] = []
    run: list[_Told] = []
    for each in (*told, None):
        if each is not None and not any(each.hits):
            run.append(each)
            continue
        if run:
            span = f"#{run[0].number}" + (f"-{run[-1].number}" if len(run) > 1 else "")
            made.append(_Told(f"[{span}: no match]", run[-1].number))
            run = []
        if each is not None:
            made.append(each)
    return made


def _fitting(told: Sequence[_Told], room: int) -> list[_Told]:
    """The first steps that fit when each is as short as can be."""
    kept = []
    for each in told:
        room -= each.least
        if room < 0:
            break
        kept.append(each)
    return kept


def _alone(steps: Sequence[Step], told: _Told, room: int) -> str:
    """A step that has too many parts for the room, as one text."""
    step = next(step for step in steps if step.number == told.number)
    text = Text(parts.whole(step), f"#{step.number}@")
    return f"{told.head}\n{shortening.shorten(text, room - cost(told.head) - _SEAM)}"


def _shared(told: Sequence[_Told], room: int, find: Find | None) -> list[str]:
    pieces = [piece for each in told for piece in each.pieces]
    costs = [one for each in told for one in each.costs]
    hits = [hit for each in told for hit in each.hits]
    matched = any(hits)
    least = [min(one, shortening.LEAST) for one in costs]
    wanted = [one - low for one, low in zip(costs, least, strict=True)]
    weights = [
        piece.weight * ((_MATCHED if hit else _UNMATCHED) if matched else 1.0)
        for piece, hit in zip(pieces, hits, strict=True)
    ]
    more = shortening.share(wanted, weights, room - sum(each.least for each in told))
    rooms = iter([low + extra for low, extra in zip(least, more, strict=True)])
    return [
        "\n".join((each.head, *(_short(p, each.number, next(rooms), find) for p in each.pieces)))
        for each in told
    ]


def _short(piece: Part, number: int, room: int, find: Find | None) -> str:
    return shortening.shorten(Text(piece.text, f"#{number}@", piece.at), room, find)
