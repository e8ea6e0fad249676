"""Remembered: memories that bear on a task as lines: what to do, when, and what it rests on."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain import refs, validity
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import STANDS, Memory, Standing
from mcp_memory.memories.looking import Looked
from mcp_memory.runbook import sentences
from mcp_memory.text.counting import counted

CHARS = 480
"""So much of a memory is told, in whole sentences; `fetch` has the rest."""
OVERTAKEN = ("superseded", "retired", "restated in ", validity.ENDED, validity.NOT_YET)
"""How the flags begin of what does not hold."""
CHALLENGED = "challenged by "
PLAIN = (CHALLENGED, validity.UNTIL, validity.LEARNED)
"""How those begin that say nothing against it."""
_KINDS = {"procedure": "Procedures", "gotcha": "Gotchas"}


def section(hit: Hit) -> str:
    """Where a memory stands: what is not established, or flagged, is never a procedure."""
    if any(flag.startswith(OVERTAKEN) for flag in hit.flags):
        return "No longer holds"
    flagged = any(not flag.startswith(PLAIN) for flag in hit.flags)
    if hit.standing is not Standing.ESTABLISHED or flagged or hit.trusted < STANDS:
        return "Unproven"
    return _KINDS.get(hit.kind, "Facts and preferences")


def told(hit: Hit, memory: Memory, looked: Sequence[Looked] = ()) -> str:
    """The memory word for word, its title once; then when it is for, and what it rests on.

    `looked`: how the things that it names are now.
    """
    text, left = _text(memory.text)
    title = memory.title.rstrip(".")
    parts = [f"{title} \u2014 {text}" if title and not text.startswith(title) else text]
    parts += [f"When: {_ended(memory.when_to_use)}"] if memory.when_to_use else []
    parts += [f"Not when: {_ended(memory.not_when)}"] if memory.not_when else []
    return " ".join((*parts, f"({', '.join(_marks(hit, memory, left, looked))})"))


def holds(hit: Hit) -> bool:
    """Whether a hit stands among what holds, so that what is tied to it may bear on the task."""
    return section(hit) not in ("Unproven", "No longer holds")


def stands(memory: Memory) -> bool:
    """Whether a memory may be told that nobody asked for by its words."""
    return memory.standing is Standing.ESTABLISHED and not memory.flags


def tied(memory: Memory, reason: str) -> tuple[str, str]:
    """The section and the line of a memory one step away, with what ties it."""
    hit = Hit(
        ref=memory.ref,
        kind=memory.kind.value,
        text="",
        score=0.0,
        source=memory.source,
        trust=memory.trust,
        standing=memory.standing,
        flags=tuple(f"{CHALLENGED}{ref}" for ref in memory.challenged_by),
    )
    return section(hit), f"{told(hit, memory)} [linked: {reason}]"


def _marks(hit: Hit, memory: Memory, left: int, looked: Sequence[Looked]) -> Iterator[str]:
    if section(hit) == "Unproven":
        yield f"{memory.standing.value} {memory.kind.value}"
    yield f"{hit.source.value} {hit.trusted:.1f}"
    if rests := _sessions(memory):
        yield f"rests on {counted(rests, 'session')}"
    against = [one for one in looked if one.state in ("gone", "changed")]
    yield from map(str, against)
    if not against and any(one.state == "fresh" for one in looked):
        yield "still as it was"
    if left:
        yield f"{left:,} more characters"
    yield from sorted(hit.flags)


def _sessions(memory: Memory) -> int:
    """In how many sessions its evidence stands."""
    ids = set()
    for cited in memory.evidence:
        try:
            ids.add(refs.parse(cited.ref).id)
        except InvalidInput:
            continue
    return len(ids)


def _text(text: str) -> tuple[str, int]:
    """As many whole sentences as there is room for, and how many characters are left out."""
    flat = " ".join(text.split())
    if len(flat) <= CHARS:
        return flat, 0
    kept = _whole(sentences.pieces(text))
    return kept, len(flat) - len(kept)


def _whole(pieces: Sequence[str]) -> str:
    kept = ""
    for piece in pieces:
        longer = f"{kept} {piece}".strip()
        if kept and len(longer) > CHARS:
            break
        kept = longer
    return kept


def _ended(text: str) -> str:
    flat = " ".join(text.split())
    return flat if flat.endswith((".", "!", "?")) else f"{flat}."
