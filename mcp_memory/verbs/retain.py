"""retain: one memory through admission and the gate, in two appends; or feedback on memories."""

import hashlib
from collections.abc import Sequence

import orjson

from mcp_memory import admission, consolidation, ranking, refs
from mcp_memory.consolidation import Admit, Cited, Refuse
from mcp_memory.errors import GateRefused, InvalidInput, UnknownRef
from mcp_memory.models import (
    Draft,
    Memory,
    Outcome,
    Resemblance,
    Retained,
    SourceClass,
    Standing,
    State,
)
from mcp_memory.store.rows import MemoryRow, Where
from mcp_memory.verbs import spans
from mcp_memory.verbs.rooms import Rooms

MOST_CHARS = 20_000
RESEMBLES = 0.8
"""Cosine above which a memory is named as resembling; the gate judges nearer ones."""


async def retain(rooms: Rooms, draft: Draft) -> Retained:
    """Keep a memory; the same content from the same source keeps its ref.

    Raises:
        InvalidInput: the text is empty or too long, or a ref is not one.
        UnknownRef: the superseded memory does not exist.
        GateRefused: a quote does not occur where it is said to, or evidence does not exist.
    """
    _check(draft)
    admitted = admission.admit_draft(draft)
    draft = admitted.draft.model_copy(update={"project": draft.project or rooms.project})
    if draft.supersedes:
        await spans.current(rooms, draft.supersedes)
    known = await _known(rooms, draft)
    if known is not None:
        return known
    vector = (await rooms.vectors([said(draft)]))[0]
    near = await neighbours(rooms, vector, project=draft.project)
    cited = await cite(rooms, draft)
    verdict = consolidation.judge(draft, cited, near, strict=False)
    if isinstance(verdict, Refuse):
        raise GateRefused(verdict.reasons)
    memory = memory_of(rooms, draft, cited, verdict, flags=admitted.flags)
    batch = await _write(rooms, memory, vector)
    return Retained(
        ref=memory.ref,
        version=memory.version,
        standing=memory.standing,
        created=True,
        masked=admitted.masked,
        resembles=near,
        notes=verdict.notes,
        batch=batch,
    )


async def feedback(rooms: Rooms, used: Sequence[str], outcome: Outcome) -> Retained:
    """Record that memories were used and how it went; their counters belong to this version.

    Raises:
        InvalidInput: a ref names no memory.
        UnknownRef: a memory does not exist.
    """
    memories = []
    for text in dict.fromkeys(used):
        ref = refs.parse(text)
        if ref.kind != "memory":
            raise InvalidInput(
                f"{text} is not a memory.", next_step="Feedback goes to memories, m:…."
            )
        memories.append(await spans.current(rooms, str(ref)))
    keys = tuple(f"{memory.ref}@{memory.version}" for memory in memories)
    batch = await rooms.store.note("feedback", refs=keys, inverse={"outcome": outcome.value})
    first = memories[0]
    return Retained(
        ref=first.ref,
        version=first.version,
        standing=first.standing,
        created=False,
        notes=(f"Feedback recorded for {len(keys)} memories: {outcome.value}.",),
        batch=batch,
    )


def said(draft: Draft | Memory) -> str:
    """All words of a memory, as they are searched."""
    parts = (draft.title, draft.text, draft.when_to_use, draft.not_when)
    return "\n".join(part for part in parts if part)


def content_hash(draft: Draft | Memory, source: SourceClass) -> str:
    """The same for the same content, project and source."""
    told = (draft.kind.value, draft.project, source.value, " ".join(said(draft).split()))
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


async def neighbours(
    rooms: Rooms, vector: tuple[float, ...] | None, *, project: str | None
) -> tuple[Resemblance, ...]:
    """Live memories of the project that say nearly the same, nearest first."""
    if vector is None:
        return ()
    where = Where(projects=tuple({project or rooms.project, "user"}))
    found = await rooms.store.by_vector("memories", vector, where=where, limit=5)
    close = {hit.key: hit.score for hit in found if hit.score >= RESEMBLES}
    versions = await spans.memory_rows(rooms, tuple(close))
    newest = {key: spans.memory_of(rows[-1]) for key, rows in versions.items()}
    return tuple(
        Resemblance(ref=key, similarity=round(score, 3), title=newest[key].title or newest[key].text[:80])
        for key, score in close.items()
        if newest[key].state is State.LIVE
    )


async def cite(rooms: Rooms, draft: Draft) -> tuple[Cited, ...]:
    """What a draft's evidence says, span by span; spans that do not exist come back as not live."""
    cited = []
    for claim in draft.evidence:
        ref = refs.parse(claim.ref)
        if ref.kind not in {"trajectory", "episode"}:
            raise InvalidInput(
                f"{claim.ref} cannot be evidence.",
                next_step="Evidence is a span of steps, t:…#12-15, or an episode, e:….2.",
            )
        try:
            span = await spans.open_span(rooms, ref)
        except UnknownRef:
            cited.append(Cited(ref=claim.ref, session=ref.id, live=False, text=""))
            continue
        users = all(step.source is SourceClass.USER for step in span.steps)
        cited.append(
            Cited(
                ref=claim.ref,
                session=ref.id,
                live=True,
                text=span.text,
                source=SourceClass.USER if users else min(
                    (SourceClass(row.source) for row in span.rows), key=lambda s: s.trust
                ),
            )
        )
    return tuple(cited)


def memory_of(
    rooms: Rooms, draft: Draft, cited: Sequence[Cited], verdict: Admit, *, flags: tuple[str, ...]
) -> Memory:
    """The first version of a memory: trust is the minimum over its lineage, source the host agent.

    A claim that the user said it counts only with the user's own step as evidence.
    """
    from_user = bool(cited) and all(c.source is SourceClass.USER for c in cited)
    source = SourceClass.USER if from_user else SourceClass.AGENT
    lineage = [source.trust, *(c.source.trust for c in cited if c.live)]
    return Memory(
        ref=f"m:{refs.short_hash('memory', content_hash(draft, source))}",
        version=1,
        kind=draft.kind,
        text=draft.text,
        title=draft.title,
        when_to_use=draft.when_to_use,
        not_when=draft.not_when,
        evidence=draft.evidence,
        files=draft.files,
        tags=draft.tags,
        project=draft.project or rooms.project,
        source=source,
        trust=min(lineage),
        standing=verdict.standing,
        supersedes=draft.supersedes,
        flags=flags,
        created_at=rooms.now(),
        batch="",
    )


def row_of(memory: Memory, vector: tuple[float, ...] | None) -> MemoryRow:
    """A memory's row; the batch is set by the store's change."""
    words = said(memory)
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
        context=" ".join((*memory.tags, *(cited.quote for cited in memory.evidence))),
        identifiers=" ".join(ranking.identifiers(words)),
        paths=memory.files,
        evidence=tuple(cited.ref for cited in memory.evidence),
        body=memory.model_dump_json(),
        hash=content_hash(memory, memory.source),
        batch=memory.batch,
        vector=vector,
    )


async def _known(rooms: Rooms, draft: Draft) -> Retained | None:
    """The memory that already says this; brought back when it was forgotten is the host's choice."""
    hashes = tuple(content_hash(draft, s) for s in (SourceClass.AGENT, SourceClass.USER))
    rows = await rooms.store.find("memories", Where(hashes=hashes, states=()))
    if not rows:
        return None
    memory = await spans.current(rooms, rows[0].key)
    if memory.state is not State.LIVE or memory.evidence != draft.evidence:
        return None
    return Retained(
        ref=memory.ref,
        version=memory.version,
        standing=memory.standing,
        created=False,
        batch=memory.batch,
    )
