"""Reading: steps of a session as text within a room that they share; none stops those after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mcp_memory.archive import parts, shortening
from mcp_memory.archive.parts import Name, Part
from mcp_memory.archive.shortening import Find, Text, cost
from mcp_memory.domain.asked import Show
from mcp_memory.domain.models import Step

_MATCHED, _UNMATCHED = 3.0, 0.5
"""How much more a part weighs that holds what is asked, and how much less one that does not."""
_LEAST = {"said": 160, "called": 120}
"""Bytes that a part takes at least where it is shortened; anything else takes less."""
_ANY = 1e-9
"""What a step scores at least that holds anything of what is asked."""
_SEAM = 2
"""Bytes of the end of a line within JSON."""
MOST_WEAKER = 8
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
    scores: tuple[float, ...] = ()
    """How much of what is asked the best line of each piece holds."""

    @property
    def leasts(self) -> tuple[int, ...]:
        """What each piece takes in any case."""
        return tuple(
            min(most, _LEAST.get(piece.kind, shortening.LEAST))
            for most, piece in zip(self.costs, self.pieces, strict=True)
        )

    @property
    def frame(self) -> int:
        """What stands round its pieces."""
        return cost(self.head) + (2 + len(self.pieces)) * _SEAM

    @property
    def least(self) -> int:
        """What it takes in any case."""
        return self.frame + sum(self.leasts)

    @property
    def most(self) -> int:
        """What it takes where there is room."""
        return self.frame + sum(self.costs)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown of steps, what is looked for in them, and how paths are named."""

    show: Show = "everything"
    find: Find | None = None
    name: Name = str


def show(steps: Sequence[Step], asked: Asked, *, room: int) -> Shown:
    """Steps as text of at most `room` bytes of JSON, each shortened to its share.

    The first step is always in it. Where not all fit and some hold what is looked for, the others
    are folded; where even shortened ones do not fit, the text ends before them.
    """
    told = list(_told(steps, asked))
    if not told:
        return Shown(NOTHING if steps else "", steps[-1].number if steps else 0)
    telling = shortening.NEARLY * max((max(each.scores, default=0.0) for each in told), default=0.0)
    if telling and sum(each.most for each in told) > room:
        holding = _folded(told, _ANY)
        fits = sum(each.least for each in holding) <= room
        told = holding if fits else _folded(told, telling)
    kept = _fitting(told, room)
    if not kept:
        return Shown(_alone(steps, told[0], asked.name, room), told[0].number)
    texts = _shared(kept, room, asked.find, telling)
    last = kept[-1].number if len(kept) < len(told) else steps[-1].number
    return Shown("\n\n".join(texts), last)


def _told(steps: Sequence[Step], asked: Asked) -> Iterator[_Told]:
    before: Step | None = None
    for step in steps:
        pieces = tuple(parts.parts(step, asked.show, asked.name))
        if pieces or asked.show == "everything":
            yield _Told(
                parts.head(step, before),
                step.number,
                pieces,
                tuple(cost(piece.text) for piece in pieces),
                tuple(shortening.best(piece.text, asked.find) for piece in pieces),
            )
            before = step


def _folded(told: Sequence[_Told], telling: float) -> list[_Told]:
    """Runs of steps that hold nothing or little of what is asked, as one line each."""
    made: list[_Told] = []
    for matches, run in groupby(told, key=lambda each: max(each.scores, default=0.0) >= telling):
        steps = list(run)
        if matches:
            made += steps
        else:
            first, last = steps[0].number, steps[-1].number
            span = f"#{first}-{last}" if last > first else f"#{first}"
            made.append(_Told(f"[{span}: {_weaker(steps)}]", last))
    return made


def _weaker(folded: Sequence[_Told]) -> str:
    """That steps hold nothing of what is asked, or which of them hold less of it."""
    some = [f"#{each.number}" for each in folded if any(each.scores)]
    more = "\u2026" if len(some) > MOST_WEAKER else ""
    if len(folded) == 1 and some:
        return "less of it"
    return f"less of it in {' '.join(some[:MOST_WEAKER])}{more}" if some else "no match"


def _fitting(told: Sequence[_Told], room: int) -> list[_Told]:
    """The first steps that fit when each is as short as can be."""
    kept = []
    for each in told:
        room -= each.least
        if room < 0:
            break
        kept.append(each)
    return kept


def _alone(steps: Sequence[Step], told: _Told, name: Name, room: int) -> str:
    """A step that has too many parts for the room, as one text."""
    step = next(step for step in steps if step.number == told.number)
    text = Text(parts.whole(step, name), f"#{step.number}@")
    return f"{told.head}\n{shortening.shorten(text, room - cost(told.head) - _SEAM)}"


def _shared(told: Sequence[_Told], room: int, find: Find | None, telling: float) -> list[str]:
    pieces = [piece for each in told for piece in each.pieces]
    least = [one for each in told for one in each.leasts]
    costs = [one for each in told for one in each.costs]
    scores = [one for each in told for one in each.scores]
    weights = [
        piece.weight * ((_MATCHED if score >= telling else _UNMATCHED) if telling else 1.0)
        for piece, score in zip(pieces, scores, strict=True)
    ]
    wanted = [most - low for most, low in zip(costs, least, strict=True)]
    more = shortening.share(wanted, weights, room - sum(each.least for each in told))
    rooms = iter([low + extra for low, extra in zip(least, more, strict=True)])
    return [
        "\n".join((each.head, *(_short(p, each.number, next(rooms), find) for p in each.pieces)))
        for each in told
    ]


def _short(piece: Part, number: int, room: int, find: Find | None) -> str:
    return shortening.shorten(Text(piece.text, f"#{number}@", piece.at), room, find)
