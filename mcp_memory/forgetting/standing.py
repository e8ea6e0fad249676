"""Standing: which batches of the ledger hold, and which of them lie on top of another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from pydantic import JsonValue

from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import LedgerRow, Where


@dataclass(frozen=True, slots=True)
class Ledger:
    """The batches of a bank in the order of their writing, each with what took it back."""

    batches: Mapping[str, LedgerRow]
    """Each by the row that knows how to take it back."""
    undone: Mapping[str, Sequence[str]]

    def taken_back_by(self, batch: str) -> str:
        """The undo that took a batch back and holds; empty where it stands."""
        by = self.undone.get(batch, ())
        return next((one for one in by if not self.taken_back_by(one)), "")

    def holds(self, batch: str) -> bool:
        """Whether what a batch did is still in effect; an undo is no change of its own."""
        row = self.batches.get(batch)
        undoes = row is not None and bool(told(row).get("undoes"))
        return row is not None and not undoes and not self.taken_back_by(batch)

    def after(self, batch: str) -> list[str]:
        """The batches that were written later, oldest first."""
        names = list(self.batches)
        return names[names.index(batch) + 1 :] if batch in self.batches else []

    def since(self, at: datetime) -> list[str]:
        """Batches that hold and were written since, newest first."""
        found = (name for name, row in self.batches.items() if row.at >= at and self.holds(name))
        return list(found)[::-1]


async def ledger(rooms: Rooms) -> Ledger:
    """The whole ledger as it stands."""
    batches: dict[str, LedgerRow] = {}
    undone: dict[str, list[str]] = {}
    reversed_: set[str] = set()
    for row in await rooms.store.ledger():
        if row.phase == "reversed":
            reversed_.add(row.batch)
        if row.batch not in batches or row.inverse != "{}":
            batches[row.batch] = row
        undoes = str(told(row).get("undoes", ""))
        if undoes and row.batch not in undone.setdefault(undoes, []):
            undone[undoes].append(row.batch)
    return Ledger({name: row for name, row in batches.items() if name not in reversed_}, undone)


async def on_top(rooms: Rooms, entry: LedgerRow, known: Ledger) -> list[str]:
    """Later batches that hold and changed what a batch made or changed; newest first."""
    later = [name for name in known.after(entry.batch) if known.holds(name)]
    touched = await rooms.store.find("memories", Where(batches=(entry.batch,), states=()))
    changed: set[str] = set()
    if later and touched:
        keys = tuple(dict.fromkeys(row.key for row in touched))
        versions = await rooms.store.find("memories", Where(keys=keys, states=()))
        changed = {row.batch for row in versions}
    if told(entry).get("kind") == "index":
        changed.update(_grew(entry, known, later))
    return [name for name in reversed(later) if name in changed]


def _grew(entry: LedgerRow, known: Ledger, later: Iterable[str]) -> Iterable[str]:
    """Later batches by which sessions of an index batch grew further."""
    mine = {ref.removeprefix("t:") for ref in entry.refs}
    return (name for name in later if mine & set(grown(known.batches[name])))


def grown(row: LedgerRow) -> dict[str, tuple[int, int]]:
    """Sessions that an index batch found there already: their lengths before and after it."""
    held = told(row).get("grown")
    if not isinstance(held, dict):
        return {}
    return {
        session: (int(str(ends[0])), int(str(ends[1])))
        for session, ends in held.items()
        if isinstance(ends, list) and ends[0] != ends[1]
    }


def told(row: LedgerRow) -> dict[str, JsonValue]:
    """How a batch is taken back."""
    known: dict[str, JsonValue] = orjson.loads(row.inverse)
    return known
