"""Withholding: which records, and which passages of them, are not told unasked; and how that is said."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from mcp_memory.domain.models import STANDS, Memory, SourceClass
from mcp_memory.domain.trusting import Trusting
from mcp_memory.search.passages import Passage
from mcp_memory.store.rows import EvidenceRow
from mcp_memory.text import guard, powers
from mcp_memory.text.counting import counted
from mcp_memory.trajectories import holding

DISTRUSTED, OUTSIDERS = "distrusted", "only files or pages say so"
MOST_NAMED = 2
Held = Mapping[str, tuple[str, ...]]
"""Ref to why it is held back."""


def of_memory(memory: Memory, trusting: Trusting) -> tuple[str, ...]:
    """Why a memory is held back: it is of a distrusted source, or gives power that nobody bore out."""
    refs = (memory.ref, *(cited.ref for cited in memory.evidence))
    said = f"{memory.title}\n{memory.text}\n{memory.when_to_use}\n{memory.not_when}"
    if trusting.distrusts(refs, said):
        return (DISTRUSTED,)
    if memory.source is SourceClass.USER or trusting.releases(memory.ref):
        return ()
    return given(said)


def as_advice(memory: Memory, trusting: Trusting) -> tuple[str, ...]:
    """Why a memory is not advised: it is held back, or only outsiders' words bear it."""
    if reasons := of_memory(memory, trusting):
        return reasons
    return () if trusting.releases(memory.ref) else borne(memory)


def borne(memory: Memory) -> tuple[str, ...]:
    """That nobody of the house bears a memory out, where that is so."""
    return () if memory.trust >= STANDS else (OUTSIDERS,)


def of_row(row: EvidenceRow, trusting: Trusting) -> tuple[str, ...]:
    """Why words of a record are held back; nothing where all of it may be told."""
    ref = f"t:{row.trajectory}"
    if trusting.distrusts((row.key, ref), "\n".join((row.text, *row.paths))):
        return (DISTRUSTED,)
    if trusting.releases(row.key) or ref in trusting.released:
        return ()
    return holding.reasons(row.flags)


def left(passages: list[Passage], reasons: tuple[str, ...]) -> list[Passage]:
    """What of a record may be told: all, none of a distrusted source, or what gives nothing away."""
    if not reasons:
        return passages
    return [] if reasons == (DISTRUSTED,) else cleared(passages)


def cleared(passages: Sequence[Passage]) -> list[Passage]:
    """The passages of a record that give nothing away, alone or with the one that follows.

    None where it cannot be told which of them it is that does.
    """
    texts = [one.text for one in passages]
    headed = [f"{one.head}\n{one.text}" for one in passages]
    return [passages[place] for place in harmless(headed, texts)]


def harmless(alone: Sequence[str], beside: Sequence[str]) -> list[int]:
    """Which texts give nothing away, alone or with the one that follows; none where none tells why.

    `beside`: the same texts as they are read together.
    """
    away = {place for place, text in enumerate(alone) if given(text)}
    for place, pair in enumerate(pairwise(beside)):
        if not {place, place + 1} & away and given("\n".join(pair)):
            away |= {place, place + 1}
    return [place for place in range(len(alone)) if place not in away] if away else []


def told(line: str) -> bool:
    """Whether a line may be said as advice: it gives nothing away and asks for nothing."""
    return not given(line)


def note(held: Held) -> tuple[str, ...]:
    """What an answer says of what was held back; nothing where nothing was."""
    if not held:
        return ()
    named = [f"{ref} {reasons[0]}" for ref, reasons in list(held.items())[:MOST_NAMED]]
    many = f"{counted(len(held), 'record')} held back ({'; '.join(named)})"
    return (f"{many}: of unsure origin; the user's to release.",)


def noted(line: str) -> bool:
    """Whether a note says that something was held back."""
    return " held back (" in line


def joined(each: Iterable[Held]) -> Held:
    """All that several questions held back, each once."""
    return {ref: reasons for held in each for ref, reasons in held.items()}


@lru_cache(maxsize=4_096)
def given(text: str) -> tuple[str, ...]:
    """What a text gives away, or asks of its reader."""
    return (*powers.judged(text), *guard.inspect(text))
