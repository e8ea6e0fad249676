"""Fields: an open bank as systems see it, its units as plain texts, and what an answer is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mcp_memory.bank import MemoryBank
from mcp_memory.domain import refs
from mcp_memory.domain.hits import HitKind
from mcp_memory.evals.material.samples import Sample
from mcp_memory.store.rows import EvidenceRow, Where

DEPTH = 50
"""How many units an answer may rank: the most that search gives."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One step or memory, as the baselines rank it: its whole text, nothing round it."""

    ref: str
    project: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """An open bank with the units in it."""

    bank: MemoryBank
    kinds: tuple[HitKind, ...]
    units: tuple[Unit, ...]
    texts: Mapping[str, str]
    """Ref to whole text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Refs best first, each with what it costs to read in tokens."""

    ranked: tuple[str, ...]
    costs: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    flags: tuple[tuple[str, ...], ...] = ()
    found: bool = True
    """Whether anything clears the floor; for systems without one, whether anything matched."""
    score: float = 0.0


Ask = Callable[[Sample], Awaitable[Answer]]
Prepare = Callable[[Field], Awaitable[Ask]]


async def field_of(bank: MemoryBank, kinds: tuple[HitKind, ...]) -> Field:
    """The live units of a bank; a step's large outputs belong to its text."""
    rows = await bank.rooms.store.find("evidence", Where(states=("live",)))
    outputs: dict[str, list[str]] = {}
    for row in rows:
        if row.kind == "output":
            outputs.setdefault(refs.span(row.trajectory, row.first), []).append(row.text)
    units = [_unit(row, outputs) for row in rows if row.kind == "step"]
    # Superseded ones, too: a baseline does not know what no longer holds.
    memories = await bank.rooms.store.find("memories", Where(states=("live", "superseded")))
    newest = {row.key: row for row in sorted(memories, key=lambda row: row.version)}
    units += [Unit(row.key, row.project, row.text) for row in newest.values()]
    texts = {unit.ref: unit.text for unit in units}
    return Field(bank, kinds, tuple(sorted(units, key=lambda unit: unit.ref)), texts)


def _unit(row: EvidenceRow, outputs: dict[str, list[str]]) -> Unit:
    text = "\n".join((row.text, *outputs.get(row.key, ())))
    return Unit(row.key, row.project, text)
