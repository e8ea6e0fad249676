"""Ledger: every row is of a change that the ledger knows, and every change came to an end."""

from mcp_memory.checkup.findings import Finding, ill, named, well
from mcp_memory.history import writing
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import Table
from mcp_memory.store.surveying import CHANGED
from mcp_memory.text.counting import counted

ADOPTED = "adopted"
"""The change under which a repair enters rows that no change named."""


async def look(rooms: Rooms) -> list[Finding]:
    """Changes without an end, rows of no change, and rows that stand twice."""
    survey = rooms.store.survey
    begun = [row.batch for row in await survey.unfinished()]
    strange = await _strange(rooms)
    twice = sorted({row[0] for rows in (await _doubles(rooms)).values() for row in rows})
    return [
        ill("ledger", f"{counted(len(begun), 'change')} without an end: {named(begun)}")
        if begun
        else well("ledger", "every change came to an end"),
        ill("ledger", f"rows of {counted(len(strange), 'change')} that it does not know")
        if strange
        else well("ledger", "every row is of a known change"),
        ill("ledger", f"{counted(len(twice), 'record')} stored twice: {named(twice)}")
        if twice
        else well("ledger", "every record stands once"),
    ]


async def mend(rooms: Rooms) -> list[str]:
    """Bring changes to their end, enter rows that no change named, and keep one row of each."""
    survey, done = rooms.store.survey, []
    begun = await survey.unfinished()
    finished = await survey.finish({row.owner for row in begun})
    if finished:
        sessions = {ref[2:].split("#")[0] for one in finished for ref in one.refs if ref[0] == "t"}
        await writing.rerender(rooms, sessions)
        done.append(f"{counted(len(finished), 'change')} brought to an end")
    strange = await _strange(rooms)
    if strange:
        # A row that somebody was told of is kept: that its change is unknown is no fault of it.
        await rooms.store.note(ADOPTED, refs=strange, inverse={"kind": "none"})
        done.append(f"rows of {counted(len(strange), 'change')} entered")
    for table, rows in (await _doubles(rooms)).items():
        older = _older(rows, await _order(rooms))
        await survey.drop(table, older)
        done += [f"{counted(len(older), 'double')} dropped from {table}"] if older else []
    return done


async def _strange(rooms: Rooms) -> list[str]:
    survey = rooms.store.survey
    ledger = await survey.ledger()
    known = {row.batch for row in ledger}
    known |= {ref for row in ledger if row.op == ADOPTED for ref in row.refs}
    used = {batch for table in CHANGED for batch in await survey.batches(table)}
    return sorted(used - known - {""})


async def _doubles(rooms: Rooms) -> dict[Table, list[tuple[str, ...]]]:
    survey = rooms.store.survey
    under_way = await survey.under_way()
    found = {table: await survey.doubles(table) for table in CHANGED}
    settled = {t: [row for row in rows if row[-1] not in under_way] for t, rows in found.items()}
    return {
        table: rows for table, rows in settled.items() if len({r[:-1] for r in rows}) < len(rows)
    }


async def _order(rooms: Rooms) -> dict[str, int]:
    """Each batch by its place in the ledger."""
    rows = await rooms.store.ledger()
    return {row.batch: place for place, row in enumerate(rows)}


def _older(rows: list[tuple[str, ...]], order: dict[str, int]) -> list[tuple[str, ...]]:
    """All rows of each key but the one of the youngest change."""
    newest: dict[tuple[str, ...], tuple[str, ...]] = {}
    for row in sorted(rows, key=lambda row: order.get(row[-1], -1)):
        newest[row[:-1]] = row
    return [row for row in rows if newest[row[:-1]] != row]
