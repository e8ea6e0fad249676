"""runbook: what history says of one task, assembled from hits; no sentence is made up."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.hits import Hit, HitKind
from mcp_memory.domain.models import Outcome, Runbook, State
from mcp_memory.rooms import Rooms
from mcp_memory.runbook import assembling
from mcp_memory.runbook.assembling import Sighting
from mcp_memory.search.channels import Scope, scope_of
from mcp_memory.search.confidence import LEAST_ASKED
from mcp_memory.search.searching import search
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.text import identifiers, wording

MEMORY_KINDS: tuple[HitKind, ...] = ("procedure", "gotcha", "fact", "preference", "observation")
DEEP = 12
PLENTY = 20_000
"""Token budget of the searches beneath: the runbook cuts by its own."""
MOST_PREMISES = 12
MOST_PLACES = 3


async def runbook(rooms: Rooms, task: Task) -> Runbook:
    """Procedures, gotchas, attempts and spans for a task, and the premises that do not stand."""
    scope = await scope_of(rooms, task.project)
    # Where there is no history at all, every name would be unknown to it: that says nothing.
    history = bool(await rooms.store.projects())
    named = [*identifiers.names(task.text), *task.files][:MOST_PREMISES] if history else []
    seen = {name: await _sighting(rooms, name, scope) for name in dict.fromkeys(named)}
    known = _without(task, [name for name, where in seen.items() if where == Sighting()])
    memories = await _hits(rooms, known, MEMORY_KINDS)
    episodes = await _hits(rooms, known, ("episode",))
    steps = await _hits(rooms, known, ("step",))
    return assembling.assemble(
        task.text,
        memories=memories,
        episodes=episodes,
        steps=steps,
        premises=assembling.premises(tuple(seen), seen),
        places=_places((*episodes, *steps)),
        notes=(*scope.notes, *rooms.degraded()),
        budget_tokens=task.budget_tokens or rooms.settings.runbook_tokens,
    )


def _without(task: Task, unknown: Sequence[str]) -> Task:
    """The task without names that history never had: premises are told, and veto nothing."""
    text = task.text
    for name in sorted(unknown, key=len, reverse=True):
        text = text.replace(name, " ")
    files = tuple(file for file in task.files if file not in unknown)
    # What is left must be a task by itself: else the name is what is asked about.
    whole = len(wording.informative(text)) >= LEAST_ASKED
    return task.model_copy(update={"text": text if whole else task.text, "files": files})


async def _hits(rooms: Rooms, task: Task, kinds: tuple[HitKind, ...]) -> tuple[Hit, ...]:
    texts = (task.text, task.error, *task.queries, " ".join(task.files))
    asked = tuple(dict.fromkeys(text for text in texts if text.strip()))[:5]
    query = Query(texts=asked, kinds=kinds, project=task.project, limit=DEEP, budget_tokens=PLENTY)
    found = await search(rooms, query)
    return tuple(
        hit.model_copy(update={"path": f"{found.folder}/{hit.path}"}) if hit.path else hit
        for hit in found.hits
    )


async def _sighting(rooms: Rooms, name: str, scope: Scope) -> Sighting:
    """Where history has a name, whole: words alone would find its parts."""
    where = Where(projects=scope.projects)
    found = await rooms.store.by_words(
        "evidence", name, column="identifiers", where=where, limit=DEEP
    )
    rows = await rooms.store.by_keys("evidence", [one.key for one in found]) if found else []
    held = sorted((row for row in rows if _holds(row, name)), key=_age)
    known = await rooms.store.by_words(
        "memories",
        name,
        column="identifiers",
        where=Where(projects=scope.projects, states=("live", "superseded")),
        limit=DEEP,
    )
    memories = await rooms.store.by_keys("memories", [one.key for one in known]) if known else []
    newest = {row.key: row for row in sorted(memories, key=lambda row: row.version)}
    says = [row for row in newest.values() if name.casefold() in row.text.casefold()]
    return Sighting(
        seen=len(held) + sum(row.state == State.LIVE.value for row in says),
        superseded=tuple(row.key for row in says if row.state == State.SUPERSEDED.value),
        last_ref=held[-1].key if held else "",
        last_outcome=Outcome(held[-1].outcome) if held else Outcome.UNKNOWN,
    )


def _holds(row: EvidenceRow, name: str) -> bool:
    return name.casefold() in row.text.casefold()


def _age(row: EvidenceRow) -> tuple[str, int]:
    return (row.at.isoformat() if row.at else "", row.first)


def _places(hits: Iterable[Hit]) -> tuple[tuple[str, str], ...]:
    """Archive folders of the hits' projects: where to grep on."""
    places: dict[str, str] = {}
    for hit in hits:
        if hit.path:
            file = Path(hit.path.rpartition(":")[0])
            places.setdefault(str(file.parent.parent / "INDEX.md"), hit.ref)
    return tuple(places.items())[:MOST_PLACES]
