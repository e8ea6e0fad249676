"""Exchange: the bank as JSON lines, each sealed with the key of its home, and lines read back."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Frozen, Refusal
from mcp_memory.rooms import Rooms
from mcp_memory.store.rows import EvidenceRow, LedgerRow, MemoryRow, SessionRow, Where
from mcp_memory.text import redaction
from mcp_memory.trajectories import reaching

FORMAT = "mcp-memory-export/2"
_OLDER = b"mcp-memory-export/1"
"""Without seals: whoever wrote it, nothing in it can be shown to be the owner's."""
_KINDS: dict[str, type[EvidenceRow] | type[MemoryRow] | type[SessionRow]] = {
    "evidence": EvidenceRow,
    "memory": MemoryRow,
    "session": SessionRow,
}
_LEFT_OUT = {"batch", "vector"}
"""Of this bank only: who wrote it, and what its model made of it."""
_MOMENTS = {"at", "started_at", "ended_at"}


class Use(Frozen):
    """Feedback that was given once: on which memories, and how it went."""

    batch: str
    refs: tuple[str, ...]
    outcome: str


Record = EvidenceRow | MemoryRow | SessionRow | Use


@dataclass(frozen=True, slots=True)
class Line:
    """One record of an export."""

    number: int
    record: Record
    own: bool
    """Whether its seal is of a home that the reader has the key of: it is as that home had it."""


async def export(rooms: Rooms, file: Path) -> int:
    """Write every record, one a line with its hash and seal, in a stable order; their number."""
    sessions = await rooms.store.sessions()
    rows = await rooms.store.find("evidence", Where(states=()))
    memories = await rooms.store.find("memories", Where(states=()))
    key, _ = await rooms.store.tombstones()
    ordered: list[tuple[str, dict[str, Any]]] = [
        *(("session", _told(row)) for row in sorted(sessions, key=lambda row: row.id)),
        *(("evidence", _told(row)) for row in sorted(rows, key=lambda row: row.key)),
        *(
            ("memory", _told(_unbatched(row)))
            for row in sorted(memories, key=lambda row: (row.key, row.version))
        ),
        *(("use", use.model_dump(mode="json")) for use in await uses(rooms)),
    ]
    await anyio.to_thread.run_sync(_write, file, ordered, key)
    return len(ordered)


async def uses(rooms: Rooms, *, everything: bool = False) -> list[Use]:
    """All feedback under the batches that it was first given in; what was taken back on demand."""
    undone: set[str] = set()
    if not everything:
        for row in reversed(await rooms.store.ledger(op="undo")):
            # What takes an undo back comes after it.
            undone.update(row.refs if row.batch not in undone else ())
    given = [
        _use(row) for row in await rooms.store.ledger(op="feedback") if row.batch not in undone
    ]
    return sorted(given, key=lambda use: use.batch)


def recognize(path: Path) -> bool:
    """Whether a file is an export of this program."""
    with path.open("rb") as lines:
        head = next(lines, b"")
    return FORMAT.encode() in head or _OLDER in head


def read(file: Path, keys: Sequence[bytes], refused: list[Refusal]) -> Iterator[Line]:
    """The records of an export; a line that is damaged or unknown is refused and named.

    `keys`: of the homes whose lines are the reader's own.

    Raises:
        InvalidInput: the file is no export.
    """
    if not recognize(file):
        raise InvalidInput(
            f"{file} is not an export of mcp-memory.",
            next_step="Name a file that `export` wrote.",
        )
    with file.open("rb") as lines:
        rules = _rules(next(lines, b""))
        for number, line in enumerate(lines, 2):
            found = _line(line, number, keys, refused, masked=rules == redaction.RULES_VERSION)
            if found is not None:
                yield found


def _use(row: LedgerRow) -> Use:
    told = orjson.loads(row.inverse)
    return Use(batch=told.get("of") or row.batch, refs=row.refs, outcome=str(told["outcome"]))


def _unbatched(row: MemoryRow) -> MemoryRow:
    """The row as any bank has it: its body names the batch once more."""
    told = {**orjson.loads(row.body), "batch": ""}
    return MemoryRow(**{**_fields(row), "body": orjson.dumps(told).decode()})


def _told(row: EvidenceRow | MemoryRow | SessionRow) -> dict[str, Any]:
    return {k: v for k, v in asdict(row).items() if k not in _LEFT_OUT}


def _fields(row: MemoryRow) -> dict[str, Any]:
    return {each.name: getattr(row, each.name) for each in fields(row)}


def _write(file: Path, ordered: Iterable[tuple[str, Mapping[str, Any]]], key: bytes) -> None:
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        out.write(orjson.dumps({"format": FORMAT, "rules": redaction.RULES_VERSION}) + b"\n")
        for kind, told in ordered:
            digest = refs.digest(told)
            line = {"kind": kind, "sha256": digest, "seal": _seal(key, kind, digest), "row": told}
            out.write(orjson.dumps(line) + b"\n")
    fresh.replace(file)


def _seal(key: bytes, kind: str, digest: str) -> str:
    return reaching.tombstone(key, f"exported:{kind}:{digest}")


def _rules(head: bytes) -> object:
    try:
        told = orjson.loads(head)
    except orjson.JSONDecodeError:
        return None
    return told.get("rules") if isinstance(told, dict) else None


def _line(
    line: bytes, number: int, keys: Sequence[bytes], refused: list[Refusal], *, masked: bool
) -> Line | None:
    try:
        told = orjson.loads(line)
        kind, row = told["kind"], told["row"]
        digest = refs.digest(row)
        if told["sha256"] != digest:
            refused.append(_refusal(number, "its hash does not fit: it was changed or cut"))
            return None
        seal = str(told.get("seal", ""))
        own = any(hmac.compare_digest(_seal(key, kind, digest), seal) for key in keys)
        if not (own and masked):
            # What older rules let through, or another hand wrote, passes the door again.
            row, _ = redaction.redact_value(row)
        return Line(number, _made(kind, row), own)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        refused.append(_refusal(number, f"not the shape of a record: {type(error).__name__}"))
        return None


def _refusal(number: int, reason: str) -> Refusal:
    return Refusal(where=f"line {number}", reason=reason)


def _made(kind: Literal["evidence", "memory", "session", "use"], told: Any) -> Record:
    if kind == "use":
        return Use.model_validate(told)
    values = {}
    for each in fields(_KINDS[kind]):
        if each.name not in told and each.default is not MISSING:
            continue  # a column that came later
        value = told.get(each.name)
        if each.name == "batch":
            value = ""
        elif isinstance(value, list):
            value = tuple(value)
        elif each.name in _MOMENTS and isinstance(value, str):
            value = datetime.fromisoformat(value)
        values[each.name] = value
    return _KINDS[kind](**values)
