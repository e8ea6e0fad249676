"""Candidates: what channels found for one question, fused, looked up, weighed and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import anyio
import anyio.to_thread

from mcp_memory.domain import refs, validity
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Memory, Outcome, SourceClass, State
from mcp_memory.domain.uses import Use
from mcp_memory.rooms import Rooms
from mcp_memory.search import (
    channels,
    confidence,
    fusion,
    ranking,
    restating,
    spans,
    uses,
    withholding,
)
from mcp_memory.search.channels import Scope
from mcp_memory.store.rows import EvidenceRow, Found, MemoryRow, Table, Where
from mcp_memory.text import periods, wording

JUDGED = 30
"""How many more of the fused are looked up and ranked than are asked for."""
AMONG = 3
"""How many memories stand among evidence: the one that answers is mostly the first of them."""
REREAD = 20
"""How many a cross-encoder reads, where one is set."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that channels found: a step, an episode or a memory, with what is shown of it."""

    ref: str
    row: EvidenceRow | MemoryRow
    why: Mapping[str, float]
    rank: float
    similar: float | None
    """Its cosine; None while search goes by words only."""
    memory: Memory | None = None
    newer: str = ""
    """The memory that says the same again with another value."""
    out_of_time: str = ""
    """Of a memory: that its own time is over, or has not come."""
    held: Mapping[str, float] = field(default_factory=dict)
    """To each term of the question, whether its words, or those around them, hold it."""
    score: float = 0.0
    """0 to 1: how surely it bears on the question."""

    @property
    def holds(self) -> bool:
        """Whether nobody said that it holds no more, nor only for another time."""
        return self.row.state == State.LIVE.value and not self.out_of_time

    @property
    def session(self) -> str:
        """The trajectory that it is of; empty for a memory."""
        return self.row.trajectory if isinstance(self.row, EvidenceRow) else ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question's candidates, best first, and the names in it that history does not hold."""

    candidates: tuple[Candidate, ...] = ()
    unknown: tuple[str, ...] = ()
    held: withholding.Held = field(default_factory=dict)
    """What would be among the first and is held back."""


Looked = Mapping[str, tuple[EvidenceRow | MemoryRow, Memory | None]]
"""Key to its row, and to the memory that a memory's row holds."""


async def asked(rooms: Rooms, text: str, query: Query, scope: Scope) -> Judged:
    """All that may answer one question, judged: evidence and memories each by their own kind."""
    found = await channels.heard(rooms, text, query, scope)
    ranked = {
        table: await _ranked(rooms, text, told, most=JUDGED + query.limit, as_of=query.as_of)
        for table, told in found.items()
    }
    held_back: dict[str, tuple[str, ...]] = {}
    if not query.explain:
        for table, each in ranked.items():
            ranked[table], found_held = _apart(rooms, each, query.limit)
            held_back |= found_held
    held = [one.held for each in ranked.values() for one in each]
    gone = await _gone(rooms, confidence.missing(text, held), scope, found=bool(held))
    tells = await _telling(rooms, text, ranked.get("evidence", ()), scope) if gone else 0.0
    without = confidence.lacking(text, held, gone, tells=tells)
    if await _scattered(rooms, text, ranked.get("evidence", ()), scope):
        without = replace(without, scattered=True)
    judged = {table: _sure(each, table, without) for table, each in ranked.items()}
    if judged.get("evidence"):
        judged["memories"] = judged.get("memories", [])[:AMONG]
    every = _stale_last([one for each in judged.values() for one in each])
    return Judged(tuple(every), without.unknown, held_back)


def _apart(
    rooms: Rooms, ranked: Sequence[Candidate], first: int
) -> tuple[list[Candidate], dict[str, tuple[str, ...]]]:
    """What may be told of one table's candidates, and what of the first is held back as a whole."""
    trusting = rooms.trusting()
    kept: list[Candidate] = []
    held: dict[str, tuple[str, ...]] = {}
    for one in ranked:
        if one.memory is not None:
            reasons = withholding.of_memory(one.memory, trusting)
        else:
            assert isinstance(one.row, EvidenceRow)
            # Of a step only the passages go that give something away.
            reasons = withholding.of_row(one.row, trusting)
            reasons = reasons if reasons == (withholding.DISTRUSTED,) else ()
        if not reasons:
            kept.append(one)
        elif len(kept) < first:
            held[one.ref] = reasons
    return kept, held


def _stale_last(judged: Sequence[Candidate]) -> list[Candidate]:
    """All by their scores; what does not hold any more is less sure than the least sure that does."""
    holds = [one for one in judged if one.holds]
    least = min((one.score for one in holds), default=1.0)
    stale = [replace(one, score=min(one.score, least)) for one in judged if not one.holds]
    return [
        *sorted(holds, key=lambda one: -one.score),
        *sorted(stale, key=lambda one: -one.score),
    ]


def _sure(
    ranked: Sequence[Candidate], table: Table, without: confidence.Lacking
) -> list[Candidate]:
    """One table's candidates with their scores, best first."""
    signs = _signs(ranked)
    measure = confidence.of_memories if table == "memories" else confidence.of_evidence
    scores = measure(signs, without)
    return [replace(one, score=score) for one, score in zip(ranked, scores, strict=True)]


def _signs(ranked: Sequence[Candidate]) -> list[confidence.Signs]:
    top = max((one.rank for one in ranked), default=0.0) or 1.0
    return [
        confidence.Signs(
            one.rank / top,
            confidence.share(one.held),
            one.similar,
            reread="reranked" in one.why,
        )
        for one in ranked
    ]


async def _scattered(rooms: Rooms, text: str, found: Sequence[Candidate], scope: Scope) -> bool:
    """Whether the words of a short question are held here and there in a history that is large."""
    apart = bool(found) and confidence.scattered(text, _signs(found))
    return apart and await _telling(rooms, text, found, scope) >= 1


async def _gone(rooms: Rooms, lost: Sequence[str], scope: Scope, *, found: bool) -> frozenset[str]:
    """Those of the terms that no record holds in any form.

    Pairs of CJK letters are no words: the index, which cuts words, cannot tell whether they are there.
    """
    lost = [term for term in lost if not wording.is_pair(term)]
    if not lost:
        return frozenset()
    where = Where(projects=scope.projects)
    if not found and not await rooms.store.count("evidence", where):
        return frozenset(lost)  # a project without history: no word needs to be asked for
    gone: set[str] = set()

    async def look(term: str) -> None:
        hits = await rooms.store.by_words("evidence", term, column="text", where=where, limit=1)
        gone.update(() if hits else (term,))

    async with anyio.create_task_group() as tasks:
        for term in lost:
            tasks.start_soon(look, term)
    return frozenset(gone)


async def _telling(rooms: Rooms, text: str, found: Sequence[Candidate], scope: Scope) -> float:
    """What a word tells that no record holds: records are taken to be as long as those found."""
    rows = await rooms.store.count("evidence", Where(projects=scope.projects, states=()))
    chars = sum(len(one.row.text) for one in found) / max(1, len(found))
    return confidence.telling(rows, chars, terms=len(wording.informative(text)))


def _holdings(asked: Sequence[str], row: EvidenceRow | MemoryRow) -> tuple[dict[str, float], bool]:
    """Which terms a record holds, with what stands around it, and whether its own words hold all."""
    own = confidence.holdings(asked, row.text)
    left = [term for term in asked if own[term] < 1]
    beside = row.context if isinstance(row, MemoryRow) else f"{row.context}\n{row.identifiers}"
    around = confidence.holdings(left, beside) if left else {}
    whole = {term: max(much, around.get(term, 0.0)) for term, much in own.items()}
    return whole, bool(own) and all(own.values())


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is known of the candidates of one question, each by its key."""

    near: Mapping[str, float]
    newer: Mapping[str, str]
    held: Mapping[str, tuple[Mapping[str, float], bool]]
    now: datetime


def _candidate(
    hit: ranking.Ranked, row: EvidenceRow | MemoryRow, memory: Memory | None, asking: _Asking
) -> Candidate:
    return Candidate(
        ref_of(row),
        row,
        hit.why,
        hit.score,
        asking.near.get(hit.key, 0.0) if asking.near else None,
        memory,
        asking.newer.get(hit.key, ""),
        _out_of_time(memory, asking.now),
        asking.held[hit.key][0],
    )


async def _ranked(
    rooms: Rooms,
    text: str,
    found: Mapping[str, Sequence[Found]],
    *,
    most: int,
    as_of: datetime | None = None,
) -> list[Candidate]:
    """One table's channels fused, looked up and weighed; best first, without scores."""
    if not any(found.values()):
        return []
    sums = {name: {one.key: one.score for one in hits} for name, hits in found.items()}
    near = sums.get("vectors", {})
    fused = fusion.fuse(sums, weights=rooms.weights, from_worst=frozenset({"vectors"}))
    fused = fusion.lift_sessions(fused, session_of=refs.session_of, most=most)
    looked = await _looked_up(rooms, fused, as_of)
    newer = restating.restated(memory for _, memory in looked.values() if memory)
    asked = wording.informative(text)
    held = {key: _holdings(asked, row) for key, (row, _) in looked.items()}
    features = await _known(rooms, text, looked, newer, as_of or rooms.now())
    features = {key: replace(one, exact=held[key][1]) for key, one in features.items()}
    ranked = ranking.rank([hit for hit in fused if hit.key in features], features, now=rooms.now())
    asking = _Asking(near, newer, held, as_of or rooms.now())
    made = [_candidate(hit, *looked[hit.key], asking) for hit in ranked]
    read = await _reread(rooms, text, made)
    return fusion.held_back(
        read,
        session_of=lambda one: one.session,
        score_of=lambda one: one.rank,
        scored=lambda one, score: one if one.rank == score else replace(one, rank=score),
    )


async def _known(
    rooms: Rooms, text: str, candidates: Looked, newer: Mapping[str, str], now: datetime
) -> dict[str, ranking.Features]:
    """What ranking needs to know of each candidate."""
    remembered = [memory.ref for _, memory in candidates.values() if memory]
    used = await uses.of(rooms, remembered)
    named: Sequence[periods.Period] = ()
    if periods.names_any(text):
        ask_when = partial(periods.asked_about, text, now=rooms.now())
        named = await anyio.to_thread.run_sync(ask_when)
    new = _newness(candidates) if wording.asks_for_now(text) else {}
    rules = rooms.ruling(rooms.project).rules
    return {
        key: replace(
            _features(row, memory, used, named, _out_of_time(memory, now)),
            newness=new.get(key),
            focused=bool(rules.focus) and rules.mentions(row.text),
            restated=key in newer,
        )
        for key, (row, memory) in candidates.items()
    }


def _newness(candidates: Looked) -> dict[str, float]:
    """0 for the oldest, 1 for the newest, by their order; what is undated is as the oldest."""
    times = {key: _at(row, memory) for key, (row, memory) in candidates.items()}
    dated = sorted((at.isoformat() if at else "", key) for key, at in times.items())
    return {key: place / max(1, len(dated) - 1) for place, (_, key) in enumerate(dated)}


async def _reread(rooms: Rooms, text: str, made: list[Candidate]) -> list[Candidate]:
    """The first again in a cross-encoder's order, where there is one; their ranks are dealt anew."""
    first = made[:REREAD]
    if rooms.reranker is None or not first:
        return made
    scores = await rooms.reranker.scores(text, [each.row.text for each in first])
    if scores is None:
        return made
    order = sorted(range(len(first)), key=lambda place: (-scores[place], place))
    dealt = [
        replace(first[place], rank=old.rank, why={**first[place].why, "reranked": new})
        for new, (place, old) in enumerate(zip(order, first, strict=True), 1)
    ]
    return [*dealt, *made[REREAD:]]


def _features(
    row: EvidenceRow | MemoryRow,
    memory: Memory | None,
    used: Mapping[str, Use],
    named: Sequence[periods.Period],
    ended: str,
) -> ranking.Features:
    return ranking.Features(
        source=SourceClass(row.source),
        outcome=Outcome(row.outcome) if isinstance(row, EvidenceRow) else Outcome.UNKNOWN,
        standing=memory.standing if memory else None,
        superseded=row.state == State.SUPERSEDED.value or bool(ended),
        used=used[memory.ref].weights if memory else (0.0, 0.0),
        at=_at(row, memory),
        asked_time=any(period.holds(_at(row, memory)) for period in named),
    )


def _at(row: EvidenceRow | MemoryRow, memory: Memory | None) -> datetime | None:
    """When a record was made; a memory is as new as what it tells."""
    return validity.tells_of(memory) if memory else row.at


def _out_of_time(memory: Memory | None, now: datetime) -> str:
    return validity.out_of_time(memory, now) if memory else ""


async def _looked_up(
    rooms: Rooms, fused: Sequence[fusion.Fused], as_of: datetime | None = None
) -> Looked:
    """The rows behind keys; of memories only the newest version, and only while it answers.

    `as_of`: of memories those that held then, as they were.
    """
    memories = tuple(hit.key for hit in fused if hit.key.startswith("m:"))
    evidence = tuple(hit.key for hit in fused if not hit.key.startswith("m:"))
    found: dict[str, tuple[EvidenceRow | MemoryRow, Memory | None]] = {}
    if evidence:
        rows = await rooms.store.briefs(evidence)
        found.update({row.key: (row, None) for row in rows if row.state == State.LIVE.value})
    if memories:
        for key, versions in (await spans.memory_rows(rooms, memories)).items():
            row, memory = versions[-1], spans.memory_of(versions[-1])
            then = validity.as_of(memory, as_of) if as_of else memory
            if then is not None and then.state is not State.FORGOTTEN:
                found[key] = (replace(row, state=then.state.value), then)
    return found


def ref_of(row: EvidenceRow | MemoryRow) -> str:
    """What a hit is cited by: an output stands for the step that brought it."""
    if isinstance(row, EvidenceRow) and row.kind == "output":
        return refs.span(row.trajectory, row.first)
    return row.key
