"""Purges: what was purged is gone, and a purge that was begun came to its end."""

from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.forgetting import orders, purging
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.history import writing
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.text.counting import counted
from mcp_memory.trajectories import evidence, indexing
from mcp_memory.trajectories.reaching import Reach


async def look(rooms: Rooms) -> list[Finding]:
    """Purges without an end, and records that a tombstone names and that are still here."""
    begun = len(orders.pending(rooms.settings)) + await rooms.store.survey.purge_pending()
    left = await _left(rooms)
    return [
        ill("purges", f"{counted(begun, 'purge')} without an end")
        if begun
        else well("purges", "every purge came to its end"),
        ill("purges", f"purged and still here: {named(list(left.refs))}")
        if left.refs
        else well("purges", "nothing is here that was purged"),
    ]


async def mend(rooms: Rooms) -> list[str]:
    """Bring purges to their end, and purge what is still here."""
    done = []
    finished = await purging.finish(rooms)
    if finished:
        done.append(f"{counted(finished, 'purge')} brought to an end")
    left = await _left(rooms)
    if left.refs:
        receipt = await purging.purge(rooms, left, (), Reach(direct=left.refs))
        rest = sum(check.left for check in receipt.checks)
        done.append(f"{counted(len(left.refs), 'record')} purged, {rest} traces left")
    if await rooms.store.survey.purge_pending():
        await rooms.store.survey.erase_again()
        done.append("an erasure brought to its end")
    return done


async def _left(rooms: Rooms) -> Hidden:
    """Sessions and steps that have a tombstone; a bank without any is not read."""
    gone = await writing.tombstones(rooms)
    if not gone.marks:
        return Hidden()
    sessions, steps = [], {}
    for row in await rooms.store.sessions():
        if gone.session(row.id):
            sessions.append(row.id)
            continue
        hidden = indexing.hidden_of(row)
        whole = await spans.trajectory(rooms, row)
        found = tuple(
            step.number
            for step in whole.steps
            if not evidence.absent(hidden.get(step.number, "")) and gone.step(row.id, step)
        )
        if found:
            steps[row.id] = found
    return Hidden(sessions=tuple(sessions), steps=steps)
