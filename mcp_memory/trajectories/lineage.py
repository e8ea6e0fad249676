"""Lineage: by which steps a session is known as a copy, a fork or a later state of another; pure."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from mcp_memory.domain import refs
from mcp_memory.domain.models import Step

WIDTH = 20
_AT, _HEAD, _PLAIN, _WEIGHT = slice(1, 6), slice(6, 11), slice(11, 17), slice(17, 20)
_BLANK = "."
_COARSE = "~"
"""How a time begins that has no fraction of a second: alone it proves nothing."""
_HEAD_CHARS = 120
_OPENING = 4
"""Steps of a session's beginning by which it is looked up."""
_SAMPLED = frozenset("ABCD")
"""Of the others one in sixteen: by the first letter of their digest."""
_AHEAD, _OWN_WAY = 200, 12
_TELLING = 40
"""Characters of an agent's message that no second session writes in the same words by chance."""
_LEAST_GONE = 200
"""Characters less of a step that are more than another way of reading it."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_KINDS = {"user": "u", "agent": "a", "system": "s", "summary": "m", "boot": "b"}
TAKEN = "t"
"""The kind of a step that its host took back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a step is known again by, without its words."""

    text: str

    @property
    def kind(self) -> str:
        """Its kind's letter, or `TAKEN`."""
        return self.text[0]

    @property
    def held(self) -> bool:
        """Whether the session holds the step itself: it was not purged, nor is it another's."""
        return self.text[11] != _BLANK

    @property
    def strong(self) -> str:
        """Time and content together: the same event wherever it is written. Empty without either."""
        known = self.text[1] != _BLANK and self.held
        return self.text[_AT] + self.text[_PLAIN] if known else ""

    @property
    def exact(self) -> bool:
        """Whether its time is told to a fraction of a second."""
        return self.text[1] not in (_BLANK, _COARSE)

    @property
    def plain(self) -> str:
        """Its content alone."""
        return self.text[_PLAIN]

    @property
    def weight(self) -> int:
        """About how many characters it says."""
        return _number(self.text[_WEIGHT])

    def same_place(self, other: "Mark") -> bool:
        """Whether two readings of a session mean the same step: by time, or how it begins."""
        mine, its = self.text, other.text
        by_time = mine[1] != _BLANK and mine[_AT] == its[_AT]
        by_words = mine[6] != _BLANK and mine[_HEAD] == its[_HEAD]
        return by_time or by_words or (not self.held and not other.held)


def marks_of(steps: Iterable[Step]) -> str:
    """The marks of a session's steps in order."""
    return "".join(map(_mark, steps))


def blanked(marks: str, away: Iterable[int], *, opening: bool = True) -> str:
    """The marks with those of some steps told by place and time only; at most how they begin."""
    parts = [marks[at : at + WIDTH] for at in range(0, len(marks), WIDTH)]
    told = _HEAD.stop if opening else _AT.stop
    for number in away:
        if number <= len(parts):
            parts[number - 1] = parts[number - 1][:told].ljust(WIDTH, _BLANK)
    return "".join(parts)


def split(marks: str) -> list[Mark]:
    """The marks of each step."""
    return [Mark(marks[at : at + WIDTH]) for at in range(0, len(marks) - WIDTH + 1, WIDTH)]


def pointer(why: str) -> bool:
    """Whether a step is not shown because another session holds it: `why` is its ref there."""
    return why.startswith("t:")


class Kin:
    """Sessions by their steps: finds those that a session repeats."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._marks: dict[str, str] = {}
        self._anchors: dict[str, str] = {}
        for id_, marks in known.items():
            self.add(id_, marks)

    def add(self, id_: str, marks: str) -> None:
        """Know a session, or know more of it."""
        self._marks[id_] = marks
        for anchor in _anchors(split(marks)):
            self._anchors.setdefault(anchor, id_)

    def shared(self, id_: str, marks: str, declared: str = "") -> dict[int, str]:
        """Number of each step that another session holds to its ref there.

        Two events that are the same in time and content prove a copy, or one whose time is exact.
        Of a session that says what it goes on from, and of one that opens in the very words of an
        agent's two messages, the beginning is compared by content alone: hosts write new times.
        """
        own = split(marks)
        found: dict[int, str] = {}
        for other in self._candidates(id_, own, declared):
            theirs = split(self._marks[other])
            for number, there in _repeats(own, theirs, declared=other == declared).items():
                found.setdefault(number, refs.span(other, there))
        return found

    def _candidates(self, id_: str, own: Sequence[Mark], declared: str) -> list[str]:
        hits = Counter(
            other for anchor in _anchors(own) if (other := self._anchors.get(anchor, id_)) != id_
        )
        if declared in self._marks and declared != id_:
            hits[declared] += len(own)
        return [other for other, _ in sorted(hits.items(), key=lambda hit: (-hit[1], hit[0]))]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a new reading of a session lies over what is kept of it."""

    numbers: tuple[int, ...]
    """For each step of the new reading, its number: the former one, or one never used before."""
    left: tuple[int, ...] = field(default=())
    """Numbers of former steps that the new reading lacks."""
    poorer: frozenset[int] = frozenset()
    """Numbers of steps of which the new reading holds clearly less."""

    @property
    def plain(self) -> bool:
        """Whether the session only grew: nothing is to be kept that the new reading lacks."""
        return (
            not self.left
            and not self.poorer
            and self.numbers == tuple(range(1, len(self.numbers) + 1))
        )


def aligned(before: Sequence[Mark], now: Sequence[Mark]) -> Alignment:
    """Lay a new reading over the former: by place where it fits, else by time or beginning."""
    numbers: list[int] = []
    used: set[int] = set()
    by_time, by_words = _places(before, _AT), _places(before, _HEAD)
    fresh = len(before)
    for place, mark in enumerate(now):
        number = place + 1 if place < len(before) and mark.same_place(before[place]) else 0
        number = number if number and number not in used else 0
        number = number or _unused(by_time.get(mark.text[_AT]), used)
        number = number or _unused(by_words.get(mark.text[_HEAD]), used)
        if not number:
            fresh += 1
            number = fresh
        used.add(number)
        numbers.append(number)
    left = tuple(n for n in range(1, len(before) + 1) if n not in used)
    poorer = frozenset(
        number
        for number, mark in zip(numbers, now, strict=True)
        if number <= len(before) and _poorer(mark, before[number - 1])
    )
    return Alignment(tuple(numbers), left, poorer)


def root_of(session: str, links: Mapping[str, str]) -> str:
    """The session that one counts with: sub-agents with their parent, copies with their original.

    `links` leads from a session to the one it comes from. Of a circle, which only damaged records
    make, the least id is the root.
    """
    way = [session]
    while (above := links.get(way[-1], "")) and above not in way:
        way.append(above)
    return min(way[way.index(above) :]) if above else way[-1]


def _mark(step: Step) -> str:
    kind = TAKEN if step.taken_back else _KINDS[step.kind]
    if step.at is None:
        at = _BLANK * 5
    else:
        moment = step.at.astimezone(UTC)
        at = _digest(moment.isoformat().encode(), 5)
        at = at if moment.microsecond else _COARSE + at[1:]
    opening = step.text[:_HEAD_CHARS] or step.reasoning[:_HEAD_CHARS]
    opening = opening or next((f"{call.name} {call.id}" for call in step.calls), "")
    head = _digest(f"{kind}{opening}".encode("utf-8", "replace"), 5) if opening else _BLANK * 5
    told = list(_told(step))
    weight = sum(map(len, told))
    plain = _digest("\0".join(told).encode("utf-8", "replace"), 6) if weight else _BLANK * 6
    return f"{kind}{at}{head}{plain}{_letters(weight)}"


def _told(step: Step) -> Iterator[str]:
    """All that a step says, save ids: hosts that copy a session may write new ones."""
    yield from (step.text, step.reasoning)
    for call in step.calls:
        yield f"{call.name}\n{call.command or sorted(call.arguments.items())}"
    for seen in step.observations:
        yield seen.text


def _digest(content: bytes, letters: int) -> str:
    raw = hashlib.blake2b(content, digest_size=6).digest()
    return base64.urlsafe_b64encode(raw).decode()[:letters]


def _letters(number: int) -> str:
    capped = min(number, 64**3 - 1)
    return "".join(_LETTERS[(capped >> shift) & 63] for shift in (12, 6, 0))


def _number(letters: str) -> int:
    return (
        0
        if letters[0] == _BLANK
        else sum(
            _LETTERS.index(letter) << shift
            for letter, shift in zip(letters, (12, 6, 0), strict=True)
        )
    )


def _anchors(marks: Sequence[Mark]) -> Iterator[str]:
    """By what a session is looked up: some of its events, and how it opens."""
    strong = [mark.strong for mark in marks if mark.strong]
    yield from strong[:_OPENING]
    yield from (each for each in strong[_OPENING:] if each[5] in _SAMPLED)
    if (opened := _opened(marks)) is not None:
        yield "=" + _digest("".join(mark.plain for mark in marks[:opened]).encode(), 8)


def _opened(marks: Sequence[Mark]) -> int | None:
    """How many steps it takes until an agent has said two things at length."""
    said = [n for n, mark in enumerate(marks, 1) if mark.kind == "a" and mark.weight >= _TELLING]
    if len(said) <= 1 or not all(mark.held for mark in marks[: said[1]]):
        return None
    return said[1]


def _repeats(own: Sequence[Mark], theirs: Sequence[Mark], *, declared: bool) -> dict[int, int]:
    held = {mark.strong: n for n, mark in reversed(list(enumerate(theirs, 1))) if mark.strong}
    same = {n: held[m.strong] for n, m in enumerate(own, 1) if m.strong and m.strong in held}
    said = [n for n in same if own[n - 1].kind in "ua"]
    proven = len(said) > 1 or any(own[n - 1].exact for n in said)
    run = _followed(own, theirs) if declared else _run(own, theirs)
    opened = _opened(own)
    if not declared and (opened is None or len(run) < opened):
        run = {}
    if not proven:
        same = {}
    return {**run, **same}


def _followed(own: Sequence[Mark], theirs: Sequence[Mark]) -> dict[int, int]:
    """How far a session that says so repeats the other; a step may be told otherwise now and then.

    Ends where the session goes its own way: with so many steps of its own, one after another.
    """
    places: dict[str, list[int]] = {}
    for number, mark in enumerate(theirs, 1):
        if mark.held:
            places.setdefault(mark.plain, []).append(number)
    run: dict[int, int] = {}
    there = missed = 0
    for number, mark in enumerate(own, 1):
        later = (n for n in places.get(mark.plain, ()) if n > there)
        found = next(later, 0) if mark.held else 0
        if found and found - there <= _AHEAD:
            run[number] = there = found
            missed = 0
        else:
            missed += mark.held
        if missed > _OWN_WAY:
            break
    return run


def _run(own: Sequence[Mark], theirs: Sequence[Mark]) -> dict[int, int]:
    """How far two sessions begin with the same contents; what the host puts first may differ."""
    place: dict[str, int] = {}
    for number, mark in enumerate(theirs, 1):
        if mark.held:
            place.setdefault(mark.plain, number)
    first = next((n for n, m in enumerate(own, 1) if m.held and m.plain in place), None)
    if first is None:
        return {}
    run: dict[int, int] = {}
    there = place[own[first - 1].plain]
    for number in range(first, len(own) + 1):
        mark = own[number - 1]
        if there > len(theirs) or not mark.held or mark.plain != theirs[there - 1].plain:
            break
        run[number] = there
        there += 1
    return run


def _places(marks: Sequence[Mark], part: slice) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, mark in enumerate(marks, 1):
        if mark.text[part.start] != _BLANK:
            found.setdefault(mark.text[part], []).append(number)
    return found


def _unused(places: Sequence[int] | None, used: set[int]) -> int:
    return next((number for number in places or () if number not in used), 0)


def _poorer(now: Mark, before: Mark) -> bool:
    """Whether the host has shortened a step; a few characters are another reading of it."""
    gone = before.weight - now.weight
    return before.held and now.held and gone > _LEAST_GONE and gone * 5 > before.weight
