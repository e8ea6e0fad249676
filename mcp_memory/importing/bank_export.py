"""Our own exports: what this owner's key has sealed comes in as it was, all else is judged anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import ValidationError

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import (
    Draft,
    Memory,
    Refusal,
    SourceClass,
    State,
    Step,
    Trajectory,
)
from mcp_memory.history import exchange, receiving, wire
from mcp_memory.history.exchange import Line, Use
from mcp_memory.history.wire import Part
from mcp_memory.history.writing import Tombstones
from mcp_memory.importing.items import Item
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow
from mcp_memory.trajectories import evidence, indexing, soundness
from mcp_memory.trajectories.indexing import Prepared

NAME = "mcp-memory"


@dataclass(slots=True)
class Session:
    """One session of an export, with its rows."""

    row: SessionRow
    own: bool
    rows: list[EvidenceRow] = field(default_factory=list)

    def add(self, line: Line, row: EvidenceRow) -> None:
        """A row of it; one that is not the owner's makes the whole session another's."""
        self.rows.append(row)
        self.own = self.own and line.own


@dataclass(slots=True)
class Contents:
    """What an export holds, by whose it is."""

    sessions: dict[str, Session] = field(default_factory=dict)
    memories: list[MemoryRow] = field(default_factory=list)
    """The owner's: every version."""
    claimed: list[Item | Refusal] = field(default_factory=list)
    """Memories of others, as what they are: somebody's words."""
    uses: list[Use] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def recognize(path: Path) -> bool:
    """Whether a file is an export of this program."""
    return path.is_file() and exchange.recognize(path)


def contents(file: Path, keys: Sequence[bytes]) -> Contents:
    """What an export holds; blocking.

    Raises:
        InvalidInput: it is none.
    """
    held = Contents()
    others: dict[str, tuple[int, MemoryRow]] = {}
    for line in _sound(held, exchange.read(file, keys, held.refused)):
        record = line.record
        match record:
            case SessionRow():
                held.sessions[record.id] = Session(record, line.own)
            case EvidenceRow() if record.trajectory in held.sessions:
                held.sessions[record.trajectory].add(line, record)
            case EvidenceRow():
                _refuse(held, line, "its session is not in the file")
            case MemoryRow() if line.own:
                held.memories.append(record)
            case MemoryRow():
                others[record.key] = (line.number, record)
            case Use() if line.own:
                held.uses.append(record)
            case Use():
                _refuse(held, line, "feedback of another home counts there")
    held.claimed += [_claimed(number, row) for number, row in others.values()]
    return held


def _sound(held: Contents, lines: Iterable[Line]) -> Iterator[Line]:
    """Lines whose rows every verb can read, whoever sealed them: another would be in their way."""
    for line in lines:
        fault = "" if isinstance(line.record, Use) else soundness.fault(line.record)
        if fault:
            _refuse(held, line, fault)
        else:
            yield line


def prepared(
    session: Session, gone: Tombstones, *, sender: str, step_chars: int
) -> Prepared | None:
    """A session made anew, without what was purged of it; None where its own rows are to be kept.

    Blocking.

    Raises:
        InvalidInput: it was purged, or is none.
        ValueError: it is not of a session's shape (pydantic's error is one).
    """
    if gone.session(session.row.id):
        raise InvalidInput("The session was not taken: it was purged here.", next_step="")
    whole = _whole(session)
    if session.own:
        return _own(session, whole, gone, step_chars)
    # What others bring is external content, whoever is said to have said it.
    steps = tuple(map(_external, whole.steps))
    part = Part(
        project=session.row.project,
        head=wire.head_of(whole),
        first=1,
        steps=tuple(map(wire.step_of, steps)),
    )
    made, _ = receiving.prepared(part, None, gone, sender=sender, step_chars=step_chars)
    return made


def purged(row: MemoryRow, gone: Tombstones) -> bool:
    """Whether these words were purged from this bank, or the session that they rest on."""
    memory = Memory.model_validate_json(row.body)
    rests = (cited.ref[2:].partition("#")[0].partition(".")[0] for cited in memory.evidence)
    return gone.memory(memory.text) or any(map(gone.session, rests))


def _own(session: Session, whole: Trajectory, gone: Tombstones, step_chars: int) -> Prepared | None:
    hidden = indexing.hidden_of(session.row)
    lost = [step.number for step in whole.steps if gone.step(whole.id, step)]
    if not lost:
        return None
    hidden |= dict.fromkeys(lost, evidence.PURGED)
    blanked = evidence.blanked(whole, lost)
    return indexing.rebuilt(blanked, session.row, hidden=hidden, step_chars=step_chars)


def _whole(session: Session) -> Trajectory:
    """The session put together from its rows; a step that it does not hold is empty."""
    outputs = {row.key: row.text for row in session.rows if row.kind == "output"}
    kept = {row.first: evidence.step_of(row, outputs) for row in session.rows if row.kind == "step"}
    last = max((*kept, session.row.steps))
    if last > wire.MOST_STEPS:
        raise ValueError("too many steps")
    steps = tuple(
        kept.get(number) or Step(number=number, kind="system") for number in range(1, last + 1)
    )
    bare = Trajectory.model_validate_json(session.row.body)
    return bare.model_copy(update={"steps": steps})


def _external(step: Step) -> Step:
    seen = tuple(
        each.model_copy(update={"source": SourceClass.EXTERNAL}) for each in step.observations
    )
    return step.model_copy(update={"source": SourceClass.EXTERNAL, "observations": seen})


def _claimed(number: int, row: MemoryRow) -> Item | Refusal:
    where = f"line {number}"
    try:
        memory = Memory.model_validate_json(row.body)
        if memory.state is not State.LIVE:
            return Refusal(where=where, reason=f"it was {memory.state.value} there")
        told = orjson.loads(row.body)
        draft = Draft.model_validate(
            {name: told[name] for name in Draft.model_fields if name in told}
        )
    except (ValidationError, ValueError, TypeError):
        return Refusal(where=where, reason="not the shape of a memory")
    return Item(draft, where, memory.created_at)


def _refuse(held: Contents, line: Line, reason: str) -> None:
    held.refused.append(Refusal(where=f"line {line.number}", reason=reason))
