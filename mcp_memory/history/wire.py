"""Wire: what `push` and `pull` say over HTTP: shapes, limits, and digests that both sides reckon alike."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import Field, JsonValue

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Frozen, SourceClass, Step, Trajectory
from mcp_memory.store.rows import PUSHED

HOLDINGS, TRAJECTORIES = "/archive/holdings", "/archive/trajectories"
FILES, FILE = "/archive/files", "/archive/file"
MOST_IDS = 1_000
"""Sessions that one question may name."""
MOST_PARTS = 64
"""Sessions that one delivery may hold."""
MOST_STEPS = 100_000
"""Steps of one session."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of one session as it is sent."""
MOST_FILES = 200_000
LARGEST_FILE = 256 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024 * 1024
_PLAIN = re.compile(r"[a-z0-9][\w.-]{0,60}", re.ASCII)
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{12}")
_SOURCE = re.compile(
    r"pushed:(?P<sender>.*)\?steps=(?P<steps>\d+)&digest=(?P<digest>[0-9a-f]*)&head=(?P<head>[0-9a-f]*)",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_NAME = 300
_HIGHEST = {
    "agent": SourceClass.AGENT,
    "boot": SourceClass.HOST,
    "summary": SourceClass.HOST,
}
"""No more than this can be said in a step of that kind, whatever its sender claims."""

Record = dict[str, JsonValue]
Id = Annotated[str, Field(pattern=r"^[0-9a-hjkmnp-tv-z]{12}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]


class Mark(Frozen):
    """How far a session is held: so many steps, the digest over them, and that of all else of it."""

    steps: int = 0
    digest: Digest = ""
    head: Digest = ""


class Holding(Mark):
    """What a bank holds of a session."""

    own: bool = False
    """Whether the bank read the session itself: nobody else's copy replaces it."""


class Asked(Frozen):
    """Which sessions a sender wants to know of."""

    ids: Annotated[tuple[Id, ...], Field(max_length=MOST_IDS)]


class Holdings(Frozen):
    """What a bank holds of the sessions that were asked about, and how large a request may be."""

    held: Mapping[str, Holding]
    request_bytes: int


class Part(Frozen):
    """Consecutive steps of one session, masked, with all else that is known of it."""

    project: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    head: Record
    """A Trajectory without its steps."""
    first: Annotated[int, Field(ge=1, le=MOST_STEPS + 1)]
    after: Digest = ""
    """The digest over the steps before `first`."""
    steps: Annotated[tuple[Record, ...], Field(max_length=MOST_STEPS)] = ()


class Taken(Frozen):
    """A session that was taken, how far it is held now, and how many secrets were still masked."""

    id: str
    mark: Mark
    masked: int = 0


class Refused(Frozen):
    """A session that was not taken, and why."""

    id: str
    reason: str


class Receipt(Frozen):
    """What became of each part of a delivery."""

    taken: tuple[Taken, ...] = ()
    refused: tuple[Refused, ...] = ()


class ListedFile(Frozen):
    """A file of an archive by its path below the archive's root, `/`-separated."""

    path: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Listing(Frozen):
    """The files of one project's archive."""

    project: str
    files: Annotated[tuple[ListedFile, ...], Field(max_length=MOST_FILES)]


def chained(before: str, steps: Iterable[Mapping[str, Any]]) -> str:
    """The digest over steps that follow those of another digest; empty where there are none."""
    for step in steps:
        told = orjson.dumps(step, option=orjson.OPT_SORT_KEYS)
        before = hashlib.sha256(before.encode() + told).hexdigest()
    return before


def head_digest(head: Mapping[str, Any]) -> str:
    """The digest over a session without its steps."""
    return refs.digest(head)


def size_of(record: Mapping[str, Any]) -> int:
    """Bytes that a record takes where it is sent."""
    return len(orjson.dumps(record)) + 1


def head_of(trajectory: Trajectory) -> Record:
    """What is sent of an admitted trajectory besides its steps; what a reader counted is not."""
    bare = trajectory.model_copy(update={"steps": (), "refusals": (), "unknown": {}, "skipped": {}})
    return _record(bare.model_dump_json(exclude_defaults=True))


def step_of(step: Step) -> Record:
    """What is sent of an admitted step."""
    return _record(step.model_dump_json(exclude_defaults=True))


def read_part(part: Part) -> Trajectory:
    """The piece of a session that a part holds; no source in it claims more than its kind can say.

    Raises:
        InvalidInput: it is none: the id is not its own, or numbers do not follow each other.
        ValueError: a field is missing, unknown or of the wrong kind (pydantic's error is one).
    """
    head = Trajectory.model_validate(part.head)
    steps = tuple(_calmed(Step.model_validate(step)) for step in part.steps)
    faults = {
        "its format is not a plain name": not _PLAIN.fullmatch(head.format),
        "its native id is not one": not 0 < len(head.native_id) <= _LONGEST_NAME,
        "its id is not that of its format and native id": head.id
        != refs.trajectory_id(head.format, head.native_id),
        "its parent is not an id": head.parent is not None and not _ID.fullmatch(head.parent),
        "steps stand in its head": bool(head.steps),
        "its steps do not follow each other": [step.number for step in steps]
        != list(range(part.first, part.first + len(steps))),
        "a step revises a later one": any(
            step.revises is not None and not 0 < step.revises < step.number for step in steps
        ),
        "its project is not a name": part.project in {"*", "user"}
        or bool(_CONTROL.search(part.project)),
    }
    for fault, found in faults.items():
        if found:
            raise InvalidInput(f"The session was not taken: {fault}.", next_step=_NEXT)
    return head.model_copy(update={"steps": steps})


_NEXT = "Send it with `mcp-memory push` of the same version as the server's."


def source(sender: str, mark: Mark) -> str:
    """What the catalogue says of where a pushed session came from, and how far it has come."""
    return f"{PUSHED}{sender}?steps={mark.steps}&digest={mark.digest}&head={mark.head}"


def source_of(text: str) -> tuple[str, Mark] | None:
    """The sender and the mark of a pushed session; None for one that was read from a file."""
    match = _SOURCE.fullmatch(text)
    if match is None:
        return None
    mark = Mark(steps=int(match["steps"]), digest=match["digest"], head=match["head"])
    return match["sender"], mark


def cut(
    project: str, head: Record, steps: Sequence[Record], *, after: Mark, most: int
) -> list[Part]:
    """The steps that follow a mark as parts of at most so many bytes; one part at least.

    Raises:
        InvalidInput: the session, or one step of it, is larger than may be sent.
    """
    room = most - size_of(head) - len(project.encode()) - _WRAPPING
    parts: list[Part] = []
    pending: list[Record] = []
    begun, size, digest = after.digest, 0, after.digest
    for number, step in enumerate(steps[after.steps :], after.steps + 1):
        length = size_of(step)
        if length > room or number > MOST_STEPS:
            raise InvalidInput(
                f"Step {number} is too much for that server, which takes {most:,} bytes at a time "
                f"and {MOST_STEPS:,} steps a session.",
                next_step="Raise MCP_MEMORY_REQUEST_BYTES there, or leave this session out.",
            )
        if size + length > room:
            parts.append(_part(project, head, number - len(pending), begun, pending))
            pending, begun, size = [], digest, 0
        pending.append(step)
        size += length
        digest = chained(digest, (step,))
    parts.append(_part(project, head, len(steps) - len(pending) + 1, begun, pending))
    return parts


_WRAPPING = 2_000
"""Bytes that a part takes besides head and steps."""


def _part(project: str, head: Record, first: int, after: str, steps: Sequence[Record]) -> Part:
    return Part(project=project, head=head, first=first, after=after, steps=tuple(steps))


def _calmed(step: Step) -> Step:
    most = _HIGHEST.get(step.kind, SourceClass.USER)
    return step.model_copy(update={"source": most}) if step.source.trust > most.trust else step


def _record(text: str) -> Record:
    record: Record = orjson.loads(text)
    return record
