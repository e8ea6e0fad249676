"""Shortening: texts that share a room: each its head, the lines that match, its end, and what is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mcp_memory.text import cutting, guard, wording

LEAST = 72
"""What a shortened text takes in any case: a few words, and where to read on."""
_GAP = "\n[…]\n"
_LINE_CHARS = 240
_BESIDE_CHARS = 120
"""Lines so short are told with the line before and the one after."""
_ONE_END = 200
"""In a room so small only the head is kept."""
_HEAD, _HEAD_MATCHED, _TAIL_MATCHED = 0.65, 0.25, 0.15
NEARLY = 0.6
"""A line tells when it holds so much of what the best one holds."""
Find = Callable[[str], tuple[float, int]]
"""How much of what is asked a line holds, and where it begins to."""


def cost(text: str) -> int:
    """The bytes of a text within compact JSON, made inert."""
    shown = guard.neutralise(text)
    return len(shown.encode("utf-8", "surrogatepass")) + sum(map(shown.count, '\n\t"\\'))


def share(costs: Sequence[float], weights: Sequence[float], room: float) -> list[int]:
    """Room for each: what it needs, or else its weight's part of what the modest leave over."""
    if sum(costs) <= room:
        return [int(each) for each in costs]
    order = sorted(range(len(costs)), key=lambda at: costs[at] / weights[at])
    left, heavy = max(room, 0.0), sum(weights)
    shares = [0] * len(costs)
    for at in order:
        shares[at] = int(min(costs[at], left * weights[at] / heavy)) if heavy > 0 else 0
        left -= shares[at]
        heavy -= weights[at]
    return shares


def finder(words: str) -> Find | None:
    """Finds lines by the words of a question; None where it has none."""
    terms = [(term.casefold(), 0.2 + wording.weight(term)) for term in wording.informative(words)]
    if not terms:
        return None

    def find(line: str) -> tuple[float, int]:
        low = line.casefold()
        held = [(wording.held(term, low) * weight, low.find(term)) for term, weight in terms]
        places = [place for score, place in held if score and place >= 0]
        return sum(score for score, _ in held), min(places, default=0)

    return find


@dataclass(frozen=True, slots=True)
class Text:
    """A text that may have to be shortened."""

    text: str
    ref: str
    """`#12@`: what the place of a gap is told by."""
    at: int = 0
    """Where it begins in what the ref counts in."""

    def gap(self, begin: int, missing: int) -> str:
        """What stands in the place of the first gap."""
        return f"\n[… {missing:,} more: {self.ref}{self.at + begin} …]\n"


def best(text: str, find: Find | None) -> float:
    """How much of what is asked the best of its lines holds."""
    return max((find(line)[0] for line in text.splitlines()), default=0.0) if find else 0.0


def shorten(told: Text, room: int, find: Find | None = None) -> str:
    """The text within a room of so many bytes, or of the least; whole where it fits."""
    text = told.text
    if len(text) <= room and cost(text) <= room:
        return text
    room = max(room, LEAST) - cost(told.gap(len(text), len(text)))
    found = _matching(text, find) if find else []
    if room < _ONE_END and not found:
        kept = [(0, prefix(text, room))]
    else:
        first, last = (_HEAD_MATCHED, _TAIL_MATCHED) if found else (_HEAD, 1 - _HEAD)
        begin, end = prefix(text, int(room * first), room), suffix(text, int(room * last), room)
        kept = [(0, begin), *_picked(text, found, (begin, end), room), (end, len(text))]
    return _composed(told, sorted(kept))


def prefix(text: str, room: int, whole: int = 0) -> int:
    """Where the head of a text ends that fits: at the end of a line if one is near, else of a word.

    A word is cut only where it is longer than the whole room, of which this may be a part.
    """
    end = _fitting(room, min(len(text), max(room, 0)), lambda n: text[:n])
    if end >= len(text):
        return end
    line = text.rfind("\n", 0, end + 1)
    return line if line > end * 0.6 else cutting.end(text, end, whole)


def suffix(text: str, room: int, whole: int = 0) -> int:
    """Where the end of a text begins that fits: with a line if one is near, else with a word."""
    kept = _fitting(room, min(len(text), max(room, 0)), lambda n: text[len(text) - n :])
    begin = len(text) - kept
    if begin <= 0:
        return 0
    line = text.find("\n", begin - 1)
    return line + 1 if 0 <= line < begin + kept * 0.4 else cutting.begin(text, begin, whole)


def _fitting(room: int, most: int, piece: Callable[[int], str]) -> int:
    """The longest piece of at most so many characters whose bytes fit."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if cost(piece(middle)) <= room:
            least = middle
        else:
            most = middle - 1
    return least


def _matching(text: str, find: Find) -> list[tuple[float, int, int]]:
    """Lines that hold what is asked: how much of it, and where they stand; long ones cut round it."""
    lines = text.splitlines(keepends=True)
    begins = [0, *accumulate(map(len, lines))]
    found = []
    for at, line in enumerate(lines):
        score, place = find(line)
        if score:
            first, last = around(line.rstrip(), place)
            shown = (begins[at] + first, begins[at] + last)
            found.append((score, *_beside(lines, begins, at, shown)))
    least = NEARLY * max((score for score, _, _ in found), default=0.0)
    return sorted((f for f in found if f[0] >= least), key=lambda each: (-each[0], each[1]))


def _beside(
    lines: Sequence[str], begins: Sequence[int], at: int, shown: tuple[int, int]
) -> tuple[int, int]:
    """What is shown of a line, with the lines before and after it where all are short: code is read so."""
    first, last = shown
    if len(lines[at]) > _BESIDE_CHARS:
        return shown
    if at and len(lines[at - 1]) <= _BESIDE_CHARS:
        first = begins[at - 1]
    if at + 1 < len(lines) and len(lines[at + 1]) <= _BESIDE_CHARS:
        last = begins[at + 1] + len(lines[at + 1].rstrip())
    return first, last


def around(line: str, place: int, chars: int = _LINE_CHARS) -> tuple[int, int]:
    """What is shown of a long line: from which word to which, about a place in it."""
    if len(line) <= chars:
        return 0, len(line)
    raw = max(0, min(place - chars // 3, len(line) - chars))
    begins = (cutting.begin(line, raw), cutting.edge(line, raw), raw)
    first = next(begin for begin in begins if begin <= max(place, raw))
    last = cutting.end(line[first:], chars) + first
    return first, last if last > place else first + chars


def _picked(
    text: str, found: Sequence[tuple[float, int, int]], between: tuple[int, int], room: int
) -> list[tuple[int, int]]:
    """The matching lines in the middle that fit beside head and end, best first."""
    begin, end = between
    left = room - cost(text[:begin]) - cost(text[end:])
    kept = []
    for _, *place in found:
        first, last = max(place[0], begin), min(place[1], end)
        price = cost(text[first:last]) + cost(_GAP)
        if first < last and price <= left:
            kept.append((first, last))
            left -= price
    return kept


def _composed(told: Text, kept: Sequence[tuple[int, int]]) -> str:
    """The pieces that are kept, the first gap with all that is missing and its place."""
    joined: list[tuple[int, int]] = []
    for first, last in kept:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        elif first < last:
            joined.append((first, last))
    missing = len(told.text) - sum(last - first for first, last in joined)
    out, place, named = "", 0, False
    for first, last in [*joined, (len(told.text), len(told.text))]:
        if first > place:
            out = out.rstrip("\n") + (_GAP if named else told.gap(place, missing))
            named = True
        out += told.text[first:last].lstrip("\n") if named else told.text[first:last]
        place = last
    return out.strip("\n")
