"""Soundness: what a row must be so that every verb can read it, whoever wrote or brought it."""

import re
from collections.abc import Callable, Iterator

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import (
    Episode,
    Memory,
    MemoryKind,
    Outcome,
    SourceClass,
    Standing,
    State,
    Step,
    Trajectory,
)
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow
from mcp_memory.trajectories.entries import Entry

LARGEST = 64 * 1024 * 1024
"""Characters of one row's text and body: no reader lets more through for one step."""
LONGEST_NAME = 4_000
MOST_STEPS = 1_000_000
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{12}")
_FOLDER = re.compile(r"[a-z0-9-]{1,80}/[a-z0-9-]{1,100}")
_KINDS = {"step": "trajectory", "episode": "episode", "output": "output"}
_STATES = frozenset(State)

Row = EvidenceRow | MemoryRow | SessionRow


def fault(row: Row) -> str:
    """What is wrong with a row, without its words; empty for a sound one."""
    try:
        told = _FAULTS[type(row)](row)
        return next((what for what, wrong in told if wrong), "")
    except (ValueError, TypeError, KeyError, RecursionError, InvalidInput) as error:
        return f"its body cannot be read ({type(error).__name__})"


def _evidence(row: EvidenceRow) -> Iterator[tuple[str, bool]]:
    ref = refs.parse(row.key)
    yield "its kind is none", row.kind not in _KINDS or ref.kind != _KINDS[row.kind]
    yield "its session is not an id", not _ID.fullmatch(row.trajectory)
    own = row.kind == "output" or ref.id == row.trajectory
    yield "its ref is not of its session", not own or str(ref) != row.key
    yield "its steps are not in order", not 0 < row.first <= row.last <= MOST_STEPS
    yield "its state is none", row.state not in _STATES
    yield "its source is none", row.source not in frozenset(SourceClass)
    yield "its outcome is none", row.outcome not in frozenset(Outcome)
    yield "it is too large", len(row.text) + len(row.body) > LARGEST
    if row.kind == "step":
        yield "its body is another step's", Step.model_validate_json(row.body).number != row.first
        yield "its ref is another step's", (ref.first, ref.last) != (row.first, None)
    elif row.kind == "episode":
        made = Episode.model_validate_json(row.body)
        told = (made.trajectory, made.number)
        yield "its body is another episode's", told != (row.trajectory, ref.number)


def _session(row: SessionRow) -> Iterator[tuple[str, bool]]:
    yield "its id is none", not _ID.fullmatch(row.id)
    folder = row.folder
    yield "its folder is not one of the archive", not _FOLDER.fullmatch(folder)
    yield "its folder is another session's", not folder.endswith(f"-{row.id}")
    yield "its state is none", row.state not in _STATES
    yield "its steps cannot be counted", not 0 <= row.steps <= MOST_STEPS
    yield "it is too large", len(row.body) + len(row.entry) + len(row.marks) > LARGEST
    names = (row.project, row.cwd, row.native_id, row.source_path, row.format)
    yield "a name of it is too long", any(len(name) > LONGEST_NAME for name in names)
    related = (row.parent, row.origin)
    yield "it comes from what is no session", any(i and not _ID.fullmatch(i) for i in related)
    yield "its body is another session's", Trajectory.model_validate_json(row.body).id != row.id
    entry = Entry.model_validate_json(row.entry)
    yield "its entry is another session's", (entry.id, entry.folder) != (row.id, folder)
    yield "what it hides cannot be read", not _hides(orjson.loads(row.hidden or "{}"))


def _hides(told: object) -> bool:
    return isinstance(told, dict) and all(
        isinstance(why, str) and number.isdecimal() for number, why in told.items()
    )


def _memory(row: MemoryRow) -> Iterator[tuple[str, bool]]:
    ref = refs.parse(row.key)
    yield "its ref is no memory's", ref.kind != "memory" or str(ref) != row.key
    yield "its version is none", not 0 < row.version <= MOST_STEPS
    yield "its kind is none", row.kind not in frozenset(MemoryKind)
    yield "its standing is none", row.standing not in frozenset(Standing)
    yield "its state is none", row.state not in _STATES
    yield "it is too large", len(row.text) + len(row.body) > LARGEST
    memory = Memory.model_validate_json(row.body)
    yield "its body is another memory's", (memory.ref, memory.version) != (row.key, row.version)
    told = (memory.kind.value, memory.standing.value, memory.state.value, memory.project)
    yield "its body says otherwise", told != (row.kind, row.standing, row.state, row.project)
    cited = tuple(one.ref for one in memory.evidence)
    yield "its evidence is another's", set(cited) != set(row.evidence)
    yield "its evidence is no ref", any(not refs.parse(one) for one in cited)


_FAULTS: dict[type, Callable[..., Iterator[tuple[str, bool]]]] = {
    EvidenceRow: _evidence,
    SessionRow: _session,
    MemoryRow: _memory,
}
