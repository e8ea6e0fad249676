"""The runbook: instructions for one task, put together from hits; only its labels are its own."""

from collections.abc import Iterator, Mapping, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Frozen, Outcome, Runbook, RunbookSection, Standing
from mcp_memory.search import ranking
from mcp_memory.text import identifiers, tokens

MOST_STEPS, SPAN_STEPS = 20, 3
LINE_CHARS = 360
OVERTAKEN = ("superseded", "retired", "restated in ")
"""How the flags begin of what no longer holds."""
CHALLENGED = "challenged by "
SECTIONS: Mapping[str, int] = {
    "Procedures": 5,
    "Gotchas": 5,
    "Facts and preferences": 6,
    "Went well": 4,
    "Went badly": 4,
    "Attempts of unknown outcome": 2,
    "Unproven": 4,
    "No longer holds": 3,
    "Where to grep": 4,
}
"""Titles in their order, with the most lines of each."""
_KINDS = {"procedure": "Procedures", "gotcha": "Gotchas"}
_OUTCOMES = {Outcome.SUCCESS: "Went well", Outcome.FAILURE: "Went badly"}


class Sighting(Frozen):
    """Where history had an identifier."""

    seen: int = 0
    """Records that hold it, superseded memories not counted."""
    superseded: tuple[str, ...] = ()
    """Refs of superseded memories that hold it."""
    last_ref: str = ""
    """The newest record that holds it."""
    last_outcome: Outcome = Outcome.UNKNOWN


def assemble(  # noqa: PLR0913 a runbook is made of all that was found for its task
    task: str,
    *,
    memories: Sequence[Hit],
    episodes: Sequence[Hit],
    steps: Sequence[Hit],
    premises: Sequence[str] = (),
    places: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    budget_tokens: int = 2000,
) -> Runbook:
    """A runbook within the budget, most important first; every line ends with its ref.

    Every section gets its best line before any gets another. Candidates, flagged memories and
    observations without a quorum stand under `Unproven` and are never a procedure; nor is what was
    superseded, retired or said anew with another value.
    `places`: archive paths to grep, each with its ref.
    """
    lists: dict[str, list[str]] = {title: [] for title in SECTIONS}
    for hit in (*memories, *episodes):
        lists[_section(hit)].append(_line(hit))
    lists["Where to grep"] = [f"{path} {ref}" for path, ref in places]
    told = [[(title, line) for line in lists[title][:most]] for title, most in SECTIONS.items()]
    opened = spans(steps)
    fixed = (task, *premises, *notes, *opened)
    left = budget_tokens - sum(map(tokens.estimate, fixed))
    offered = ranking.fair_shares(told, sum(map(len, told)))
    priced = [(item, tokens.estimate(item[1]) + 1) for item in offered]
    kept = set(ranking.within_budget(priced, left))
    dropped = len(offered) - len(kept)
    return Runbook(
        task=task,
        sections=tuple(_kept(told, kept)),
        spans=opened,
        premises=tuple(premises),
        notes=(*notes, *((f"Left out for the budget: {dropped} lines.",) if dropped else ())),
    )


def _kept(
    told: Sequence[Sequence[tuple[str, str]]], kept: set[tuple[str, str]]
) -> Iterator[RunbookSection]:
    for items in told:
        lines = tuple(line for title, line in dict.fromkeys(items) if (title, line) in kept)
        if lines:
            yield RunbookSection(title=items[0][0], lines=lines)


def _section(hit: Hit) -> str:
    if hit.kind in {"episode", "step"}:
        return _OUTCOMES.get(hit.outcome or Outcome.UNKNOWN, "Attempts of unknown outcome")
    if any(flag.startswith(OVERTAKEN) for flag in hit.flags):
        return "No longer holds"
    flagged = any(not flag.startswith(CHALLENGED) for flag in hit.flags)
    if hit.standing is not Standing.ESTABLISHED or flagged:
        return "Unproven"
    return _KINDS.get(hit.kind, "Facts and preferences")


def _line(hit: Hit) -> str:
    """What the hit says, word for word on one line, then its marks and its ref."""
    said = " ".join((hit.title, "\u2014", hit.text) if hit.title else (hit.text,))
    flat = " ".join(said.split())
    if len(flat) > LINE_CHARS:
        flat = (flat[: LINE_CHARS - 1].rpartition(" ")[0] or flat[: LINE_CHARS - 1]) + "\u2026"
    marks = [f"{hit.source.value} {hit.trusted:.1f}"]
    if _section(hit) == "Unproven":
        marks.insert(0, f"{hit.standing.value} {hit.kind}" if hit.standing else hit.kind)
    marks += sorted(hit.flags)
    return f"{flat} ({', '.join(marks)}) {hit.ref}"


def spans(steps: Sequence[Hit]) -> tuple[str, ...]:
    """Refs to open, most telling first: neighbouring hits joined, at most 20 steps together."""
    found: list[tuple[str, int, int]] = []
    for hit in steps:
        try:
            ref = refs.parse(hit.ref)
        except InvalidInput:
            continue
        if ref.kind == "trajectory" and ref.first is not None:
            last = min(ref.last or ref.first, ref.first + SPAN_STEPS - 1)
            _join(found, (ref.id, ref.first, last))
    sized = [(refs.span(*span), span[2] - span[1] + 1) for span in found]
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


def premises(names: Sequence[str], seen: Mapping[str, Sighting]) -> tuple[str, ...]:
    """What a task's identifiers take for granted and history does not bear out.

    Names that are plain words, and names without a sighting in `seen`, are passed over.
    """
    doubts = (
        _doubt(name, seen[name])
        for name in dict.fromkeys(names)
        if name in seen and identifiers.is_name(name)
    )
    return tuple(doubt for doubt in doubts if doubt)


def _doubt(name: str, sighting: Sighting) -> str:
    if not sighting.seen and sighting.superseded:
        return f"{name}: only in superseded memories {' '.join(sighting.superseded)}"
    if not sighting.seen:
        return f"{name}: nowhere in recorded history"
    if sighting.last_outcome is Outcome.FAILURE:
        return f"{name}: its last recorded use failed {sighting.last_ref}"
    return ""
