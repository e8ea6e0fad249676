"""Telling: how much of a question each passage tells, by its words, and which passages fit an answer."""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, groupby

from mcp_memory.search.passages import Kind, Passage
from mcp_memory.text import wording

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_WORD = re.compile(r"[^\W_]{3,}|\d+")
_ENDINGS = (
    "ations", "ation", "ings", "ing", "edly", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "e",
)  # fmt: skip
LEAST_STEM, MOST_SUFFIX = 3, 6
SATURATION = 1.2
NAMED = 3
"""Of so many parts a name counts as a word of its own, beside its parts."""
HEAD_SHARE = 0.3
"""What a word in a passage's head counts beside one in its text."""
TELLS: Mapping[Kind, float] = {
    "said": 0.2, "memory": 0.2, "ran": 0.05, "edit": 0.0,
    "argument": -0.05, "output": -0.1, "thought": -0.1, "read": -0.15,
}  # fmt: skip
"""What is told in words tells more than what was read: chosen on half of 80 questions, asked as a
person, an agent, and an agent in two wordings asks them."""
RANKED = 0.6
"""What the rank of its record counts for a passage."""
LIKE, COMPARED = 1.0, 40
"""What the cosine of question and passage counts beside the words that they share, and of how many."""
AGAIN = 0.3
"""What a word counts less that the answer holds already."""
SAME = 0.6
"""A passage of which more than this share of the words is told already says the same again."""
OWN_NEW = 0.5
"""Unless so much of what it says beside the question's words is new: an answer repeats the question."""
LONG_LINE = 30
"""A line of so many characters that is told already is not told again."""
GAP = "\u2026"
POOL, MOST_OF_ONE = 60, 4
"""How many passages are chosen from, and how many of one record are shown at most."""


@dataclass(frozen=True, slots=True)
class Told:
    """A passage of a record, with how much of the question it tells."""

    record: int
    """Which of the records it is of."""
    place: int
    """Which of the record's passages it is."""
    passage: Passage
    score: float
    terms: frozenset[str]


def stem(word: str) -> str:
    """The word without an English ending; what is short or has a digit stays whole."""
    low = word.casefold()
    if not low.isascii() or not low.isalpha():
        return low
    for ending in _ENDINGS:
        if low.endswith(ending) and len(low) - len(ending) >= LEAST_STEM:
            return low[: -len(ending)]
    return low


@lru_cache(64)
def sought(question: str) -> tuple[str, ...]:
    """The stems of the words that say what is looked for, names in their parts.

    Some names are looked for as they are, too: what has a digit, as the parts of `0.7.0` and `e3b0c4`
    say nothing, and what has many parts, as it is seldom spelled by chance.
    """
    terms = wording.informative(question)
    parts = {term: _PART.findall(term) for term in terms}
    words = (part for term in terms for part in parts[term])
    made = [stem(word) for word in words if word.casefold() not in wording.ASKING_WORDS]
    made += [term.casefold() for term in terms if _spelled(term, len(parts[term]))]
    return tuple(dict.fromkeys(one for one in made if len(one) > 1 or not one.isascii()))


def _spelled(term: str, parts: int) -> bool:
    named = parts >= NAMED and term.replace("_", "").isalnum()
    return named or any(map(str.isdigit, term))


def tell(
    stems: Sequence[str], records: Sequence[Sequence[Passage]], ranks: Sequence[float]
) -> list[Told]:
    """The passages that hold anything of the question, most telling first; ties in their order.

    Words count as in BM25, by how few of these passages hold them; a record's `rank` is 0 to 1.
    """
    every = [
        (record, place, passage)
        for record, cut in enumerate(records)
        for place, passage in enumerate(cut)
    ]
    texts = _counted([p.text for _, _, p in every], stems)
    heads = _counted([p.head for _, _, p in every], stems)
    weights = [_rarity(len(every), len(found)) for found in texts]
    whole = math.fsum(weights) or 1.0
    average = sum(len(p.text) for _, _, p in every) / max(1, len(every)) or 1.0
    held: dict[int, dict[str, float]] = {}
    for one, weight, found, above in zip(stems, weights, texts, heads, strict=True):
        for at, count in found.items():
            long = 0.25 + 0.75 * len(every[at][2].text) / average
            much = count * (SATURATION + 1) / (count + SATURATION * long)
            held.setdefault(at, {})[one] = weight * much / whole
        for at in above.keys() - found.keys():
            held.setdefault(at, {})[one] = HEAD_SHARE * weight / whole
    made = []
    for at, terms in held.items():
        record, place, passage = every[at]
        if not any(at in found for found in texts):
            continue
        score = math.fsum(terms.values()) + RANKED * ranks[record] + TELLS[passage.kind]
        made.append(Told(record, place, passage, score, frozenset(terms)))
    return sorted(made, key=lambda one: (-one.score, one.record, one.place))


def untold(record: int, place: int, passage: Passage, rank: float) -> Told:
    """A passage that holds no word of the question: what it is, and of which record, tells all."""
    return Told(record, place, passage, RANKED * rank + TELLS[passage.kind], frozenset())


def rarities(passages: int, held: Iterable[Collection[str]]) -> dict[str, float]:
    """What each of the things that passages hold tells, by how few hold it; all together 1."""
    counts = Counter(one for each in held for one in each)
    rare = {one: _rarity(passages, count) for one, count in counts.items()}
    whole = math.fsum(rare.values()) or 1.0
    return {one: much / whole for one, much in rare.items()}


def nearer(told: Sequence[Told], likeness: Sequence[float]) -> list[Told]:
    """The same in a new order: the first also by how like the question they are, one number each."""
    first = [
        replace(one, score=one.score + LIKE * like)
        for one, like in zip(told, likeness, strict=False)
    ]
    every = [*first, *told[len(first) :]]
    return sorted(every, key=lambda one: (-one.score, one.record, one.place))


class Frames:
    """What each record costs beside its passages, the first time that one of them is shown.

    A record whose session is shown already costs only its label.
    """

    def __init__(self, full: Sequence[int], sessions: Sequence[str], label: int) -> None:
        self._full, self._sessions, self._label = full, sessions, label
        self._shown: set[int] = set()
        self._named: set[str] = set()

    def price(self, record: int) -> int:
        """What is to pay for it now."""
        if record in self._shown:
            return 0
        return self._label if self._sessions[record] in self._named else self._full[record]

    def new(self, record: int) -> bool:
        """Whether it is not shown yet."""
        return record not in self._shown

    def show(self, record: int) -> None:
        """It is shown from now on."""
        self._shown.add(record)
        if self._sessions[record]:
            self._named.add(self._sessions[record])


def choose(
    told: Sequence[Told],
    *,
    frames: Frames,
    cost: Callable[[Passage], int],
    room: int,
    more: int,
    said: Collection[str] = (),
) -> list[Told]:
    """Passages whose costs fit together, the most telling that is not told yet first.

    The first of a record costs its frame besides, and at most so many `more` records are shown.
    What is `said` already, in the same words or nearly, is not said again. Whatever answers repeats
    words of the question: it is no repetition where half of its others are new.
    """
    waiting, chosen = list(told[:POOL]), list[Told]()
    covered, shown = set[str](), Counter[int]()
    known = frozenset[str]().union(*map(words_of, said))
    lines = frozenset[str]().union(*map(_long_lines, said))

    def fits(one: Told) -> bool:
        return (
            shown[one.record] < MOST_OF_ONE
            and (more > 0 or not frames.new(one.record))
            and not repeats(words_of(one.passage.text), known, one.terms)
            and cost(one.passage) + frames.price(one.record) <= room
        )

    while waiting := [one for each in waiting if fits(one := without(each, lines))]:
        best = max(waiting, key=lambda one: one.score - AGAIN * _again(one, covered))
        waiting.remove(best)
        room -= cost(best.passage) + frames.price(best.record)
        chosen.append(best)
        covered |= best.terms
        more -= frames.new(best.record)
        frames.show(best.record)
        shown[best.record] += 1
        known |= words_of(best.passage.text)
        lines |= _long_lines(best.passage.text)
    return chosen


def without(one: Told, lines: Collection[str]) -> Told:
    """A passage without the long lines that are told already, marked where some stood between others.

    Of an edit all is told: what goes and what comes are read together; and where nothing is left, too.
    """
    text = one.passage.text
    if one.passage.kind == "edit" or _long_lines(text).isdisjoint(lines):
        return one
    runs = groupby(filter(str.strip, text.splitlines()), lambda line: line.strip() in lines)
    told = [GAP if known else "\n".join(run) for known, run in runs]
    first, last = told[0] == GAP, len(told) - (told[-1] == GAP)
    left = "\n".join(told[first:last])
    return replace(one, passage=replace(one.passage, text=left)) if left else one


@lru_cache(1024)
def _long_lines(text: str) -> frozenset[str]:
    return frozenset(line for each in text.splitlines() if len(line := each.strip()) >= LONG_LINE)


def _again(one: Told, covered: set[str]) -> float:
    return len(one.terms & covered) / max(1, len(one.terms))


@lru_cache(1024)
def words_of(text: str) -> frozenset[str]:
    """By what it is told whether a text says something again: its words and numbers, else itself."""
    return frozenset(map(str.casefold, _WORD.findall(text))) or frozenset((text,))


def repeats(
    words: frozenset[str], known: frozenset[str], asked: Collection[str] = frozenset()
) -> bool:
    """Whether what is known already says it: most of its words, and no other number.

    `asked`: stems of the question's words that it holds.
    """
    new = words - known
    if len(new) >= (1 - SAME) * len(words) or any(map(str.isdigit, new)):
        return False
    own = [word for word in words if stem(word) not in asked] if new and asked else ()
    return not own or sum(word in new for word in own) < OWN_NEW * len(own)


def _rarity(passages: int, holding: int) -> float:
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def _counted(texts: Sequence[str], stems: Sequence[str]) -> list[dict[int, int]]:
    """Of each stem, which of the texts hold it at the beginning of a word or of a name's part, how often."""
    whole = "\n".join(texts)
    low = whole.lower()
    if len(low) != len(whole):
        low = whole
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    return [_found(whole, low, starts, one) for one in stems]


def _found(whole: str, low: str, starts: Sequence[int], one: str) -> dict[int, int]:
    found: dict[int, int] = {}
    place = low.find(one)
    while place >= 0:
        if _begins(whole, low, place, one):
            which = bisect_right(starts, place) - 1
            found[which] = found.get(which, 0) + 1
        place = low.find(one, place + len(one))
    return found


def _begins(whole: str, low: str, place: int, one: str) -> bool:
    if not one.isascii():
        return True
    before = low[place - 1 : place]
    if before.isalpha() and not whole[place].isupper():
        return False
    end = place + len(one)
    if one.isdigit():
        return not before.isdigit() and not low[end : end + 1].isdigit()
    if len(one) <= LEAST_STEM:
        rest = low[end : end + 3]
        return not rest[:1].isalpha() or not rest[1:2].isalpha()
    rest = low[end : end + MOST_SUFFIX + 1]
    return len(rest) <= MOST_SUFFIX or not rest.isalpha()
