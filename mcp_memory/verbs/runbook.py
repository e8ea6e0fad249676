"""runbook: what history says of one task, assembled from hits; no sentence is made up."""

import itertools

from mcp_memory import ranking
from mcp_memory import runbook as assembling
from mcp_memory.models import Hit, HitKind, Query, Runbook, Task
from mcp_memory.runbook import Sighting
from mcp_memory.store.rows import Where
from mcp_memory.verbs.rooms import Rooms
from mcp_memory.verbs.search import scope_of, search

MEMORY_KINDS: tuple[HitKind, ...] = ("procedure", "gotcha", "fact", "preference", "observation")
DEEP = 12
MOST_PREMISES = 12


async def runbook(rooms: Rooms, task: Task) -> Runbook:
    """Procedures, gotchas, attempts and spans for a task, and the premises that do not stand."""
    asked = tuple(
        dict.fromkeys(text for text in (task.text, task.error, *task.queries) if text.strip())
    )[:5]
    memories = await _hits(rooms, task, asked, MEMORY_KINDS)
    episodes = await _hits(rooms, task, asked, ("episode",))
    steps = await _hits(rooms, task, asked, ("step",))
    scope = await scope_of(rooms, task.project)
    named = ranking.identifiers("\n".join((task.text, *task.files)))[:MOST_PREMISES]
    seen = {name: await _sighting(rooms, name, scope.projects) for name in named}
    return assembling.assemble(
        task.text,
        memories=memories,
        episodes=episodes,
        steps=steps,
        premises=assembling.premises(named, seen),
        places=_places(itertools.chain(episodes, steps)),
        notes=(*scope.notes, *rooms.degraded()),
        budget_tokens=task.budget_tokens or rooms.settings.runbook_tokens,
    )
