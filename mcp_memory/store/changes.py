"""Changes over several tables that a kill cannot leave half done: intent, commit, effects, done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Literal

import anyio.to_thread
import orjson
from pydantic import JsonValue

from mcp_memory.store.filters import one_of, quoted, to_sql
from mcp_memory.store.packing import Packed
from mcp_memory.store.quieting import quieten
from mcp_memory.store.rows import EvidenceRow, LedgerRow, MemoryRow, Phase, SessionRow, Table, Where
from mcp_memory.store.schema import arrow_schema
from mcp_memory.store.tables import Tables

CHANGED: tuple[Table, ...] = ("evidence", "sessions", "memories")


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done after the commit, any number of times with the same result."""

    kind: Literal["drop", "state", "quieten"]
    table: Table
    where: Where
    state: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A dead writer's change that opening the store took back or carried out."""

    batch: str
    op: str
    refs: tuple[str, ...]
    how: Literal["reversed", "replayed"]


@dataclass(slots=True)
class Change:
    """One batch in the making; what it adds is taken back when the block is left by an error."""

    tables: Tables
    intent: LedgerRow
    effects: list[Effect] = field(default_factory=list)

    @property
    def batch(self) -> str:
        """The name by which this change can be undone."""
        return self.intent.batch

    async def hashes(self, trajectories: Sequence[str]) -> dict[str, str]:
        """Key to hash of the evidence rows that sessions have so far."""
        condition = one_of("trajectory", trajectories)
        rows = await self.tables.read(
            "evidence", lambda q: q.where(condition).select(["key", "hash"]), EvidenceRow
        )
        return {row.key: row.hash for row in rows}

    async def add(
        self,
        *,
        evidence: Sequence[EvidenceRow] = (),
        sessions: Sequence[SessionRow] = (),
        memories: Sequence[MemoryRow] = (),
    ) -> None:
        """Append rows; each takes the batch of this change."""
        for table, rows in (("evidence", evidence), ("sessions", sessions), ("memories", memories)):
            named = [replace(row, batch=self.batch) for row in rows]
            await self.tables.append(table, named)  # type: ignore[arg-type]
        if revised := tuple(dict.fromkeys(row.key for row in memories if row.version > 1)):
            self.effects.append(Effect("quieten", "memories", Where(keys=revised, states=())))

    async def add_packed(self, rows: Packed, vectors: bytes | None, having: Sequence[bool]) -> None:
        """Append evidence rows that are columns already, with the vectors of those `having` one."""
        if len(rows):
            schema = arrow_schema("evidence", self.tables.dim)
            build = partial(rows.written, self.batch, schema, vectors, having=having)
            await self.tables.put("evidence", await anyio.to_thread.run_sync(build))

    def knows(self, inverse: Mapping[str, JsonValue]) -> None:
        """How to take it back, where that was not known when it began."""
        self.intent = replace(self.intent, inverse=orjson.dumps(dict(inverse)).decode())

    def drop(self, table: Table, where: Where) -> None:
        """Remove older rows, once the change is committed."""
        self.effects.append(Effect("drop", table, where))

    def set_state(self, table: Table, where: Where, state: str) -> None:
        """Change the state of rows, once the change is committed."""
        self.effects.append(Effect("state", table, where, state))


async def commit(tables: Tables, change: Change) -> None:
    """Make the change hold; its effects are still to be carried out."""
    committed = replace(change.intent, phase="commit", effects=told(change.effects))
    # What it adds lies on the disk before the ledger says that it holds.
    await tables.settle(CHANGED, since=change.intent.at)
    await tables.append("ledger", [committed])
    await tables.settle(("ledger",), since=change.intent.at)


async def complete(tables: Tables, intent: LedgerRow, effects: Sequence[Effect]) -> None:
    """Carry out the effects of a committed change, once more if need be."""
    if effects:
        await carry_out(tables, effects)
        await tables.append("ledger", [_phase(intent, "done")])


async def reverse(tables: Tables, intent: LedgerRow) -> None:
    """Take back what an uncommitted change added."""
    for table in CHANGED:
        await tables.delete(table, f"batch = {quoted(intent.batch)}")
    await tables.append("ledger", [_phase(intent, "reversed")])


async def reverse_once(tables: Tables, entry: LedgerRow) -> bool:
    """Say that a change of one append came to nothing, unless its rows are there."""
    count = await tables.attempt(
        lambda: tables["memories"].count_rows(f"batch = {quoted(entry.batch)}")
    )
    if count == 0:
        await tables.append("ledger", [_phase(entry, "reversed")])
    return bool(count == 0)


async def stands(tables: Tables, entry: LedgerRow) -> bool:
    """Whether a change holds that others may have taken back meanwhile; what came after that goes."""
    await tables.attempt(tables.refresh)
    asked = f"batch = {quoted(entry.batch)}"
    rows = await tables.read("ledger", lambda q: q.where(asked), LedgerRow)
    phases = {row.phase for row in rows}
    if "reversed" not in phases and phases & {"once", "commit"}:
        return True
    for table in CHANGED:
        await tables.delete(table, asked)
    return False


async def carry_out(tables: Tables, effects: Sequence[Effect]) -> None:
    """Do what is to be done after a commit."""
    for effect in effects:
        condition = to_sql(effect.table, effect.where)
        if condition is None:
            raise AssertionError
        if effect.kind == "quieten":
            await quieten(tables, effect.where.keys)
        elif effect.kind == "drop":
            await tables.delete(effect.table, condition)
        else:
            update = partial(tables[effect.table].update, {"state": effect.state}, where=condition)
            await tables.write(update)


async def recover(tables: Tables, owner: str) -> list[Recovered]:
    """Finish what a dead writer began: uncommitted changes are reversed, committed ones replayed.

    Its last commit counts as replayed in any case, for what lies outside the store.
    """
    rows = await tables.read("ledger", lambda q: q.where(f"owner = {quoted(owner)}"), LedgerRow)
    phases: dict[str, dict[Phase, LedgerRow]] = {}
    for row in rows:
        phases.setdefault(row.batch, {})[row.phase] = row
    last = max((row.at for row in rows if row.phase == "commit"), default=None)
    finished = []
    for seen in phases.values():
        committed = seen.get("commit")
        if "reversed" in seen:
            continue
        if "once" in seen:
            if await reverse_once(tables, seen["once"]):
                finished.append(_recovered(seen["once"], "reversed"))
        elif committed is None and "intent" in seen:
            await reverse(tables, seen["intent"])
            finished.append(_recovered(seen["intent"], "reversed"))
        elif committed is not None:
            left = () if "done" in seen else untold(committed.effects)
            await complete(tables, committed, left)
            if left or committed.at == last:
                finished.append(_recovered(committed, "replayed"))
    return finished


def _phase(row: LedgerRow, phase: Phase) -> LedgerRow:
    return replace(row, phase=phase, inverse="{}", effects="[]")


def _recovered(row: LedgerRow, how: Literal["reversed", "replayed"]) -> Recovered:
    return Recovered(row.batch, row.op, row.refs, how)


def _told(effect: Effect) -> dict[str, object]:
    where = {k: v for k, v in asdict(effect.where).items() if v != getattr(Where(), k)}
    return {"kind": effect.kind, "table": effect.table, "where": where, "state": effect.state}


def told(effects: Sequence[Effect]) -> str:
    """Effects as JSON, which `untold` reads."""
    return orjson.dumps([_told(effect) for effect in effects]).decode()


def untold(text: str) -> list[Effect]:
    """Effects that `told` wrote."""
    return [
        Effect(each["kind"], each["table"], _where(each["where"]), each["state"])
        for each in orjson.loads(text)
    ]


def _where(told: Mapping[str, JsonValue]) -> Where:
    moments = {"since", "until"}
    fields = {
        name: datetime.fromisoformat(value)
        if name in moments and isinstance(value, str)
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in told.items()
    }
    return Where(**fields)  # type: ignore[arg-type]
