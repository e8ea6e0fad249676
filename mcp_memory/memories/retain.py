"""retain: one memory through admission and the gate, in two appends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from mcp_memory.domain import refs
from mcp_memory.domain.errors import AdmissionRefused, GateRefused, InvalidInput, UnknownRef
from mcp_memory.domain.models import (
    Draft,
    Memory,
    Resemblance,
    Retained,
    SourceClass,
    State,
)
from mcp_memory.domain.projects import EVERY, USER
from mcp_memory.memories import freshness, gate, releasing, ruling, succession, superseding
from mcp_memory.memories.citing import cite
from mcp_memory.memories.gate import Admit, Cited, Neighbour, Refuse
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import MemoryRow, Where
from mcp_memory.text import identifiers, powers
from mcp_memory.trajectories import admission
from mcp_memory.trajectories.naming import one_line

MOST_CHARS = 20_000
NEVER = datetime.min.replace(tzinfo=UTC)
RESEMBLES = 0.8
"""Cosine above which a memory is named as resembling; the gate judges nearer ones."""


async def retain(rooms: Rooms, draft: Draft, *, by: SourceClass = SourceClass.AGENT) -> Retained:
    """Keep a memory; the same content from the same source keeps its ref.

    The same content with new evidence is a new version of it. `by`: who asks.

    Raises:
        InvalidInput: the text is empty or too long, or a ref is not one.
        UnknownRef: the superseded memory does not exist.
        GateRefused: a quote does not occur where it is said to, or evidence does not exist.
    """
    check(draft)
    admitted = admission.admit_draft(draft)
    project = rooms.writes_to(admitted.draft.project)
    draft = admitted.draft.model_copy(update={"project": project})
    async with succession.alone(rooms, (draft,)):
        proposal = await propose(rooms, draft, flags=admitted.flags, strict=False, by=by)
        if isinstance(proposal, Memory):
            return _known(proposal)
        rows = await proposal.rows(rooms)
        batch = await rooms.store.once(
            "retain", lambda one: [in_batch(row, one) for row in rows], inverse={"kind": "memories"}
        )
    memory = proposal.memory
    if proposal.released:
        await releasing.release(rooms, (memory.ref,))
    return Retained(
        ref=memory.ref,
        version=memory.version,
        standing=memory.standing,
        created=True,
        masked=admitted.masked,
        resembles=proposal.near,
        notes=proposal.notes,
        batch=batch,
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A memory that the gate let in, and what changes with it."""

    memory: Memory
    vector: tuple[float, ...] | None
    near: tuple[Resemblance, ...]
    notes: tuple[str, ...]
    older: Memory | None = None
    """What it supersedes, or only challenges."""
    released: bool = False
    """Whether it gives power away and two sessions bear that out by what they did."""

    async def rows(self, rooms: Rooms) -> list[MemoryRow]:
        """Its row, and a new version of the memory that it supersedes or challenges."""
        rows = [row_of(self.memory, self.vector)]
        if self.older is not None and (changed := superseding.overtaken(self.older, self.memory)):
            rows.append(row_of(changed, (await rooms.vectors([searched(changed)]))[0]))
        return rows


async def propose(
    rooms: Rooms,
    draft: Draft,
    *,
    flags: tuple[str, ...],
    strict: bool,
    by: SourceClass = SourceClass.AGENT,
) -> Proposal | Memory:
    """The memory that a draft makes, or the one that already says just this, live or overtaken.

    `by`: who asks; what the user types needs no evidence.

    Raises:
        GateRefused: the gate does not let it in.
        AdmissionRefused: the project's rules say that such things are not kept.
        UnknownRef: the superseded memory does not exist.
    """
    older = await spans.current(rooms, draft.supersedes) if draft.supersedes else None
    cited = await cite(rooms, draft)
    source = _source(cited, by)
    draft, moved = _placed(rooms, draft, source)
    earlier, vector, found = await _looked_up(rooms, draft, _ref(draft, source))
    await _one_successor(rooms, _ref(draft, source), older)
    if earlier is not None:
        if await _corrected(rooms, earlier, draft):
            return earlier
        draft = draft.model_copy(update=_joined(earlier, draft))
        if earlier.state is State.LIVE and not _says_more(earlier, draft):
            return earlier
        cited = await cite(rooms, draft)
    near = tuple(n for n in found if n.ref not in {_ref(draft, source), draft.supersedes})
    verdict = gate.judge(draft, cited, near, strict=strict, by=by)
    if isinstance(verdict, Refuse):
        raise GateRefused(verdict.reasons)
    verdict = _ruled(rooms, draft, cited, source, verdict)
    memory = memory_of(draft, cited, source, verdict)
    project = rooms.writes_to(draft.project)
    placed = {"project": project, "created_at": rooms.now(), "flags": flags}
    placed |= {"seen": await freshness.stamps(rooms, draft.files, project)}
    memory = memory.model_copy(update={**placed, **superseding.again(earlier)})
    if older is not None and (fault := superseding.comes_before(memory, older)):
        raise GateRefused((fault,))
    shown = tuple(Resemblance(ref=n.ref, similarity=n.similarity, title=n.title) for n in near)
    told = superseding.remarks(older, memory) if older else ()
    notes = (*moved, *verdict.notes, *told)
    borne = bool(powers.held(said(draft))) and not gate.unborne_powers(draft, _live(cited))
    return Proposal(memory, vector, shown, notes, older, released=borne)


def _live(cited: Sequence[Cited]) -> list[Cited]:
    return [each for each in cited if each.live]


def _placed(rooms: Rooms, draft: Draft, source: SourceClass) -> tuple[Draft, tuple[str, ...]]:
    """The draft in its project: only what the user says is for every one of them.

    Raises:
        InvalidInput: this process stands in no project.
    """
    if draft.project != USER or source is SourceClass.USER:
        return draft, ()
    if rooms.project == EVERY:
        raise InvalidInput(
            "Only the user's own words are for every project, and nothing says which this is of.",
            next_step="Name it in `project` (its folder's name will do), or cite the user's step.",
        )
    project = rooms.writes_to(None)
    note = f"Only the user's own words are for every project: this is kept for {project}."
    return draft.model_copy(update={"project": project}), (note,)


def _ruled(
    rooms: Rooms, draft: Draft, cited: Sequence[Cited], source: SourceClass, verdict: Admit
) -> Admit:
    """The verdict under the project's own rules.

    Raises:
        AdmissionRefused: they say that such things are not kept.
    """
    rules = rooms.ruling(rooms.writes_to(draft.project)).rules
    if reason := ruling.refusal(rules, draft):
        raise AdmissionRefused(reason, next_step="Leave that out, or change the rules.")
    return ruling.narrowed(rules, cited, verdict, users_own=source is SourceClass.USER)


async def _looked_up(
    rooms: Rooms, draft: Draft, ref: str
) -> tuple[Memory | None, tuple[float, ...] | None, tuple[Neighbour, ...]]:
    """The memory that says just this already, and those that say nearly so, looked up at once."""
    earlier: list[Memory | None] = []

    async def ask() -> None:
        earlier.append(await _earlier(rooms, ref))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        vector = (await rooms.vectors([searched(draft)]))[0]
        found = await neighbours(rooms, vector, project=draft.project)
    return earlier[0], vector, found


async def _earlier(rooms: Rooms, ref: str) -> Memory | None:
    if await rooms.store.lacks(ref):
        return None
    versions = (await spans.memory_rows(rooms, (ref,))).get(ref)
    return spans.memory_of(versions[-1]) if versions else None


async def _one_successor(rooms: Rooms, ref: str, older: Memory | None) -> None:
    """A memory has one live successor, and a dead one needs none.

    Raises:
        GateRefused: it is forgotten, the draft itself, or superseded by another already.
    """
    if older is None:
        return
    successor = older.superseded_by or ""
    live = bool(successor) and await _is_live(rooms, successor)
    if fault := superseding.fault(ref, older, successor if live else ""):
        raise GateRefused((fault,))


async def _corrected(rooms: Rooms, earlier: Memory, draft: Draft) -> bool:
    """Whether a memory was retired on purpose, and the draft does not say that it takes that back."""
    if earlier.state is not State.SUPERSEDED:
        return False
    successor = earlier.superseded_by
    if successor is None:
        return True
    return draft.supersedes != successor and await _is_live(rooms, successor)


async def _is_live(rooms: Rooms, ref: str) -> bool:
    try:
        return (await spans.current(rooms, ref)).state is State.LIVE
    except UnknownRef:
        return False


async def with_vectors(rooms: Rooms, rows: Sequence[MemoryRow]) -> list[MemoryRow]:
    """The rows with what the model makes of them."""
    vectors = await rooms.vectors([row.text for row in rows])
    return [replace(row, vector=vector) for row, vector in zip(rows, vectors, strict=True)]


def in_batch(row: MemoryRow, batch: str) -> MemoryRow:
    """The row with its batch, also in what it tells of itself."""
    memory = spans.memory_of(row).model_copy(update={"batch": batch})
    return replace(row, batch=batch, body=memory.model_dump_json())


def said(draft: Draft | Memory) -> str:
    """All words of a memory."""
    return "\n".join(part for part in (searched(draft), draft.not_when) if part)


def searched(draft: Draft | Memory) -> str:
    """The words that a memory is found by: when it does not hold is no match for it."""
    parts = (draft.title, draft.text, draft.when_to_use)
    return "\n".join(part for part in parts if part)


def content_hash(draft: Draft | Memory, source: SourceClass) -> str:
    """The same for the same content, project and source."""
    told = (draft.kind.value, draft.project, source.value, " ".join(said(draft).split()))
    return refs.digest(told)


async def neighbours(
    rooms: Rooms, vector: tuple[float, ...] | None, *, project: str | None
) -> tuple[Neighbour, ...]:
    """Live memories of the project that say nearly the same, nearest first."""
    if vector is None:
        return ()
    where = Where(projects=tuple({project or rooms.project, "user"}))
    found = await rooms.store.by_vector("memories", vector, where=where, limit=5)
    close = {hit.key: hit.score for hit in found if hit.score >= RESEMBLES}
    versions = await spans.memory_rows(rooms, tuple(close))
    newest = {key: spans.memory_of(rows[-1]) for key, rows in versions.items()}
    return tuple(
        Neighbour(
            ref=key,
            similarity=round(score, 3),
            title=newest[key].title or one_line(newest[key].text, 80),
            kind=newest[key].kind,
            text=newest[key].text,
            valid_from=newest[key].valid_from,
            valid_to=newest[key].valid_to,
        )
        for key, score in close.items()
        if newest[key].state is State.LIVE
    )


def memory_of(draft: Draft, cited: Sequence[Cited], source: SourceClass, verdict: Admit) -> Memory:
    """The first version of a memory; its trust is the minimum over its lineage."""
    lineage = [source.trust]
    if source is not SourceClass.USER:
        lineage += [each.source.trust for each in cited if each.live]
    return Memory(
        ref=_ref(draft, source),
        version=1,
        kind=draft.kind,
        text=draft.text,
        title=draft.title,
        when_to_use=draft.when_to_use,
        not_when=draft.not_when,
        evidence=draft.evidence,
        files=draft.files,
        tags=draft.tags,
        source=source,
        trust=min(lineage),
        standing=verdict.standing,
        supersedes=draft.supersedes,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
        **_seen(cited),
        created_at=NEVER,
        batch="",
    )


def row_of(memory: Memory, vector: tuple[float, ...] | None) -> MemoryRow:
    """A memory's row; the batch is set by the store's change."""
    words = searched(memory)
    return MemoryRow(
        key=memory.ref,
        version=memory.version,
        kind=memory.kind.value,
        project=memory.project,
        source=memory.source.value,
        standing=memory.standing.value,
        state=memory.state.value,
        at=memory.created_at,
        text=words,
        context="\n".join((words, *memory.tags, *(cited.quote for cited in memory.evidence))),
        identifiers=identifiers.column(words),
        paths=memory.files,
        evidence=tuple(cited.ref for cited in memory.evidence),
        body=memory.model_dump_json(),
        hash=content_hash(memory, memory.source),
        batch=memory.batch,
        vector=vector,
    )


def check(draft: Draft) -> None:
    """Refuse what says nothing, or more than is taken.

    Raises:
        InvalidInput: the text is empty or too long.
    """
    if not draft.text.strip():
        raise InvalidInput("The text is empty.", next_step="Say in `text` what was learned.")
    if len(said(draft)) > MOST_CHARS:
        raise InvalidInput(
            f"The memory has {len(said(draft)):,} characters; {MOST_CHARS:,} are taken.",
            next_step="Keep the point, and cite the steps that hold the rest.",
        )


def _known(memory: Memory) -> Retained:
    return Retained(
        ref=memory.ref,
        version=memory.version,
        standing=memory.standing,
        created=False,
        notes=superseding.why_not_again(memory),
        batch=memory.batch,
    )


def _source(cited: Sequence[Cited], by: SourceClass) -> SourceClass:
    """The user's is what the user types here, or typed in a step that the evidence names."""
    own = by is SourceClass.USER or any(each.users_word for each in cited)
    return SourceClass.USER if own else SourceClass.AGENT


def _ref(draft: Draft, source: SourceClass) -> str:
    return f"m:{refs.short_hash('memory', content_hash(draft, source))}"


def _joined(earlier: Memory, draft: Draft) -> dict[str, object]:
    """What a draft says of a memory, with what the memory said already."""
    cited = {each.ref: each for each in (*earlier.evidence, *draft.evidence)}
    return {
        "evidence": tuple(cited.values()),
        "valid_from": draft.valid_from or earlier.valid_from,
        "valid_to": draft.valid_to or earlier.valid_to,
    }


def _says_more(earlier: Memory, draft: Draft) -> bool:
    """Whether a draft gives a memory evidence or times that it has not."""
    return any(getattr(draft, one) != getattr(earlier, one) for one in _JOINED)


_JOINED = ("evidence", "valid_from", "valid_to")


def _seen(cited: Sequence[Cited]) -> dict[str, datetime | None]:
    """When the live evidence shows it first and last."""
    live = _live(cited)
    first = [each.first_at for each in live if each.first_at is not None]
    last = [each.last_at for each in live if each.last_at is not None]
    return {"first_seen": min(first, default=None), "last_seen": max(last, default=None)}
