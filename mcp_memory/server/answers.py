"""Answers: what a verb returned, as lean JSON and as compact text; tools and CLI show the same."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel

from mcp_memory.domain.fetched import Fetched, FetchResult
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import (
    Consolidation,
    Deletion,
    Group,
    Listed,
    Outcome,
    Retained,
    Runbook,
)
from mcp_memory.text import cutting, guard
from mcp_memory.text.counting import counted

CONFIRMING = "To carry it out, call again with confirm={}"
MOST_NAMED = 40
"""Refs that a deletion tells one by one."""
Answer = SearchResult | FetchResult | Retained | Runbook | Consolidation | Deletion


def as_structure(model: BaseModel) -> dict[str, object]:
    """JSON without what a field says by its absence: hosts show it to the model as it is."""
    return model.model_dump(mode="json", exclude_defaults=True)


def as_text(model: BaseModel, *, confirming: str = CONFIRMING) -> str:
    """A few lines for a model or a person; recalled text comes fenced as data.

    `confirming` says how a preview is carried out: a tool and a command are called differently.
    """
    match model:
        case SearchResult():
            lines = _search(model)
        case FetchResult():
            lines = _fetch(model)
        case Retained():
            lines = _retained(model)
        case Runbook():
            lines = _runbook(model)
        case Consolidation():
            lines = _consolidation(model)
        case Deletion():
            lines = _deletion(model, confirming)
        case _:
            raise TypeError(type(model).__name__)
    return "\n".join(line for line in lines if line)


def one_line(item: Listed) -> str:
    """A listing's line: ref, date, project, marks, title; whatever it holds, it stays one line."""
    undated = "undated" if item.project else ""  # a project has no day of its own
    day = item.at.date().isoformat() if item.at else undated
    title = cutting.head(" ".join(item.title.split()), 120)
    parts = (item.ref, day, item.project, " ".join(item.marks), title)
    return guard.neutralise(" · ".join(part for part in parts if part))


def _search(result: SearchResult) -> Iterator[str]:
    if result.sessions:
        yield from _sessions(result)
        return
    if result.unknown:
        yield f"Nowhere in this history: {guard.neutralise(', '.join(result.unknown))}"
    if result.in_no_code:
        yield f"Only talked of, in no code here: {guard.neutralise(', '.join(result.in_no_code))}"
    hits = result.hits
    if not result.found:
        hits = result.nearest
        yield "Nothing found." + (" Nearest, below the floor:" if hits else "")
    if result.files:
        yield f"Files: {result.files}"
    if hits:
        yield guard.fence("\n".join(line for hit in hits for line in _hit(hit)))
    if result.more:
        yield f"{result.beyond}: ask in other words or within a session, or raise budget_tokens"
    yield from _notes(result.notes)


def _sessions(result: SearchResult) -> Iterator[str]:
    """The newest sessions, each with its words set in below the line that says which it is."""
    yield from _notes(result.notes)
    yield "Newest sessions" + (f"; files: {result.files}" if result.files else "")
    yield guard.fence("\n".join(line for each in result.sessions for line in _session(each)))


def _session(left: LeftOff) -> Iterator[str]:
    marks = [left.ref, left.origin, left.when, left.project]
    marks += [left.outcome.value] if left.outcome is not Outcome.UNKNOWN else []
    marks += [f"{left.steps} steps"]
    marks += [f"{left.agents} sub-agent{'s' * (left.agents > 1)}"] if left.agents else []
    marks += [f"and {left.alike} older that began alike"] if left.alike else []
    yield " · ".join(mark for mark in marks if mark)
    lines = [left.goal, *(f"asked: {line}" for line in left.asked)]
    lines += [f"said: {left.said}"] if left.said else []
    lines += [f"open: {line}" for line in left.open]
    lines += [f"done: {'; '.join(left.done)}"] if left.done else []
    lines += [f"files: {', '.join(left.files)}"] if left.files else []
    yield from (f" {guard.neutralise(line)}" for line in lines)


def _hit(hit: Hit) -> Iterator[str]:
    """One line of what it is, its words below, each line set in: no word of theirs begins a hit."""
    marks = [hit.ref, hit.origin, hit.kind if hit.kind != "step" else "", f"{hit.score:.2f}"]
    marks += [
        f"{hit.source.value} {hit.trusted:.1f}",
        hit.at.isoformat() if hit.at else "",
        hit.project,
    ]
    marks += [hit.standing.value if hit.standing else "", hit.outcome.value if hit.outcome else ""]
    marks += [*hit.flags, f"= {' '.join(hit.also)}" if hit.also else ""]
    yield " ".join(mark for mark in marks if mark)
    told = "\n".join(part for part in (hit.title, hit.text) if part)
    yield "\n".join(f" {line}" for line in guard.neutralise(told).splitlines())
    yield from (f" later: {guard.neutralise(one)}" for one in hit.later)
    yield from (f" linked: {guard.neutralise(one)}" for one in hit.linked)


def _fetch(result: FetchResult) -> Iterator[str]:
    if result.folder:
        yield f"In {result.folder}"
    for item in result.items:
        yield from _item(item)
    if result.unknown:
        yield f"Unknown refs: {', '.join(map(guard.neutralise, result.unknown))}"


def _item(item: Fetched) -> Iterator[str]:
    marks: list[str] = [item.origin] if item.origin else []
    marks += [item.kind] if item.kind != "steps" else []
    marks += [f"from {item.source.value}"]
    marks += [f"trust {item.trust:.1f}"] if item.trust is not None else []
    marks += [*item.flags, *([item.path] if item.path else [])]
    yield f"## {item.ref} · {' · '.join(marks)}"
    yield guard.fence(item.text, label=item.ref)
    if item.next_ref:
        yield f"Go on with {item.next_ref}"


def _retained(result: Retained) -> Iterator[str]:
    verb = "Kept" if result.created else "Known already"
    yield f"{verb}: {result.ref} version {result.version}, {result.standing.value} (batch {result.batch})"
    if result.masked:
        yield "Masked: " + ", ".join(f"{name} {count}" for name, count in result.masked.items())
    for other in result.resembles:
        yield f"Resembles {other.ref} ({other.similarity:.2f}): {guard.neutralise(other.title)}"
    yield from _notes(result.notes)


def _runbook(result: Runbook) -> Iterator[str]:
    for premise in result.premises:
        yield f"Premise in doubt: {guard.neutralise(premise)}"
    if result.sections:
        yield guard.fence("\n".join(_sections(result)))
    if result.spans:
        yield f"Open: {' '.join(result.spans)}"
    yield from _notes(result.notes)


def _sections(result: Runbook) -> Iterator[str]:
    for section in result.sections:
        yield f"## {section.title}"
        yield from (f"- {' '.join(line.split())}" for line in section.lines)


def _consolidation(result: Consolidation) -> Iterator[str]:
    if result.groups:
        yield guard.fence("\n".join(line for group in result.groups for line in _group(group)))
    if result.batch:
        yield f"Batch {result.batch}: {' '.join(result.refs)}"
    elif result.refs:
        yield f"Undone: {' '.join(result.refs)}"
    yield from _notes(result.notes)


def _group(group: Group) -> Iterator[str]:
    """What recurs, what it rests on, how to read it; each line of its own, set in below the first."""
    held = group.support
    counts = [f"{held.failed} failed" if held.failed else "",
              f"{held.succeeded} went well" if held.succeeded else "",
              " to ".join(dict.fromkeys(day for day in (held.first, held.last) if day))]  # fmt: skip
    met = counted(held.sessions, "session") if held.sessions else ""
    counts += [f"searched for {counted(held.sought, 'time')}"] if held.sought else []
    told = ", ".join(part for part in (met, *counts) if part)
    yield f"- {group.reason}: {guard.neutralise(group.about)}"
    yield "  " + " · ".join(part for part in (group.id, group.project, told) if part)
    yield from (f"  {guard.neutralise(one)}" for one in group.shared)
    match = f" match={group.match!r}" if group.match and group.support.sessions else ""
    yield f"  fetch {' '.join(group.refs)}{match} budget_tokens={group.budget_tokens}"
    yield f"  {group.rules}"


def _deletion(result: Deletion, confirming: str) -> Iterator[str]:
    yield f"{result.mode}: {counted(len(result.refs), 'record')}: {_named(result.refs)}"
    if result.cascade:
        yield f"With them go: {' '.join(result.cascade)}"
    if result.weakened:
        yield f"These lose evidence and become candidates: {' '.join(result.weakened)}"
    for check in result.checks:
        yield f"Checked {check.where}: found {check.control} before, {check.left} after"
    if result.batch:
        yield f"Batch {result.batch}"
    if result.confirm:
        yield confirming.format(result.confirm)
    if result.beyond_reach:
        yield "Beyond reach: " + "; ".join(result.beyond_reach)
    yield from _notes(result.notes)


def _named(named: Sequence[str]) -> str:
    """Refs beside each other, those of one session by its name once: `t:8k2m…#2 #99`."""
    told = []
    for ref, before in zip(named[:MOST_NAMED], ("", *named), strict=False):
        session, mark, steps = ref.partition("#")
        told.append(mark + steps if mark and before.partition("#")[0] == session else ref)
    more = [f"and {len(named) - MOST_NAMED:,} more"] if len(named) > MOST_NAMED else []
    return " ".join([*told, *more])


def _notes(notes: Iterable[str]) -> Iterator[str]:
    yield from (f"Note: {note}" for note in notes)
