"""Sightings: where recorded history has what a task names, whole; words alone would find its parts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import anyio

from mcp_memory.domain.models import State
from mcp_memory.memories.grounds import Ground
from mcp_memory.rooms import Rooms
from mcp_memory.runbook.premises import Sighting
from mcp_memory.search.channels import Scope
from mcp_memory.store.rows import EvidenceRow, Where

DEEP = 12


async def of(rooms: Rooms, named: Sequence[Ground], scope: Scope) -> Mapping[str, Sighting]:
    """To each name where history has it; none where there is no history at all.

    Every name would be unknown to that: it would say nothing.
    """
    if not named or not await rooms.store.projects():
        return {}
    found: dict[str, Sighting] = {}

    async def look(name: str) -> None:
        found[name] = await _sighting(rooms, name, scope)

    async with anyio.create_task_group() as tasks:
        for one in named:
            tasks.start_soon(look, one.name)
    return found


async def _sighting(rooms: Rooms, name: str, scope: Scope) -> Sighting:
    where = Where(projects=scope.projects)
    looked = await rooms.store.by_words(
        "evidence", name, column="identifiers", where=where, limit=DEEP
    )
    rows = await rooms.store.briefs([one.key for one in looked]) if looked else []
    held = sorted((row for row in rows if name.casefold() in row.text.casefold()), key=_age)
    if not held:
        # A name may stand in a text in a way that the index of names does not cut.
        whole = replace(where, matches=f"(?i){re.escape(name)}")
        held = await rooms.store.brief(whole, limit=1)
    known = await rooms.store.by_words(
        "memories",
        name,
        column="identifiers",
        where=replace(where, states=("live", "superseded")),
        limit=DEEP,
    )
    memories = await rooms.store.by_keys("memories", [one.key for one in known]) if known else []
    newest = {row.key: row for row in sorted(memories, key=lambda row: row.version)}
    says = [row for row in newest.values() if name.casefold() in row.text.casefold()]
    return Sighting(
        seen=len(held) + sum(row.state == State.LIVE.value for row in says),
        superseded=tuple(row.key for row in says if row.state == State.SUPERSEDED.value),
        last_ref=held[-1].key if held else "",
    )


def _age(row: EvidenceRow) -> tuple[str, int]:
    return (row.at.isoformat() if row.at else "", row.first)
