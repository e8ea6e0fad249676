"""The runbook put together: sections in their order, within a budget; only its labels are its own."""

from collections.abc import Iterator, Mapping, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Runbook, RunbookSection
from mcp_memory.search import ranking
from mcp_memory.text import tokens

MOST_STEPS, SPAN_STEPS, MOST_SPANS = 20, 3, 3
NEAR = 0.6
"""Which share of the best step's score another must have to be worth opening."""
SECTIONS: Mapping[str, int] = {
    "This error before": 4,
    "Procedures": 4,
    "Gotchas": 5,
    "Facts and preferences": 5,
    "The user decided": 3,
    "The team decided": 2,
    "Went well": 3,
    "Went badly": 3,
    "Lessons": 3,
    "Not judged": 2,
    "Errors on the way": 3,
    "Commands that work here": 3,
    "Files it took": 4,
    "Unproven": 3,
    "No longer holds": 3,
    "Where to grep": 2,
}
"""Titles in their order, with the most lines of each."""
Line = tuple[str, str]
"""What is said, and the ref that it ends with."""


def assemble(
    task: str,
    found: Mapping[str, Sequence[Line]],
    *,
    opened: Sequence[str] = (),
    premises: Sequence[str] = (),
    notes: Sequence[str] = (),
    budget_tokens: int = 2000,
) -> Runbook:
    """A runbook within the budget, most important first; every line ends with its ref.

    Every section gets its best line before any gets another. `found`: title to its lines; `opened`:
    spans to open.
    """
    told = [
        [(title, f"{said} {ref}") for said, ref in dict(found.get(title, ())).items()][:most]
        for title, most in SECTIONS.items()
    ]
    fixed = (task, *premises, *notes, *opened)
    left = budget_tokens - sum(map(tokens.estimate, fixed))
    offered = ranking.fair_shares(told, sum(map(len, told)))
    priced = [(item, tokens.estimate(item[1]) + 1) for item in offered]
    kept = set(ranking.within_budget(priced, left))
    dropped = len(offered) - len(kept)
    return Runbook(
        task=task,
        sections=tuple(_kept(told, kept)),
        spans=tuple(opened),
        premises=tuple(premises),
        notes=(*notes, *((f"Left out for the budget: {dropped} lines.",) if dropped else ())),
    )


def _kept(told: Sequence[Sequence[Line]], kept: set[Line]) -> Iterator[RunbookSection]:
    for items in told:
        lines = tuple(line for title, line in items if (title, line) in kept)
        if lines:
            yield RunbookSection(title=items[0][0], lines=lines)


def spans(steps: Sequence[Hit]) -> tuple[str, ...]:
    """Refs to open, most telling first: neighbouring hits joined, at most 20 steps together."""
    found: list[tuple[str, int, int]] = []
    best = max((hit.score for hit in steps), default=0.0)
    for hit in steps:
        try:
            ref = refs.parse(hit.ref)
        except InvalidInput:
            continue
        if ref.kind == "trajectory" and ref.first is not None and hit.score >= NEAR * best:
            last = min(ref.last or ref.first, ref.first + SPAN_STEPS - 1)
            _join(found, (ref.id, ref.first, last))
    sized = [(refs.span(*span), span[2] - span[1] + 1) for span in found[:MOST_SPANS]]
    return tuple(ranking.within_budget(sized, MOST_STEPS))


def _join(found: list[tuple[str, int, int]], span: tuple[str, int, int]) -> None:
    """Add each step of a span that is not there yet, to a neighbouring span while that stays short."""
    session, first, last = span
    for step in range(first, last + 1):
        if any(known == session and a <= step <= b for known, a, b in found):
            continue
        for place, (known, a, b) in enumerate(found):
            wide = (min(a, step), max(b, step))
            if known == session and a - 1 <= step <= b + 1 and wide[1] - wide[0] < SPAN_STEPS:
                found[place] = (session, *wide)
                break
        else:
            found.append((session, step, step))
