"""Exchange: the bank as JSON lines, and JSON lines into a bank; what comes in is masked again."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.history import writing
from mcp_memory.hooks import digesting
from mcp_memory.memories import retain
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow, Where
from mcp_memory.text import redaction

FORMAT = "mcp-memory-export/1"
_KINDS: dict[str, type[EvidenceRow] | type[MemoryRow] | type[SessionRow]] = {
    "evidence": EvidenceRow,
    "memory": MemoryRow,
    "session": SessionRow,
}
_LEFT_OUT = {"batch", "vector"}
"""Of this bank only: who wrote it, and what its model made of it."""
Row = EvidenceRow | MemoryRow | SessionRow


@dataclass(slots=True)
class Imported:
    """What an import came to."""

    added: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)
    batch: str = ""


async def export(rooms: Rooms, file: Path) -> int:
    """Write every record, one a line with its hash, in a stable order; the number of records."""
    sessions = await rooms.store.sessions()
    rows = await rooms.store.find("evidence", Where(states=()))
    memories = await rooms.store.find("memories", Where(states=()))
    ordered: list[tuple[str, Row]] = [
        *(("session", row) for row in sorted(sessions, key=lambda row: row.id)),
        *(("evidence", row) for row in sorted(rows, key=lambda row: row.key)),
        *(("memory", row) for row in sorted(memories, key=lambda row: (row.key, row.version))),
    ]
    await anyio.to_thread.run_sync(_write, file, ordered)
    return len(ordered)


async def import_(rooms: Rooms, file: Path) -> Imported:
    """Add what the bank has not; a line that is damaged or unknown is refused and named.

    Raises:
        InvalidInput: the file is no export.
    """
    done = Imported()
    rows = await anyio.to_thread.run_sync(lambda: list(_read(file, done.refused)))
    fresh = [row for row in rows if not await _there(rooms, row)]
    done.known, done.added = len(rows) - len(fresh), len(fresh)
    if not fresh:
        return done
    evidence = [row for row in fresh if isinstance(row, EvidenceRow)]
    memories = [row for row in fresh if isinstance(row, MemoryRow)]
    sessions = [row for row in fresh if isinstance(row, SessionRow)]
    async with rooms.store.change(
        "import",
        refs=tuple(f"t:{row.id}" for row in sessions),
        inverse={"kind": "index"},
    ) as change:
        await change.add(
            evidence=await writing.with_vectors(rooms, evidence),
            sessions=sessions,
            memories=await retain.with_vectors(rooms, memories),
        )
    done.batch = change.batch
    await writing.rerender(rooms, [row.id for row in sessions])
    await digesting.renew(rooms)
    return done


def _write(file: Path, ordered: Sequence[tuple[str, Row]]) -> None:
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        out.write(orjson.dumps({"format": FORMAT, "rules": redaction.RULES_VERSION}) + b"\n")
        for kind, row in ordered:
            told = {k: v for k, v in asdict(row).items() if k not in _LEFT_OUT}
            line = {"kind": kind, "sha256": refs.digest(told), "row": told}
            out.write(orjson.dumps(line) + b"\n")
    fresh.replace(file)


def _read(file: Path, refused: list[str]) -> Iterator[Row]:
    with file.open("rb") as lines:
        head = next(lines, b"")
        if FORMAT.encode() not in head:
            raise InvalidInput(
                f"{file} is not an export of mcp-memory.",
                next_step="Name a file that `export` wrote.",
            )
        for number, line in enumerate(lines, 2):
            row = _row(line, number, refused)
            if row is not None:
                yield row


def _row(line: bytes, number: int, refused: list[str]) -> Row | None:
    try:
        told = orjson.loads(line)
        kind = _KINDS[told["kind"]]
        if told["sha256"] != refs.digest(told["row"]):
            refused.append(f"line {number}: its hash does not fit; it was changed or cut")
            return None
        masked, _ = redaction.redact_value(told["row"])
        made: Row = _made(kind, masked)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        refused.append(f"line {number}: {type(error).__name__}")
        return None
    return made


def _made(kind: type[Any], told: Any) -> Any:
    values = {}
    for each in fields(kind):
        value = told.get(each.name)
        if each.name == "batch":
            value = ""
        elif isinstance(value, list):
            value = tuple(value)
        elif each.name in {"at", "started_at", "ended_at"} and isinstance(value, str):
            value = datetime.fromisoformat(value)
        values[each.name] = value
    return kind(**values)


async def _there(rooms: Rooms, row: Row) -> bool:
    if isinstance(row, SessionRow):
        return bool(await rooms.store.sessions(ids=(row.id,)))
    if isinstance(row, EvidenceRow):
        return await rooms.store.count("evidence", Where(keys=(row.key,), states=())) > 0
    found = await rooms.store.by_keys("memories", (row.key,))
    return any(one.version == row.version for one in found)
