"""Digests: what hooks may say of a project, put together from what stands in its bank."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain import refs, validity
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import STANDS, Memory, MemoryKind, Standing, State
from mcp_memory.domain.trusting import Trusting
from mcp_memory.hooks import briefing, lines, mendings, suppressing, touching, undoing
from mcp_memory.hooks.lines import Line
from mcp_memory.hooks.ready import Ready, Saying
from mcp_memory.memories import faults
from mcp_memory.search import restating, withholding
from mcp_memory.trajectories.entries import Entry

NOTHING_SAID = Trusting()
MOST_FILES = 300
MOST_LINES = 3
"""What an error or a file has at most; a host's turn is not the place for more."""
MOST_LANDED = 300
_ERROR = "this error was met before, and this is what was learned of it"
_FILE = "what went wrong with this file before"


class Sessions(NamedTuple):
    """The live sessions of a project, as it is told of them."""

    entries: Sequence[Entry] = ()
    """In any order."""
    left: Sequence[LeftOff] = ()
    """The newest that a person worked in, as they were left."""
    own: Mapping[str, str] = {}
    """Ref to its host's name for it, hashed."""
    last: int = 0
    """When the newest ended, in seconds of the epoch."""


def stands(memory: Memory) -> bool:
    """Whether a memory may be said unasked: live, with its quorum, trusted, nothing noticed about it."""
    return (
        memory.state is State.LIVE
        and memory.standing is Standing.ESTABLISHED
        and memory.trust >= STANDS
        and not memory.flags
        and not memory.superseded_by
        and validity.timeless(memory)
    )


def assemble(
    project: str,
    memories: Sequence[Memory],
    sessions: Sessions,
    trusting: Trusting = NOTHING_SAID,
) -> Ready:
    """What hooks may say of a project."""
    told = [one for one in sessions.entries if not trusting.distrusts((f"t:{one.id}",))]
    entries = sorted(told, key=lambda one: (one.started, one.id), reverse=True)
    left = [one for one in sessions.left if not trusting.distrusts((one.ref,))]
    doubted = restating.restated(memories)
    known = [one for one in sorted(memories, key=lambda one: one.ref) if stands(one)]
    known = [one for one in known if not withholding.of_memory(one, trusting)]
    known = [one for one in known if one.ref not in doubted]
    known.sort(key=lambda one: (one.trust, one.created_at), reverse=True)
    cures = mendings.cures(entries)
    landed = (made.hash[:12] for one in entries for made in one.landed if made.hash)
    return Ready(
        project,
        briefing=briefing.told(project, known, entries, left, sessions.own),
        errors=_errors(known, entries, _mended(entries, cures)),
        files=dict(_files(known)),
        undone=dict(undoing.changes(entries)),
        forms=dict(mendings.forms(cures, entries)),
        changed=dict(touching.changed(entries)),
        landed=tuple(dict.fromkeys(landed))[:MOST_LANDED],
        last=sessions.last,
    )


def _mended(
    entries: Sequence[Entry], cures: Mapping[str, list[mendings.Cure]]
) -> Iterator[tuple[str, Saying]]:
    yield from mendings.errors(cures, mendings.met(entries))
    yield from suppressing.rules(entries)


def _errors(
    memories: Sequence[Memory], entries: Sequence[Entry], mended: Iterator[tuple[str, Saying]]
) -> Mapping[str, tuple[Saying, ...]]:
    """Cause of an error to what memories say that cite a step which met it, then to how it was got past."""
    cited = _cited(memories)
    told: dict[str, list[Line]] = {}
    for entry in entries:
        for error in entry.errors if entry.id in cited else ():
            for memory, first, last in cited[entry.id]:
                if any(first <= step <= last for step in error.steps):
                    told.setdefault(faults.cause_of(error.name), []).append(lines.of_memory(memory))
    found: dict[str, tuple[Saying, ...]] = {}
    for kind, each in told.items():
        kept = [line for line in dict.fromkeys(each) if lines.fit(line)][:MOST_LINES]
        if kept:
            found[kind] = (lines.said(_ERROR, "error", kept),)
    for kind, said in mended:
        found[kind] = (*found.get(kind, ()), said)
    return found


def _files(memories: Sequence[Memory]) -> Iterator[tuple[str, Saying]]:
    """File to its gotchas."""
    told: dict[str, list[Line]] = {}
    for memory in memories:
        for path in memory.files if memory.kind is MemoryKind.GOTCHA else ():
            name = path.replace("\\", "/").removeprefix("./")
            told.setdefault(name, []).append(lines.of_memory(memory))
    for name in list(told)[:MOST_FILES]:
        kept = [line for line in told[name] if lines.fit(line)][:MOST_LINES]
        if kept:
            yield name, lines.said(_FILE, "file", kept)


def _cited(memories: Sequence[Memory]) -> Mapping[str, Sequence[tuple[Memory, int, int]]]:
    """Session to the memories that cite steps of it."""
    found: dict[str, list[tuple[Memory, int, int]]] = {}
    for memory in memories:
        for evidence in memory.evidence:
            try:
                ref = refs.parse(evidence.ref)
            except InvalidInput:
                continue
            if ref.kind == "trajectory" and ref.first is not None:
                span = (memory, ref.first, ref.last or ref.first)
                found.setdefault(ref.id, []).append(span)
    return found
