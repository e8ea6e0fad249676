"""Composing: which passages and lines fit an answer, and what one session tells as one hit."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

from pydantic_core import PydanticSerializationError

from mcp_memory.domain import refs
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.search import telling, voicing
from mcp_memory.search.passages import Passage
from mcp_memory.search.telling import Frames, Told

ALWAYS = 2
"""So many of the surest records are shown in any case, at least by a line."""
LINE_SURE = 0.75
"""Which share of the best score a hit must have to be worth a line without a passage."""
PLENTY = 6_000
"""Bytes from which on every hit that clears the floor is worth its line, and stands by itself."""
LABELLED = 10
"""What a further record of a session costs beside its words, where one is shown: its step."""
_OVERTAKING = re.compile(r"(?P<ref>t:\w+#\d+\S*) (?P<name>\S+) = ")
_STEP = re.compile(r"#(\d+)")
_FURTHER = re.compile(r"(?m)^#(\d+(?:-\d+)?) ")


@dataclass(frozen=True, slots=True)
class Record:
    """A record that may be told: its hit before the text, and its passages."""

    hit: Hit
    cut: Sequence[Passage]
    session: str = ""
    """The session that it may be told with others of; empty where it stands alone."""
    steps: str = ""
    """Which steps of the session it is, as `#12` or `#12-40`."""


def size(model: SearchResult | Hit) -> int:
    """The bytes of its compact JSON, every character of it in ASCII, as the widest host counts."""
    try:
        told = model.model_dump_json(exclude_defaults=True)
    except PydanticSerializationError:
        # Half of a pair of letters, which a caller in this process may ask with.
        return len(
            json.dumps(model.model_dump(mode="json", exclude_defaults=True), separators=(",", ":"))
        )
    more = 0 if told.isascii() else _escaped(told)
    return len(told) + more + 5 * told.count("\x7f")


def _escaped(told: str) -> int:
    """How much longer JSON is in which six letters tell what is not ASCII, a pair of halves twelve."""
    plain = len(told.encode("ascii", "ignore"))
    return 6 * (len(told.encode("utf-16-le")) // 2 - plain) - (len(told) - plain)


def composed(
    told: Sequence[Told], stems: Sequence[str], records: Sequence[Record], *, room: int, most: int
) -> dict[int, Hit]:
    """Hits by their records: passages as far as most of the room reaches, then lines of the first.

    `stems`: of the question's words; `most`: how many records are shown at most.
    """
    whole = room
    first = {one.record: one.passage for one in reversed(told)}
    lines = [
        voicing.line(one.hit, one.cut, first.get(place), stems) for place, one in enumerate(records)
    ]
    frames = Frames([size(one.hit) + 1 for one in records], [r.session for r in records], LABELLED)
    # The surest are shown in any case, with the passage that tells most: it is paid before others.
    surest = range(min(ALWAYS, most, len(lines)))
    kept = {place: lines[place] for place in surest}
    pinned = pinned_of(told, surest, room // 3)
    kept |= {one.record: voicing.joined(records[one.record].hit, [one]) for one in pinned}
    for place, hit in kept.items():
        room -= _words(hit, records[place]) + frames.price(place)
        frames.show(place)
    picked, more = list(pinned), most - len(kept)
    cost = cache(voicing.length)  # each is asked for as often as passages are chosen
    for offered in (told, _shortened(told, stems)):
        places = {(one.record, one.place) for one in picked}
        rest = [one for one in offered if (one.record, one.place) not in places]
        said = [one.passage.text for one in picked]
        chosen = telling.choose(rest, frames=frames, cost=cost, room=room, more=more, said=said)
        picked += chosen
        kept |= {
            place: voicing.joined(records[place].hit, few) for place, few in _by_record(picked)
        }
        more = most - len(kept)
        room = whole - sum(size(hit) + 1 for hit in joined(kept, records))
    return kept | _lines(lines[:most], kept, records, room=room, most=most)


def _lines(
    lines: Sequence[Hit],
    kept: Mapping[int, Hit],
    records: Sequence[Record],
    *,
    room: int,
    most: int,
) -> dict[int, Hit]:
    """A line for each that is nearly as sure as the best and not shown yet, as long as there is room."""
    best = max((one.hit.score for one in records), default=0.0)
    least = 0.0 if room > PLENTY else LINE_SURE * best
    made: dict[int, Hit] = {}
    for place, line in enumerate(lines):
        if len(kept) + len(made) == most:
            break
        if place not in kept and line.score >= least and size(line) < room:
            made[place] = line
            room -= size(line) + 1
    return made


def joined(made: Mapping[int, Hit], records: Sequence[Record]) -> list[Hit]:
    """The hits in their order; those of one session as one, each further record's words after its steps.

    The surest gives its ref, score and day; it is as little trusted as the least trusted of them.
    """
    together: dict[str, list[int]] = {}
    for place in sorted(made):
        together.setdefault(records[place].session or made[place].ref, []).append(place)
    return [
        _together(made[first], [(records[place].steps, made[place]) for place in others])
        for first, *others in together.values()
    ]


def _together(main: Hit, others: Sequence[tuple[str, Hit]]) -> Hit:
    if not others:
        return main
    every = [main, *(hit for _, hit in others)]
    ordered = sorted(others, key=lambda other: _step_of(other[0]))
    told = [main.text, *(f"{steps} {hit.text}" for steps, hit in ordered)]
    return main.model_copy(
        update={
            "text": "\n".join(told),
            "source": min((hit.source for hit in every), key=lambda each: each.trust),
            "flags": tuple(dict.fromkeys(flag for hit in every for flag in hit.flags)),
            "later": tuple(dict.fromkeys(_not_told_since(every))),
        }
    )


def _not_told_since(every: Sequence[Hit]) -> Iterator[str]:
    """What overtook values of hits of a session, but what one of them tells anew from a later step."""
    told = [(refs.session_of(hit.ref), _step_of(hit.ref), hit.text) for hit in every]
    for line in (line for hit in every for line in hit.later):
        found = _OVERTAKING.match(line)
        if found is None or not any(
            session == refs.session_of(found["ref"])
            and step >= _step_of(found["ref"])
            and found["name"] in text
            for session, step, text in told
        ):
            yield line


def _step_of(spelled: str) -> int:
    """The first step of a ref, or of steps such as `#12-40`; 0 of what names none."""
    found = _STEP.search(spelled)
    return int(found[1]) if found else 0


def refs_of(hit: Hit) -> tuple[str, ...]:
    """Every ref that a hit tells: its own, those that say the same, further steps of its session."""
    own = refs.parse(hit.ref)
    further = _FURTHER.findall(hit.text) if own.kind in ("trajectory", "episode") else ()
    return (hit.ref, *hit.also, *(f"t:{own.id}#{steps}" for steps in further))


def _words(hit: Hit, record: Record) -> int:
    """What a hit's words take of the answer."""
    return size(hit) - size(record.hit)


def _shortened(told: Sequence[Told], stems: Sequence[str]) -> list[Told]:
    """Of each passage the line that tells most, for the room that no whole one fits into."""
    return [replace(one, passage=voicing.brief(one.passage, stems)) for one in told[: telling.POOL]]


def pinned_of(told: Sequence[Told], records: Iterable[int], room: int) -> list[Told]:
    """Of each of the records the passage that tells most, unless it is long or told already."""
    made: list[Told] = []
    known = frozenset[str]()
    for record in records:
        of_it = ((one, telling.words_of(one.passage.text)) for one in told if one.record == record)
        new = ((one, words) for one, words in of_it if not telling.repeats(words, known))
        best, words = next(new, (None, known))
        if best is not None and voicing.length(best.passage) < room:
            made.append(best)
            known |= words
    return made


def _by_record(picked: Sequence[Told]) -> list[tuple[int, list[Told]]]:
    """Chosen passages of each record, in their order."""
    ordered = sorted(picked, key=lambda one: (one.record, one.place))
    return [(record, list(few)) for record, few in groupby(ordered, key=lambda one: one.record)]
