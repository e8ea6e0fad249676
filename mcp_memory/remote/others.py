"""Others: what a team's bank told, made fit for this machine: bounded in trust, and none of it its own."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.fetched import Fetched, FetchResult
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import SourceClass
from mcp_memory.domain.trusting import Trusting
from mcp_memory.history import writing
from mcp_memory.memories import promotion
from mcp_memory.memories.recent import NO_SESSION
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.search.channels import KNOWN, NO_HISTORY
from mcp_memory.text import cutting, guard
from mcp_memory.text.counting import counted

MOST_TRUST = SourceClass.AGENT.trust
"""What anybody else's word counts here at most: what they typed is not this machine's user's."""
MOST_LABEL = 80
_SESSIONS = frozenset({"trajectory", "episode"})

Labelled = TypeVar("Labelled", Hit, Fetched)


async def fit(rooms: Rooms, told: SearchResult) -> SearchResult:
    """Of an answer what this machine does not know itself and may tell; what is held back is counted."""
    trusting = rooms.trusting()
    known = await known_here(rooms, [*_refs(told)])
    hits, nearest = (
        [_labelled(hit) for hit in some if _foreign(hit.ref, known)]
        for some in (told.hits, told.nearest)
    )
    held = [
        hit
        for hit in (*hits, *nearest)
        if withheld((hit.ref,), f"{hit.title}\n{hit.text}", trusting)
    ]
    notes = [f"{counted(len(held), 'record')} of the team's bank held back: of unsure origin."]
    notes += ["The team's bank holds some back itself."]
    said = (bool(held), any(map(withholding.noted, told.notes)))
    sessions = [
        left.model_copy(update={"origin": "team", "project": _label(left.project)})
        for left in told.sessions
        if _foreign(left.ref, known)
    ]
    return told.model_copy(
        update={
            "files": None,
            "hits": tuple(hit for hit in hits if hit not in held),
            "nearest": tuple(hit for hit in nearest if hit not in held),
            "sessions": tuple(sessions),
            "notes": tuple(note for note, so in zip(notes, said, strict=True) if so),
        }
    )


def opened(told: FetchResult) -> tuple[Fetched, ...]:
    """What it had behind refs, as others' words."""
    return tuple(
        _labelled(item).model_copy(update={"path": None})
        for item in told.items
        if spelled(item.ref)
    )


def shown(steps: str, cap: int) -> str:
    """Steps as it shows them, as others' words."""
    return f"team: as a colleague's bank has it.\n{cutting.head(guard.neutralise(steps), cap)}"


async def known_here(rooms: Rooms, texts: Iterable[str]) -> frozenset[str]:
    """Of refs those of records that this machine has, has forgotten, or has purged."""
    parsed = {text: refs.parse(text) for text in texts if spelled(text)}
    ids = {ref.id for ref in parsed.values() if ref.kind in _SESSIONS}
    rows = await rooms.store.sessions(ids=tuple(ids)) if ids else []
    gone = await writing.tombstones(rooms)
    sessions = {row.id for row in rows} | {id_ for id_ in ids if gone.session(id_)}
    sessions |= await _excerpts(rooms) if ids - sessions else set()
    memories = tuple(text for text, ref in parsed.items() if ref.kind == "memory")
    kept = set(await spans.memory_rows(rooms, memories)) if memories else set()
    outputs = [text for text, ref in parsed.items() if ref.kind == "output"]
    found = await rooms.store.by_keys("evidence", outputs) if outputs else []
    kept |= {row.key for row in found}
    return frozenset(
        text
        for text, ref in parsed.items()
        if text in kept or (ref.kind in _SESSIONS and ref.id in sessions)
    )


async def _excerpts(rooms: Rooms) -> set[str]:
    """Ids of the sessions that stand there for steps of this machine's own, which it proposed from."""
    told = [orjson.loads(row.inverse) for row in await rooms.store.ledger(op=promotion.PROPOSED)]
    return {str(id_) for one in told for id_ in one.get("excerpts", ())}


def _refs(told: SearchResult) -> Iterable[str]:
    yield from (hit.ref for hit in (*told.hits, *told.nearest))
    yield from (left.ref for left in told.sessions)


def fitting(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes of this machine's answer beside a team's: what is not here is not nowhere."""
    return tuple(map(_beside, notes))


def _beside(note: str) -> str:
    if note.startswith(NO_HISTORY):
        name = note.removeprefix(NO_HISTORY).partition(KNOWN)[0]
        return f"This machine has no history of {name}: what is told is the team's."
    if note.startswith(NO_SESSION):
        return f"{NO_SESSION}of this machine {note.removeprefix(NO_SESSION)}"
    return note


def spelled(ref: str) -> bool:
    """Whether a word is a ref."""
    try:
        return bool(refs.parse(ref))
    except InvalidInput:
        return False


def _foreign(ref: str, known: frozenset[str]) -> bool:
    return spelled(ref) and ref not in known


def _labelled(one: Labelled) -> Labelled:
    """As a colleague's: whose word it is, how far it is trusted, its labels no longer than labels are."""
    trusted = one.source.trust if one.trust is None else one.trust
    source = SourceClass.EXTERNAL if one.source is SourceClass.USER else one.source
    trust = min(trusted, MOST_TRUST)
    told: dict[str, object] = {
        "origin": "team",
        "source": source,
        "trust": None if trust == source.trust else trust,
        "project": _label(one.project),
        "text": guard.neutralise(one.text),
        "flags": tuple(map(_label, one.flags)),
    }
    if isinstance(one, Hit):
        told["title"] = guard.neutralise(one.title)
        told["also"] = tuple(filter(spelled, one.also))
    return one.model_copy(update=told)


def _label(text: str) -> str:
    return guard.neutralise(" ".join(text.split()))[:MOST_LABEL]


def withheld(named: Sequence[str], said: str, trusting: Trusting) -> bool:
    """Whether it gives power away, or is of a source that the user distrusts: nobody here bears it out."""
    return trusting.distrusts(named, said) or bool(withholding.given(said))
