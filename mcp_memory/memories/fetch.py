"""fetch: the full text behind refs, within a budget, labelled with source and trust."""

from collections.abc import Sequence

from mcp_memory.archive import inspection
from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.models import Fetched, FetchResult, Memory, SourceClass
from mcp_memory.domain.refs import Ref
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.text import guard
from mcp_memory.trajectories import evidence

CHARS_PER_TOKEN = 4
MOST_REFS = 50


async def fetch(
    rooms: Rooms, texts: Sequence[str], *, around: int, budget_tokens: int | None
) -> FetchResult:
    """The records that refs name; unknown ones are listed beside the others.

    Raises:
        InvalidInput: no refs, or more than fifty.
        UnknownRef: none of the refs names anything.
    """
    if not 0 < len(texts) <= MOST_REFS:
        raise InvalidInput(
            f"{len(texts)} refs were given; 1 to {MOST_REFS} can be opened at once.",
            next_step="Take refs from an answer of `search`.",
        )
    chars = (budget_tokens or rooms.settings.fetch_tokens) * CHARS_PER_TOKEN // len(texts)
    items, unknown = [], []
    for text in dict.fromkeys(texts):
        try:
            items.append(await _one(rooms, refs.parse(text), around=around, chars=chars))
        except (UnknownRef, InvalidInput):
            unknown.append(text[:80])
    if not items:
        raise UnknownRef(unknown[0])
    return FetchResult(items=tuple(items), unknown=tuple(unknown))


async def _one(rooms: Rooms, ref: Ref, *, around: int, chars: int) -> Fetched:
    match ref.kind:
        case "memory":
            return await _memory(rooms, ref, chars)
        case "output":
            return await _output(rooms, ref, chars)
        case "episode" | "trajectory":
            return await _steps(rooms, ref, around=around, chars=chars)
        case "batch":
            raise UnknownRef(str(ref))


async def _steps(rooms: Rooms, ref: Ref, *, around: int, chars: int) -> Fetched:
    span = await spans.open_span(rooms, ref, around=around)
    shown, last = inspection.show(span.steps, cap=chars)
    row = await spans.session(rooms, ref.id)
    least = evidence.least_trusted(evidence.sources(span.steps))
    cut = last < span.last
    return Fetched(
        ref=refs.span(ref.id, span.first, last),
        kind="steps",
        text=guard.neutralise(shown),
        source=least,
        trust=least.trust,
        project=row.project,
        path=rooms.path_of(row.folder, span.first),
        truncated=cut,
        next_ref=refs.span(ref.id, last + 1, span.last) if cut else None,
        flags=tuple(sorted({flag for r in span.rows for flag in r.flags})),
    )


async def _output(rooms: Rooms, ref: Ref, chars: int) -> Fetched:
    found = await rooms.store.by_keys("evidence", (str(ref),))
    if not found or found[0].state != "live":
        raise UnknownRef(str(ref))
    row = found[0]
    source = SourceClass(row.source)
    return Fetched(
        ref=str(ref),
        kind="output",
        text=guard.neutralise(row.text[:chars]),
        source=source,
        trust=source.trust,
        project=row.project,
        truncated=len(row.text) > chars,
        flags=row.flags,
    )


async def _memory(rooms: Rooms, ref: Ref, chars: int) -> Fetched:
    versions = (await spans.memory_rows(rooms, (str(ref),))).get(str(ref))
    if not versions:
        raise UnknownRef(str(ref))
    kept = [spans.memory_of(row) for row in versions]
    text = "\n\n".join([_told(kept[-1]), *(_earlier(memory) for memory in reversed(kept[:-1]))])
    newest = kept[-1]
    return Fetched(
        ref=str(ref),
        kind=newest.kind.value,
        text=guard.neutralise(text[:chars]),
        source=newest.source,
        trust=newest.trust,
        project=newest.project,
        truncated=len(text) > chars,
        flags=newest.flags,
    )


def _told(memory: Memory) -> str:
    parts = [
        (
            f"{memory.kind.value} · {memory.standing.value} · {memory.state.value} · "
            f"version {memory.version} · {memory.created_at.date().isoformat()}"
        ),
        memory.title,
        memory.text,
        memory.when_to_use and f"When to use: {memory.when_to_use}",
        memory.not_when and f"Not when: {memory.not_when}",
        memory.files and f"Files: {', '.join(memory.files)}",
        memory.superseded_by and f"Superseded by {memory.superseded_by}",
        memory.supersedes and f"Supersedes {memory.supersedes}",
        *(f"Evidence: {cited.ref} {cited.quote}".rstrip() for cited in memory.evidence),
    ]
    return "\n".join(part for part in parts if part)


def _earlier(memory: Memory) -> str:
    return f"Earlier version {memory.version} ({memory.state.value}): {memory.text}"
