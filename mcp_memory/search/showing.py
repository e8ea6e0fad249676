"""Showing: chosen candidates as hits within a budget: passages that tell most, a line for the rest."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mcp_memory.domain import projects, validity
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import Memory, Outcome, SourceClass, State
from mcp_memory.rooms import Rooms
from mcp_memory.search import (
    composing,
    consenting,
    exact,
    overtaken,
    passages,
    sequel,
    spans,
    telling,
    unbuilt,
    withholding,
)
from mcp_memory.search.candidates import Candidate
from mcp_memory.search.passages import Passage
from mcp_memory.search.telling import Told
from mcp_memory.search.withholding import Held
from mcp_memory.store.rows import EvidenceRow
from mcp_memory.text import guard
from mcp_memory.trajectories import evidence

NEVER = datetime.min.replace(tzinfo=UTC)
BYTES_PER_TOKEN = 4
COMPETING = 12
"""Of so many records the passages compete for scarce room, though fewer are shown."""
READ_WHOLE = 16
"""How many records are read whole for their passages; of others their searched words are."""
SLACK = 76
"""What joins of passages and counts may take beside what is priced."""
BRIEF = 700
"""How many bytes the nearest may take where nothing is found."""
MOST_ALSO = 3
_RECORD = ("key", "kind", "body")
"""What a step is put together from: its searched words are half of a row and tell nothing more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate that is to be shown, with the refs that say the same."""

    candidate: Candidate
    also: tuple[str, ...] = ()
    odd: str = ""
    """How it asks for something else than other sessions did."""


async def shown(
    rooms: Rooms,
    query: Query,
    chosen: Sequence[Shown],
    frame: SearchResult,
    pool: Sequence[Candidate] = (),
    held: Held | None = None,
) -> SearchResult:
    """The answer: the frame with as much of the chosen as the budget holds, best first.

    More may be chosen than the query's limit: of these only passages are shown, no lines.
    `pool`: all that was found, of which later records may have overtaken what is shown.
    """
    cut = await _cut(rooms, [each.candidate for each in chosen], query.match)
    if not query.explain:
        chosen, cut, partly = _told_only(rooms, chosen, cut)
        pool = [one for one in pool if not _holds_back(rooms, one)]
        frame = _noting(frame, {**(held or {}), **partly}, found=bool(chosen))
    chosen, cut = await _odd_last(rooms, query, chosen, cut)
    frame, bare = await _framed(rooms, query, chosen, frame)
    told = await _told(rooms, query, cut, _ranks(chosen))
    talked_of = await unbuilt.of(rooms, query, cut, told) if frame.found else ()
    frame = frame.model_copy(update={"in_no_code": talked_of})
    room = _budget(rooms, query) - composing.size(frame) - SLACK
    room = room if frame.found else min(room, BRIEF)
    back = sequel.NOTHING
    if frame.found and not query.match:
        back = await sequel.of(rooms, [each.candidate for each in chosen], told)
    records = _records(chosen, bare, cut, alone=room > composing.PLENTY)
    stems = telling.sought(" ".join(query.texts))
    made = composing.composed(told, stems, records, room=room - back.size, most=query.limit)
    room -= back.size + sum(composing.size(hit) + 1 for hit in composing.joined(made, records))
    made = _overtaken(made, [each.candidate for each in chosen], pool, room=room)
    made = dict(zip(made, await consenting.as_brought(rooms, [*made.values()]), strict=True))
    hits = tuple(back.beside(composing.joined(made, records)))
    if not frame.found:
        return frame.model_copy(update={"nearest": hits})
    beyond = _beyond(rooms, query, [each.candidate for each in chosen], made, pool)
    return frame.model_copy(update={"hits": hits, **beyond})


def _beyond(
    rooms: Rooms,
    query: Query,
    chosen: Sequence[Candidate],
    made: Collection[int],
    pool: Sequence[Candidate],
) -> dict[str, object]:
    """How many more there are than are shown, and whether nothing that was found is newer."""
    left = max(0, min(len(chosen), query.limit) - len(made))
    told = [one for at, one in enumerate(chosen) if at in made]
    least = floor(rooms)
    found = [one for one in pool if one.score >= least]
    return {"more": left, "none_newer": bool(left) and newest(told, found)}


def floor(rooms: Rooms) -> float:
    """The score from which on a candidate is shown."""
    return max(rooms.settings.floor, rooms.ruling(rooms.project).rules.floor)


def newest(told: Sequence[Candidate], found: Sequence[Candidate]) -> bool:
    """Whether of all that was found nothing is newer than what is told; False where no time is known.

    To the moment, not to the day: the next steps of a session may undo what it tells.
    """
    last = max((one.row.at for one in told if one.row.at), default=None)
    return last is not None and all(one.row.at <= last for one in found if one.row.at)


def _records(
    chosen: Sequence[Shown], bare: Sequence[Hit], cut: Sequence[list[Passage]], *, alone: bool
) -> list[composing.Record]:
    """Records to compose of; where room is scarce those of a session are told together.

    One that asks for something else than others did stands by itself, so that its mark is its own.
    """
    return [
        composing.Record(
            hit, told, "" if alone or one.odd else one.candidate.session, _steps(one.candidate)
        )
        for one, hit, told in zip(chosen, bare, cut, strict=True)
    ]


async def _framed(
    rooms: Rooms, query: Query, chosen: Sequence[Shown], frame: SearchResult
) -> tuple[SearchResult, list[Hit]]:
    """The frame with where the files stand, and each hit before its text."""
    named = _projects([each.candidate for each in chosen])
    folder, paths = await _placed(rooms, [each.candidate for each in chosen])
    bare = [
        _bare(each, query, name).model_copy(update={"path": path})
        for each, name, path in zip(chosen, named, paths, strict=True)
    ]
    below = "*/*" if any(path and path.count("/") > 1 for path in paths) else "*"
    files = f"{folder}/{below}-ID/steps.jsonl:N = t:ID#N" if folder else None
    return frame.model_copy(update={"folder": folder, "files": files}), bare


def _steps(one: Candidate) -> str:
    """Which steps of its session a record is."""
    row = one.row
    if not isinstance(row, EvidenceRow):
        return ""
    return f"#{row.first}" if row.first == row.last else f"#{row.first}-{row.last}"


def _noting(frame: SearchResult, held: Held, *, found: bool) -> SearchResult:
    notes = (*frame.notes, *withholding.note(held))
    found = frame.found and found
    return frame.model_copy(update={"found": found, "notes": notes, "held": held})


def _told_only(
    rooms: Rooms, chosen: Sequence[Shown], records: Sequence[list[Passage]]
) -> tuple[list[Shown], list[list[Passage]], Held]:
    """The chosen with the passages that may be told, and the refs of those that have none left."""
    kept: list[tuple[Shown, list[Passage]]] = []
    held: dict[str, tuple[str, ...]] = {}
    for each, cut in zip(chosen, records, strict=True):
        reasons = _holds_back(rooms, each.candidate)
        left = withholding.left(cut, reasons)
        if left or not reasons:  # of what is told in part, its flag says so
            kept.append((each, left))
        else:
            held[each.candidate.ref] = reasons
    return [each for each, _ in kept], [cut for _, cut in kept], held


async def _odd_last(
    rooms: Rooms, query: Query, chosen: Sequence[Shown], records: Sequence[list[Passage]]
) -> tuple[list[Shown], list[list[Passage]]]:
    """The same, with those marked and last that ask for something else than independent sessions did."""
    odd = await consenting.odd(
        rooms, " ".join(query.texts), [each.candidate for each in chosen], records
    )
    if not odd:
        return list(chosen), list(records)
    pairs = list(zip(chosen, records, strict=True))
    agree = [pair for pair in pairs if pair[0].candidate.ref not in odd]
    score = min((each.candidate.score for each, _ in agree), default=1.0)
    rank = min((each.candidate.rank for each, _ in agree), default=1.0)
    last = [(_marked(each, odd, score, rank), cut) for each, cut in pairs
            if each.candidate.ref in odd]  # fmt: skip
    made = [*agree, *last]
    return [each for each, _ in made], [cut for _, cut in made]


def _marked(each: Shown, odd: Mapping[str, str], score: float, rank: float) -> Shown:
    one = each.candidate
    less = replace(one, score=min(one.score, score), rank=min(one.rank, rank))
    return replace(each, candidate=less, odd=odd[one.ref])


def _holds_back(rooms: Rooms, one: Candidate) -> tuple[str, ...]:
    """Why words of a candidate are held back; memories that are stand among none."""
    if isinstance(one.row, EvidenceRow):
        return withholding.of_row(one.row, rooms.trusting())
    return ()


def competing(rooms: Rooms, query: Query) -> int:
    """How many to choose for an answer: half as many again as it may hold, where room is scarce."""
    if query.match or query.order == "newest" or _budget(rooms, query) > composing.PLENTY:
        return query.limit
    return max(query.limit, min(COMPETING, query.limit * 3 // 2))


def _budget(rooms: Rooms, query: Query) -> int:
    return (query.budget_tokens or rooms.settings.search_tokens) * BYTES_PER_TOKEN


def _ranks(chosen: Sequence[Shown]) -> list[float]:
    """How far each is ahead among its own kind: memories' scores and evidence's are no one scale."""
    ranks = [(each.candidate.memory is None, each.candidate.rank) for each in chosen]
    top = {kind: max(rank for one, rank in ranks if one == kind) or 1.0 for kind, _ in ranks}
    return [rank / top[kind] for kind, rank in ranks]


async def _told(
    rooms: Rooms, query: Query, records: Sequence[Sequence[Passage]], ranks: Sequence[float]
) -> list[Told]:
    """Passages that tell of what is asked, most telling first; where a line must match, those lines."""
    asked = " ".join(query.texts)
    told = telling.tell(telling.sought(asked), records, ranks) if asked else []
    if query.match:
        told = exact.told(query.match, records, ranks, told)
    if not asked:
        return told
    first = [one.passage for one in told[: telling.COMPARED]]
    texts = [f"{one.head}\n{one.text}" if one.head else one.text for one in first]
    return telling.nearer(told, await rooms.likeness(asked, texts))


async def _cut(rooms: Rooms, chosen: Sequence[Candidate], match: str = "") -> list[list[Passage]]:
    """Each candidate's passages; steps are read whole, outputs included, as far as many are.

    Where an expression is looked for, the line that holds it is among them.
    """
    named = {c.ref: c for c in chosen[:READ_WHOLE] if c.memory is None}
    keys = [ref for ref in named if ref.startswith("t:")]
    rows = await rooms.store.briefs(keys, _RECORD) if keys else []
    outputs = await spans.outputs_of(rooms, rows)
    steps = {row.key: evidence.step_of(row, outputs) for row in rows if row.body}
    made = [
        passages.of_step(steps[c.ref]) if c.ref in steps else list(_searched(c)) for c in chosen
    ]
    if not match:
        return made
    # What was found may be an output, of which its step holds an excerpt.
    seen = (steps[c.ref].observations if c.ref in steps else () for c in chosen)
    texts = (
        "\n".join((c.row.text, *(each.text for each in its)))
        for c, its in zip(chosen, seen, strict=True)
    )
    return exact.with_lines(match, made, texts)


def _searched(candidate: Candidate) -> Sequence[Passage]:
    memory, row = candidate.memory, candidate.row
    if memory is None:
        text = evidence.told_of(row) if isinstance(row, EvidenceRow) else row.text
        return list(passages.of_text(text))
    told = [Passage("memory", memory.text)] if len(memory.text) <= passages.LONGEST else None
    made = told or list(passages.of_text(memory.text))
    if memory.when_to_use:
        made.append(Passage("argument", f"When to use: {memory.when_to_use}"))
    if memory.not_when:
        made.append(Passage("argument", f"Not when: {memory.not_when}"))
    return made


async def _placed(rooms: Rooms, chosen: Sequence[Candidate]) -> tuple[str | None, list[str | None]]:
    """The folder that all are below, and each one's `file:line` there; nothing where none is local."""
    named = tuple(dict.fromkeys(one.session for one in chosen if one.session))
    folders = await rooms.store.folders(named) if named else {}
    return rooms.placed(
        [
            f"{folders[one.session]}/steps.jsonl:{one.row.first}"
            if isinstance(one.row, EvidenceRow) and one.session in folders
            else None
            for one in chosen
        ]
    )


def _overtaken(
    made: Mapping[int, Hit], chosen: Sequence[Candidate], pool: Sequence[Candidate], *, room: int
) -> dict[int, Hit]:
    """Each hit with what became of the values that it tells, as far as it was found, too."""
    known = {one.ref: _record(one) for one in (*pool, *chosen) if one.memory is None}
    told: dict[int, Hit] = {}
    for place, hit in sorted(made.items()):
        found = (
            overtaken.later(hit.text, known[hit.ref], known.values()) if hit.ref in known else ()
        )
        marked = hit.model_copy(update={"later": found})
        more = composing.size(marked) - composing.size(hit)
        told[place] = marked if more <= room else hit
        room -= more if more <= room else 0
    return told


def _record(one: Candidate) -> overtaken.Record:
    row = one.row
    step = row.first if isinstance(row, EvidenceRow) else 0
    return overtaken.Record(one.ref, row.project, one.session, step, row.at, row.text)


def _projects(chosen: Sequence[Candidate]) -> list[str]:
    """Each one's project by its folder's name, where they are not all of one."""
    full = [c.row.project for c in chosen]
    if full == full[:1] * len(full):
        return [""] * len(full)
    return [projects.folder_of(name) for name in full]


def _no_longer(memory: Memory, as_of: datetime | None, ended: str) -> tuple[str, ...]:
    """That a memory no longer holds, or that a candidate says otherwise; as of then, until when it did."""
    if as_of is not None:
        return validity.told_as_of(memory, as_of)
    if ended:
        return (ended,)
    if memory.superseded_by:
        return ("superseded",)
    if memory.state is State.SUPERSEDED:
        return ("retired",)
    return tuple(f"challenged by {ref}" for ref in memory.challenged_by)


def _bare(each: Shown, query: Query, project: str) -> Hit:
    """The hit before its text."""
    found = each.candidate
    row, memory = found.row, found.memory
    odd = (each.odd,) if each.odd else ()
    common: dict[str, object] = {
        "ref": found.ref,
        "text": "",
        "score": round(found.score, 2),
        "source": SourceClass(row.source),
        "project": project,
        "at": row.at.date() if row.at else None,
        "also": each.also[:MOST_ALSO],
        "why": dict(sorted(found.why.items())) if query.explain else {},
    }
    if memory is not None:
        superseded = _no_longer(memory, query.as_of, found.out_of_time)
        restated = (f"restated in {found.newer}",) if found.newer else ()
        return Hit.model_validate(
            common
            | {
                "kind": memory.kind.value,
                "title": guard.neutralise(memory.title),
                "trust": memory.trust if memory.trust != memory.source.trust else None,
                "standing": memory.standing,
                "flags": (*superseded, *restated, *withholding.borne(memory), *odd, *memory.flags),
            }
        )
    assert isinstance(row, EvidenceRow)
    outcome = Outcome(row.outcome)
    if row.kind == "episode":
        ended = outcome if outcome is not Outcome.UNKNOWN else None
        return Hit.model_validate(
            common | {"kind": "episode", "outcome": ended, "flags": (*odd, *row.flags)}
        )
    # How an attempt ended is no verdict on each of its steps.
    return Hit.model_validate(common | {"kind": "step", "flags": (*odd, *row.flags)})
