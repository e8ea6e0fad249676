"""roger-roger: the least that an external agent writes, lines of `type`, `timestamp`, `message`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Refusal, SourceClass, StepKind, Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Drafts
from mcp_memory.readers.jsonl import first_records, read_lines, refuse, text_at

FORMAT = "roger_roger"
VERSION = 1

_SPEAKERS: dict[str, tuple[StepKind, SourceClass]] = {
    "user": ("user", SourceClass.USER),
    "assistant": ("agent", SourceClass.AGENT),
}
_KEYS = {"type", "timestamp", "message", "uuid"}
MAPPED = frozenset({*_SPEAKERS, "key:timestamp", "key:message"})
"""Types of lines, and their keys, that become part of a trajectory."""
LEFT_OUT = {"key:uuid": "names a line, which its place in the file does, too"}
"""Known keys that are counted and not kept, with the reason."""


def recognize(path: Path) -> bool:
    """Whether the first line is a speaker's, with a time and a message of text, and no more."""
    first = next(first_records(path, 1), None)
    return (
        first is not None
        and first.keys() <= _KEYS
        and text_at(first, "type") in _SPEAKERS
        and isinstance(first.get("message"), str)
        and moment(first.get("timestamp")) is not None
    )


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file, which is named by how it begins: it has no id."""
    refusals: list[Refusal] = []
    drafts, unknown, skipped = Drafts(), Counter[str](), Counter[str]()
    begun = ""
    for number, record in read_lines(path, refusals):
        speaker = _SPEAKERS.get(text_at(record, "type"))
        begun = begun or f"{record.get('timestamp')} {text_at(record, 'message')}"
        skipped["key:uuid"] += "uuid" in record
        unknown.update(f"key:{key}"[:80] for key in record.keys() - _KEYS)
        if speaker is None:
            unknown[text_at(record, "type")[:80]] += 1
            continue
        if not isinstance(record.get("message"), str):
            refuse(refusals, number, "a message that is no text")
        kind, source = speaker
        said = without_blobs(text_at(record, "message"))
        drafts.begin(kind, source, said, at=moment(record.get("timestamp")))
    steps = tuple(draft.finished() for draft in drafts)
    native_id = refs.short_hash(begun)
    goal = next((step.text for step in steps if step.kind == "user"), "")
    yield Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        goal=goal[:1000],
        started_at=drafts.lifetime.begun,
        ended_at=drafts.lifetime.ended,
        steps=steps,
        skipped={key: count for key, count in skipped.items() if count},
        unknown=dict(unknown),
        refusals=tuple(refusals),
    )
