"""Merging: two banks' answers as one: by the hits' own score, each fact once, within one budget."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

import orjson
from pydantic import BaseModel

from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.remote import others
from mcp_memory.search import composing, repeats, showing
from mcp_memory.search.repeats import Fact

LEAST_SAME = 24
"""Characters of a memory's words from which those that hold them say the same."""
MOST_NEAREST = 3
NO_MEMORIES = frozenset({"step", "episode"})

One = TypeVar("One", bound=BaseModel)


def merged(own: SearchResult, theirs: SearchResult, query: Query, *, room: int) -> SearchResult:
    """One answer of both, most telling first, in at most `room` bytes; one's own memories stand first.

    `found` is what clears the floor at either; where neither has any, the nearest of both.
    """
    frame = own.model_copy(
        update={
            "found": own.found or theirs.found,
            "hits": (),
            "nearest": (),
            "sessions": (),
            "more": 0,
            "none_newer": False,
            "in_no_code": tuple(name for name in own.in_no_code if name in theirs.in_no_code),
            "unknown": tuple(name for name in own.unknown if name in theirs.unknown),
            "notes": (*own.notes, *theirs.notes),
        }
    )
    if theirs.sessions or theirs.hits or (theirs.nearest and not frame.found):
        frame = frame.model_copy(update={"notes": others.fitting(frame.notes)})
    if own.sessions or theirs.sessions:
        return _sessions(own, theirs, frame, query.limit, room)
    field = "hits" if frame.found else "nearest"
    most = query.limit if frame.found else MOST_NEAREST
    ordered = _ordered((*getattr(own, field), *getattr(theirs, field)), query)
    kept = [*_fitting(ordered[:most], room - composing.size(frame))]
    left = min(len(ordered), most) - len(kept) if frame.found else 0
    more = left + max(own.more, theirs.more) if frame.found else 0
    files = frame.files if any(not hit.origin for hit in kept) else None
    return frame.model_copy(update={field: tuple(kept), "more": more, "files": files})


def _sessions(
    own: SearchResult, theirs: SearchResult, frame: SearchResult, limit: int, room: int
) -> SearchResult:
    """The newest sessions of both, by when they were."""
    every = sorted(
        (*own.sessions, *theirs.sessions), key=lambda left: _when(left.when), reverse=True
    )
    kept = _fitting(every[:limit], room - composing.size(frame))
    return frame.model_copy(update={"sessions": tuple(kept)})


def _when(told: str) -> str:
    return told if told[:1].isdigit() else ""


def _ordered(hits: Sequence[Hit], query: Query) -> list[Hit]:
    """Best first and each fact once; this machine's word before the team's at the same score."""
    ranked = sorted(hits, key=lambda hit: (-hit.score, bool(hit.origin)))
    if query.order == "newest":
        ranked.sort(key=lambda hit: hit.at or date.min, reverse=True)
    ranked = [*_own_memories_first(ranked)]
    return [
        hit.model_copy(
            update={"also": tuple(dict.fromkeys((*hit.also, *also)))[: showing.MOST_ALSO]}
        )
        for hit, also in repeats.once([*_told_once(ranked)], _fact)
    ]


def _own_memories_first(ranked: Sequence[Hit]) -> Iterator[Hit]:
    """A personal memory stands before the team's where both answer; evidence keeps its places."""
    places = [place for place, hit in enumerate(ranked) if hit.kind not in NO_MEMORIES]
    memories = sorted((ranked[place] for place in places), key=lambda hit: bool(hit.origin))
    moved = dict(zip(places, memories, strict=True))
    yield from (moved.get(place, hit) for place, hit in enumerate(ranked))


def _told_once(ranked: Iterable[Hit]) -> Iterator[Hit]:
    """Without the memories of the team that one's own says already, word for word."""
    said: list[str] = []
    for hit in ranked:
        words = " ".join(hit.text.split()).casefold()
        if hit.kind in NO_MEMORIES:
            yield hit
        elif not (hit.origin and any(same(words, other) for other in said)):
            said.append(words)
            yield hit


def same(one: str, other: str) -> bool:
    """Whether two memories' words say the same: they are alike, or one holds the other."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= LEAST_SAME and shorter in longer)


def _fact(hit: Hit) -> Fact:
    return Fact(hit.ref, hit.text, alone=hit.kind not in NO_MEMORIES)


def _fitting(every: Iterable[One], room: int) -> Iterator[One]:
    for one in every:
        size = len(orjson.dumps(one.model_dump(mode="json", exclude_defaults=True))) + 1
        if size <= room:
            room -= size
            yield one
