"""search: channels over evidence and memories, fused, ranked, cut at the floor and the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio
import anyio.to_thread

from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Hit, Memory, Outcome, SearchResult, SourceClass, State
from mcp_memory.rooms import Rooms
from mcp_memory.search import channels, confidence, fusion, ranking, restating, spans
from mcp_memory.search.channels import Scope, scope_of
from mcp_memory.store.rows import EvidenceRow, Found, MemoryRow, Table
from mcp_memory.text import guard, periods, tokens, wording

JUDGED = 30
"""How many more of the fused are looked up and ranked than are asked for."""
REREAD = 20
"""How many a cross-encoder reads, where one is set."""
SNIPPET_CHARS = 480
MARKS_TOKENS = 60
"""What ref, path, score and marks of a hit take beside its text."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that channels found: a step, an episode or a memory, with what is shown of it."""

    ref: str
    row: EvidenceRow | MemoryRow
    why: Mapping[str, float]
    rank: float
    score: float
    memory: Memory | None = None
    newer: str = ""
    """The memory that says the same again with another value."""


Looked = Mapping[str, tuple[EvidenceRow | MemoryRow, Memory | None]]
"""Key to its row, and to the memory that a memory's row holds."""


async def search(rooms: Rooms, query: Query) -> SearchResult:
    """What bears on the questions, best first; below the floor only the nearest, named as such."""
    scope = await scope_of(rooms, query.project)
    lists: list[list[Candidate]] = [[] for _ in query.texts]

    async def ask(place: int, text: str) -> None:
        lists[place] = await _ask(rooms, wording.clean_query(text), query, scope)

    async with anyio.create_task_group() as tasks:
        for place, text in enumerate(query.texts):
            tasks.start_soon(ask, place, text)
    floor = rooms.settings.floor
    answered = [found if any(c.score >= floor for c in found) else [] for found in lists]
    notes = (*scope.notes, *rooms.degraded())
    if any(answered):
        return SearchResult(found=True, hits=await _hits(rooms, query, answered), notes=notes)
    nearest = await _hits(rooms, query.model_copy(update={"limit": min(3, query.limit)}), lists)
    return SearchResult(found=False, hits=(), nearest=nearest, notes=notes)


async def _ask(rooms: Rooms, text: str, query: Query, scope: Scope) -> list[Candidate]:
    found = await channels.heard(rooms, text, query, scope)
    return await _judge(rooms, text, found, most=JUDGED + query.limit)


async def _judge(
    rooms: Rooms, text: str, found: Mapping[Table, Mapping[str, Sequence[Found]]], *, most: int
) -> list[Candidate]:
    """Fuse the channels, look the rows up, and let ranking judge them."""
    sums: dict[str, dict[str, float]] = {}
    for told in found.values():
        for name, hits in told.items():
            sums.setdefault(name, {}).update((one.key, one.score) for one in hits)
    near = sums.get("vectors", {})
    fused = fusion.fuse(sums, weights=rooms.weights, from_worst=frozenset({"vectors"}))
    fused = fusion.lift_sessions(fused, session_of=refs.session_of, most=most)
    candidates = await _looked_up(rooms, fused)
    asked = wording.informative(text)
    newer = restating.restated(memory for _, memory in candidates.values() if memory)
    features = await _known(rooms, text, candidates, newer)
    ranked = ranking.rank([hit for hit in fused if hit.key in features], features, now=rooms.now())
    held = {key: confidence.holdings(asked, each.searched) for key, each in features.items()}
    unheard = confidence.unheard(asked, list(held.values()))
    made = []
    for hit in ranked:
        row, memory = candidates[hit.key]
        score = confidence.confidence(
            held[hit.key],
            similarity=near.get(hit.key, 0.0) if near else None,
            unheard=unheard,
            memory=memory is not None,
        )
        other = newer.get(hit.key, "")
        made.append(Candidate(_ref(row), row, hit.why, hit.score, score, memory, other))
    read = await _reread(rooms, text, _once(made))
    return fusion.spread(read, session_of=_session, score_of=lambda candidate: candidate.rank)


async def _known(
    rooms: Rooms, text: str, candidates: Looked, newer: Mapping[str, str]
) -> dict[str, ranking.Features]:
    """What ranking needs to know of each candidate."""
    remembered = any(memory for _, memory in candidates.values())
    used = await rooms.usage() if remembered else {}
    ask_when = partial(periods.asked_about, text, now=rooms.now())
    named = await anyio.to_thread.run_sync(ask_when)
    asked = wording.informative(text)
    return {
        key: replace(
            _features(row, memory, used, named),
            exact=bool(asked) and all(confidence.holdings(asked, row.text).values()),
            restated=key in newer,
        )
        for key, (row, memory) in candidates.items()
    }


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
    used: Mapping[str, tuple[int, int]],
    named: Sequence[periods.Period],
) -> ranking.Features:
    return ranking.Features(
        searched=f"{row.text}\n{row.context}\n{row.identifiers}",
        source=SourceClass(row.source),
        outcome=Outcome(row.outcome) if isinstance(row, EvidenceRow) else Outcome.UNKNOWN,
        standing=memory.standing if memory else None,
        superseded=row.state == State.SUPERSEDED.value,
        used=used.get(f"{memory.ref}@{memory.version}", (0, 0)) if memory else (0, 0),
        at=row.at,
        asked_time=any(period.holds(row.at) for period in named),
    )


async def _looked_up(rooms: Rooms, fused: Sequence[fusion.Fused]) -> Looked:
    """The rows behind keys; of memories only the newest version, and only while it answers."""
    memories = tuple(hit.key for hit in fused if hit.key.startswith("m:"))
    evidence = tuple(hit.key for hit in fused if not hit.key.startswith("m:"))
    found: dict[str, tuple[EvidenceRow | MemoryRow, Memory | None]] = {}
    if evidence:
        rows = await rooms.store.briefs(evidence)
        found.update({row.key: (row, None) for row in rows if row.state == State.LIVE.value})
    if memories:
        for key, versions in (await spans.memory_rows(rooms, memories)).items():
            if versions[-1].state != State.FORGOTTEN.value:
                found[key] = (versions[-1], spans.memory_of(versions[-1]))
    return found


def _ref(row: EvidenceRow | MemoryRow) -> str:
    """What a hit is cited by: an output stands for the step that brought it."""
    if isinstance(row, EvidenceRow) and row.kind == "output":
        return refs.span(row.trajectory, row.first)
    return row.key


def _once(made: Sequence[Candidate]) -> list[Candidate]:
    """A step and its output are one hit: the better of both, with the surer score."""
    best: dict[str, Candidate] = {}
    for candidate in made:
        known = best.get(candidate.ref)
        if known is None:
            best[candidate.ref] = candidate
        elif candidate.score > known.score:
            best[candidate.ref] = replace(candidate, rank=known.rank)
    return list(best.values())


async def _hits(
    rooms: Rooms, query: Query, lists: Sequence[Sequence[Candidate]]
) -> tuple[Hit, ...]:
    """The answer: shared fairly between the questions, spread over sessions, within the budget."""
    shared = ranking.fair_shares(lists, query.limit, key=lambda each: each.ref)
    named = _sessions(shared)
    folders = await rooms.store.folders(named)
    asked = wording.terms(" ".join(query.texts))
    hits = [_hit(rooms, each, folders, asked) for each in shared]
    priced = [(hit, _cost(hit)) for hit in hits]
    budget = query.budget_tokens or rooms.settings.search_tokens
    kept = ranking.within_budget(priced, budget)
    return tuple(kept or hits[:1])


def _session(candidate: Candidate) -> str:
    return candidate.row.trajectory if isinstance(candidate.row, EvidenceRow) else ""


def _sessions(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in map(_session, candidates) if name))


def _hit(rooms: Rooms, found: Candidate, folders: Mapping[str, str], asked: Sequence[str]) -> Hit:
    row, memory = found.row, found.memory
    source = SourceClass(row.source)
    text = guard.neutralise(ranking.snippet(row.text, asked, SNIPPET_CHARS))
    common = {
        "ref": found.ref,
        "text": text,
        "score": found.score,
        "why": found.why,
        "source": source,
        "project": row.project,
        "at": row.at,
    }
    if memory is not None:
        superseded = ("superseded",) if memory.superseded_by else ()
        restated = (f"restated in {found.newer}",) if found.newer else ()
        return Hit(
            **common,
            kind=memory.kind.value,
            title=guard.neutralise(memory.title),
            trust=memory.trust,
            standing=memory.standing,
            flags=(*superseded, *restated, *memory.flags),
        )
    assert isinstance(row, EvidenceRow)
    folder = folders.get(row.trajectory)
    return Hit(
        **common,
        kind="episode" if row.kind == "episode" else "step",
        trust=source.trust,
        outcome=Outcome(row.outcome),
        path=rooms.path_of(folder, row.first) if folder else None,
        flags=row.flags,
    )


def _cost(hit: Hit) -> int:
    return tokens.estimate(hit.text) + tokens.estimate(hit.title) + MARKS_TOKENS
