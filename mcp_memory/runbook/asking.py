"""runbook: what history says of one task, assembled from hits; no sentence is made up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from mcp_memory.domain import projects
from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.hits import Hit, HitKind, SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.memories import citing, freshness, grounds, linked, links
from mcp_memory.memories.grounds import Ground
from mcp_memory.rooms import Rooms
from mcp_memory.runbook import (
    assembling,
    attempts,
    changed,
    commands,
    greps,
    lessons,
    mends,
    premises,
    record,
    remembered,
    rulings,
    sightings,
)
from mcp_memory.runbook.assembling import Line
from mcp_memory.runbook.premises import Sighting
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.search import spans, uses, withholding
from mcp_memory.search.channels import Scope, scope_of
from mcp_memory.search.confidence import LEAST_ASKED
from mcp_memory.search.searching import search
from mcp_memory.text import courtesies, guard, identifiers, shingles, wording

MEMORY_KINDS: tuple[HitKind, ...] = ("procedure", "gotcha", "fact", "preference", "observation")
KINDS: Mapping[str, tuple[HitKind, ...]] = {
    "memories": MEMORY_KINDS,
    "episodes": ("episode",),
    "steps": ("step",),
}
DEEP, MOST_LINKED = 12, 3
PLENTY = 20_000
"""Token budget of the searches beneath: the runbook cuts by its own."""
LEAST_TOLD, LEAST_NAMING = 6, 3
"""Words of a part of a line that says something of its own; and of one that calls something by name."""
NOTHING_ASKED = "The task names nothing to look for."
NOTHING_FOUND = "History holds nothing that bears on this task."


@dataclass(frozen=True, slots=True)
class _Found:
    """All that bears on a task."""

    hits: Mapping[str, tuple[Hit, ...]]
    attempts: tuple[Attempt, ...] = ()
    sessions: Mapping[str, Session] = field(default_factory=dict)
    held: withholding.Held = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of a task, before it is put together within a budget."""

    task: Task
    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    opened: tuple[str, ...] = ()
    """Spans to open."""
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def runbook(rooms: Rooms, task: Task) -> Runbook:
    """What to do, what was tried, what went wrong and what was settled, for one task.

    A task that names nothing, or that history knows nothing of, gets a note and no lines.
    """
    gathered = await gather(rooms, task)
    made = put_together(rooms, gathered)
    await note_shown(rooms, made, gathered)
    return made


def names_nothing(task: Task) -> bool:
    """Whether there is nothing in a task to look for."""
    said = (task.text, task.error, *task.queries, *task.files)
    return all(map(courtesies.says_nothing, said))


async def gather(rooms: Rooms, task: Task) -> Gathered:
    """What bears on a task, title to its lines."""
    scope = await scope_of(rooms, task.project)
    if names_nothing(task):
        return Gathered(task, notes=(NOTHING_ASKED,))
    now = task.as_of is None
    folders = freshness.places(rooms, scope.projects[0]) if scope.projects and now else ()
    # What is on the disk, and in all of history, says nothing of then.
    named = grounds.of(task.text, task.files, roots=folders) if now else ()
    seen = await sightings.of(rooms, named, scope)
    here = await _on_disk(rooms, folders, named)
    unknown = [name for name, where in seen.items() if where == Sighting()]
    known = _without(task, [name for name in unknown if name not in here or not here[name].here])
    found, apart = await _found_or_rest(
        rooms, known, scope, [one.name for one in named if one.kind == "flag"]
    )
    doubts = premises.doubts(named, here, seen, found.sessions)
    lines, held = _advisable(rooms, await _lines(rooms, known, found))
    await _without_echoes(rooms, lines)
    back = withholding.note({**found.held, **held})
    notes = (*scope.notes, *rooms.degraded(), *apart, *back)
    return Gathered(task, lines, assembling.spans(found.hits["steps"]), doubts, notes)


def put_together(rooms: Rooms, gathered: Gathered) -> Runbook:
    """What was gathered, within the budget."""
    notes = gathered.notes
    if not (any(gathered.lines.values()) or gathered.doubts or NOTHING_ASKED in notes):
        notes = (*notes, NOTHING_FOUND)
    return assembling.assemble(
        gathered.task.text,
        gathered.lines,
        opened=gathered.opened,
        premises=gathered.doubts,
        notes=notes,
        budget_tokens=gathered.task.budget_tokens or rooms.settings.runbook_tokens,
    )


async def note_shown(rooms: Rooms, made: Runbook, own: Gathered) -> None:
    """Count what was shown of that which this bank gathered."""
    known = {ref for lines in own.lines.values() for _, ref in lines}
    shown = (line.rpartition(" ")[2] for section in made.sections for line in section.lines)
    await uses.note(rooms, "shown", tuple(ref for ref in shown if ref in known))


async def _on_disk(
    rooms: Rooms, folders: Sequence[str], named: Sequence[Ground]
) -> Mapping[str, premises.Found]:
    """What the project's folder and its git say of names; nothing where it is not on this machine."""
    if not named or not folders or not rooms.settings.local_paths:
        return {}
    return await anyio.to_thread.run_sync(partial(_looked_for, folders, named))


def _looked_for(folders: Sequence[str], named: Sequence[Ground]) -> Mapping[str, premises.Found]:
    tree = freshness.tree_of(folders)
    return premises.looked_for(tree, named) if tree is not None else {}


async def _found_or_rest(
    rooms: Rooms, task: Task, scope: Scope, named: Sequence[str]
) -> tuple[_Found, tuple[str, ...]]:
    """What bears on the task; where nothing does, on the task without the flags that it is to have.

    "Add a --dry-run flag to deploy": history need not know the two together to know `deploy`.
    """
    found = await _found(rooms, task, scope)
    rest = _without(task, named)
    if any(found.hits.values()) or rest.text == task.text:
        return found, ()
    told = ", ".join(f"`{name}`" for name in named if name not in rest.text)
    found = await _found(rooms, rest, scope)
    note = f"Nothing was found together with {told}; this is about the rest of the task."
    return found, (note,) if any(found.hits.values()) else ()


async def _found(rooms: Rooms, task: Task, scope: Scope) -> _Found:
    hits: dict[str, tuple[Hit, ...]] = {}
    held: dict[str, tuple[str, ...]] = {}

    async def ask(name: str, kinds: tuple[HitKind, ...]) -> None:
        found = await _asked(rooms, task, kinds)
        hits[name] = found.hits
        held.update(found.held)

    async with anyio.create_task_group() as tasks:
        for name, kinds in KINDS.items():
            tasks.start_soon(ask, name, kinds)
    ids = tuple({hit.ref[2:].partition(".")[0]: None for hit in hits["episodes"]})
    sessions = await record.sessions(rooms, scope, ids, task.as_of)
    made = await record.attempts(rooms, hits["episodes"], sessions)
    return _Found(hits, attempts.chosen(made), sessions, held)


def _advisable(
    rooms: Rooms, lines: Mapping[str, Sequence[Line]]
) -> tuple[dict[str, list[Line]], withholding.Held]:
    """The lines that give nothing away, and the refs of the others.

    Of memories search has told those only that stand for what they say, or that the user released.
    """
    trusting = rooms.trusting()

    def fits(line: Line) -> bool:
        said, ref = line
        return ref.startswith("m:") or trusting.releases(ref) or withholding.told(said)

    kept = {
        title: [(guard.neutralise(said), ref) for said, ref in each if fits((said, ref))]
        for title, each in lines.items()
    }
    held = {ref: ("gives power away",) for each in lines.values() for said, ref in each
            if not fits((said, ref))}  # fmt: skip
    return kept, held


async def _without_echoes(rooms: Rooms, lines: dict[str, list[Line]]) -> None:
    """Take out attempts that say no more than what a file or a page said first."""
    for title in attempts.TITLES.values():
        said = lines.get(title, [])
        lines[title] = [one for one in said if not await _echoes(rooms, one[0])]


async def _echoes(rooms: Rooms, said: str) -> bool:
    """Whether what an agent said, in one part of a line, is what outsiders had said."""
    for part in said.split(" \u00b7 "):
        spoken = part.removeprefix("agent: ")
        if _says(spoken, own=part != spoken) and await citing.echoes(rooms, spoken):
            return True
    return False


def _says(spoken: str, *, own: bool) -> bool:
    """Whether words are enough to be somebody's: of an agent's `Fixed: npx -y @x/y` a few are."""
    if len(spoken.split()) >= LEAST_TOLD:
        return True
    words = len(shingles.words(spoken)) if own else 0
    return words >= LEAST_TOLD or (words >= LEAST_NAMING and bool(identifiers.names(spoken)))


async def _lines(rooms: Rooms, task: Task, found: _Found) -> dict[str, list[Line]]:
    """Title to its lines, each with its ref."""
    said = " ".join((task.text, *task.queries))
    terms = wording.informative(said)
    named = identifiers.names(task.error)
    tried, known = found.attempts, found.sessions
    lines = await _remembered(rooms, found, now=task.as_of is None)
    settled = rulings.of_task(tried, terms, known)
    lines["The user decided"] = [(rulings.told(one), one.ref) for one in settled]
    for one in tried:
        title = attempts.TITLES[one.episode.outcome]
        lines.setdefault(title, []).append((attempts.told(one, terms, tried), one.ref))
    lines["This error before"] = before = _met_before(task.error, known)
    mended = [(mends.told(one), one.ref) for one in mends.of_task(tried, said, known)]
    lines["Errors on the way"] = [line for line in mended if line not in before]
    ran = commands.of_task(tried, said, known)
    lines["Commands that work here"] = [(commands.told(one), one.ref) for one in ran]
    places = changed.of_task(tried, (*identifiers.names(said), *task.files)) if tried else ()
    lines["Files it took"] = [(changed.told(one, len(tried)), one.ref) for one in places]
    told_otherwise = (*found.hits["memories"], *found.hits["steps"])
    lines[lessons.TITLE] = lessons.of_task(tried, told_otherwise, known)
    lines["Where to grep"] = await _greps(rooms, found, (*terms, *named))
    return lines


async def _remembered(rooms: Rooms, found: _Found, *, now: bool) -> dict[str, list[Line]]:
    """Memories by their sections; where no project was asked, those of the attempts' own.

    `now`: whether it is asked what holds now, so that it is looked at what became of it.
    """
    hits = found.hits["memories"]
    rows = await spans.memory_rows(rooms, tuple(hit.ref for hit in hits)) if hits else {}
    own = {one.session.project for one in found.attempts} | {projects.USER}
    newest = {ref: spans.memory_of(versions[-1]) for ref, versions in rows.items()}
    looked = await freshness.of_memories(rooms, tuple(newest.values())) if now else {}
    lines: dict[str, list[Line]] = {}
    for hit in hits:
        memory = newest.get(hit.ref)
        if memory is None or withholding.as_advice(memory, rooms.trusting()):
            continue
        if memory.project in own or len(own) == 1:
            told = remembered.told(hit, memory, looked.get(hit.ref, ()))
            lines.setdefault(remembered.section(hit), []).append((told, hit.ref))
    sure = [newest[hit.ref] for hit in hits if now and hit.ref in newest and remembered.holds(hit)]
    tied, live = await linked.to(rooms, sure)
    for link in links.among(tied, newest, MOST_LINKED):
        advice = not withholding.as_advice(live[link.ref], rooms.trusting())
        if advice and remembered.stands(live[link.ref]):
            title, told = remembered.tied(live[link.ref], link.reason)
            lines.setdefault(title, []).append((told, link.ref))
    return lines


def _met_before(error: str, known: Mapping[str, Session]) -> list[Line]:
    if not error.strip():
        return []
    mended = [(mends.told(one), one.ref) for one in mends.of_error(error, known)]
    met = (
        []
        if mended
        else [("met, and nobody got past it", ref) for ref in mends.unmended(error, known)]
    )
    return [*mended, *met[:1]]


async def _greps(rooms: Rooms, found: _Found, terms: Sequence[str]) -> list[Line]:
    """Searches of the archive that find something; none where its files are on another machine."""
    if rooms.archive_root is None or not found.attempts:
        return []
    best = found.attempts[0]
    folder = Path(rooms.archive_root) / Path(best.session.entry.folder).parts[0]
    made = await anyio.to_thread.run_sync(partial(greps.tried, folder, terms))
    return [(greps.told(one), best.ref) for one in made]


def _without(task: Task, unknown: Sequence[str]) -> Task:
    """The task without names that history never had: premises are told, and veto nothing."""
    text = task.text
    for name in sorted(unknown, key=len, reverse=True):
        text = text.replace(name, " ")
    files = tuple(file for file in task.files if file not in unknown)
    # What is left must be a task by itself: else the name is what is asked about.
    whole = len(wording.informative(text)) >= LEAST_ASKED
    return task.model_copy(update={"text": text if whole else task.text, "files": files})


async def _asked(rooms: Rooms, task: Task, kinds: tuple[HitKind, ...]) -> SearchResult:
    texts = (task.text, task.error, *task.queries, " ".join(task.files))
    asked = tuple(dict.fromkeys(text for text in texts if text.strip()))[:5]
    query = Query(
        texts=asked, kinds=kinds, project=task.project, as_of=task.as_of, limit=DEEP,
        budget_tokens=PLENTY,
    )  # fmt: skip
    return await search(rooms, query)
