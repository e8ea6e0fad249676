"""fetch: the text behind refs, which share a budget, labelled with source and trust."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import anyio.to_thread
import orjson

from mcp_memory.archive import parts, reading, shortening
from mcp_memory.archive.shortening import Find, Text
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Reading, Show
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.fetched import Fetched, FetchResult
from mcp_memory.domain.models import Episode, Memory, SourceClass
from mcp_memory.domain.paths import relative
from mcp_memory.domain.refs import Ref
from mcp_memory.memories import page, succession
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, uses
from mcp_memory.search.spans import Span
from mcp_memory.text import guard
from mcp_memory.trajectories import origins

BYTES_PER_TOKEN = 4
MOST_REFS = 50
NEXT = 48
"""Bytes of a `next_ref`."""
LEAST = 120
"""Room of the text of one ref, however many share."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a ref names, before it is shortened: steps, or one text with the ref to read it on."""

    bare: Fetched
    """The record before its text."""
    span: Span | None = None
    head: str = ""
    text: str = ""
    offset: int | None = None
    roots: tuple[str, ...] = ()
    """Folders that paths are told from."""

    def name(self, path: str) -> str:
        """A path as it is told."""
        return relative(path, self.roots)

    def needs(self, show: Show) -> int:
        """About the bytes of all of it."""
        if self.span is None:
            return shortening.cost(self.text)
        told = (part for step in self.span.steps for part in parts.parts(step, show, self.name))
        return sum(shortening.cost(part.text) + 40 for part in told)


async def fetch(rooms: Rooms, asked: Reading) -> FetchResult:
    """The records that refs name; unknown ones are listed beside the others.

    Raises:
        InvalidInput: no refs, or more than fifty.
        UnknownRef: none of the refs names anything.
    """
    if not 0 < len(asked.refs) <= MOST_REFS:
        raise InvalidInput(
            f"{len(asked.refs)} refs were given; 1 to {MOST_REFS} can be opened at once.",
            next_step="Take refs from an answer of `search`.",
        )
    opened, unknown, faults = [], [], []
    for text in dict.fromkeys(asked.refs):
        try:
            opened.append(await _opened(rooms, refs.parse(text), asked))
        except (UnknownRef, InvalidInput) as error:
            unknown.append(text[:80])
            faults.append(error if isinstance(error, UnknownRef) else UnknownRef(text[:80]))
    if not opened:
        raise faults[0]
    await uses.note(rooms, "opened", [ref for ref in asked.refs if ref[:80] not in unknown])
    root, paths = rooms.placed([each.bare.path for each in opened])
    placed = [
        each.bare.model_copy(update={"path": path})
        for each, path in zip(opened, paths, strict=True)
    ]
    frame = FetchResult(folder=root, items=tuple(placed), unknown=tuple(unknown))
    room = (asked.budget_tokens or rooms.settings.fetch_tokens) * BYTES_PER_TOKEN - _size(frame)
    return await anyio.to_thread.run_sync(_filled, frame, opened, asked, room)


def _filled(
    frame: FetchResult, opened: Sequence[_Opened], asked: Reading, room: int
) -> FetchResult:
    find = shortening.finder(asked.match)
    room -= NEXT * len(opened)
    shares = shortening.share(
        [each.needs(asked.show) for each in opened], [1.0] * len(opened), room
    )
    items = [
        _text(each, bare, max(share, LEAST), asked.show, find)
        for each, bare, share in zip(opened, frame.items, shares, strict=True)
    ]
    return frame.model_copy(update={"items": tuple(items)})


def _size(frame: FetchResult) -> int:
    return len(orjson.dumps(frame.model_dump(mode="json", exclude_defaults=True)))


async def _opened(rooms: Rooms, ref: Ref, asked: Reading) -> _Opened:
    match ref.kind:
        case "memory":
            return await _memory(rooms, ref, asked.as_of)
        case "output":
            return await _output(rooms, ref)
        case "episode" | "trajectory":
            return await _steps(rooms, ref, asked)
        case "batch":
            raise UnknownRef(str(ref))


def _text(opened: _Opened, bare: Fetched, room: int, show: Show, find: Find | None) -> Fetched:
    """The record with as much of its text as the room holds."""
    if opened.offset is not None:
        return _read_on(opened, bare, room)
    if opened.span is None:
        told = Text(opened.text, f"{bare.ref}@")
        return bare.model_copy(
            update={"text": guard.neutralise(shortening.shorten(told, room, find))}
        )
    span = opened.span
    head = f"{opened.head}\n\n" if opened.head else ""
    asked = reading.Asked(show, find, opened.name)
    shown = reading.show(span.steps, asked, room=room - shortening.cost(head))
    cut = shown.last < span.last
    return bare.model_copy(
        update={
            "ref": refs.span(span.trajectory, span.first, shown.last),
            "text": guard.neutralise(head + shown.text),
            "next_ref": refs.span(span.trajectory, shown.last + 1, span.last) if cut else None,
        }
    )


def _read_on(opened: _Opened, bare: Fetched, room: int) -> Fetched:
    """A long text from a place on, as far as the room reaches."""
    assert opened.offset is not None
    rest = opened.text[opened.offset :]
    end = shortening.prefix(rest, room)
    more = end < len(rest)
    return bare.model_copy(
        update={
            "text": guard.neutralise(rest[:end]),
            "next_ref": f"{bare.ref.partition('@')[0]}@{opened.offset + end}" if more else None,
        }
    )


async def _steps(rooms: Rooms, ref: Ref, asked: Reading) -> _Opened:
    span = await spans.open_span(rooms, ref, around=asked.around if ref.offset is None else 0)
    span = span.until(asked.as_of)
    row = await spans.session(rooms, ref.id)
    least = origins.least_trusted(origins.sources(span.steps))
    bare = Fetched(
        ref=str(ref) if ref.offset is not None else span.ref,
        text="",
        source=least,
        project=row.project,
        path=f"{row.folder}/steps.jsonl:{span.first}",
        flags=tuple(sorted({flag for r in span.rows for flag in r.flags})),
    )
    opened = _Opened(bare, span, await _outcome(rooms, ref), roots=(row.project, row.cwd))
    if ref.offset is None:
        return opened
    whole = parts.whole(span.steps[0], opened.name)
    return replace(opened, span=None, text=whole, offset=_within(ref, whole))


async def _outcome(rooms: Rooms, ref: Ref) -> str:
    """How an episode ended, and by what this is known; nothing for steps."""
    if ref.kind != "episode":
        return ""
    (row,) = await rooms.store.by_keys("evidence", (str(ref),))
    episode = Episode.model_validate_json(row.body)
    return f"{ref} ended in {episode.outcome.value}: {episode.reason}"


async def _output(rooms: Rooms, ref: Ref) -> _Opened:
    key = str(ref.model_copy(update={"offset": None}))
    found = await rooms.store.by_keys("evidence", (key,))
    if not found or found[0].state != "live":
        raise UnknownRef(str(ref))
    row = found[0]
    bare = Fetched(
        ref=str(ref),
        kind="output",
        text="",
        source=SourceClass(row.source),
        project=row.project,
        flags=row.flags,
    )
    return _Opened(bare, text=row.text, offset=_within(ref, row.text))


def _within(ref: Ref, text: str) -> int | None:
    """The place in a text that a ref reads on from."""
    return None if ref.offset is None else min(ref.offset, len(text))


async def _memory(rooms: Rooms, ref: Ref, as_of: datetime | None) -> _Opened:
    kept = await _versions(rooms, str(ref.model_copy(update={"offset": None})))
    then = await succession.as_of(rooms, kept[-1], as_of) if as_of else kept[-1]
    if as_of and then and then.ref != kept[-1].ref:
        kept = await _versions(rooms, then.ref)
        ref = refs.parse(then.ref)
    text = await page.of(rooms, kept)
    if then is None:
        text = f"Neither this nor what it superseded held then.\n\n{text}"
    newest = kept[-1]
    bare = Fetched(
        ref=str(ref),
        kind=newest.kind.value,
        text="",
        source=newest.source,
        trust=newest.trust if newest.trust != newest.source.trust else None,
        project=newest.project,
        flags=newest.flags,
    )
    return _Opened(bare, text=text, offset=_within(ref, text))


async def _versions(rooms: Rooms, key: str) -> list[Memory]:
    """All versions of a memory, oldest first.

    Raises:
        UnknownRef: there is no such memory.
    """
    rows = (await spans.memory_rows(rooms, (key,))).get(key)
    if not rows:
        raise UnknownRef(key)
    return [spans.memory_of(row) for row in rows]
