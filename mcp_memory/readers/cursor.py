"""Cursor: chats in a state database (workspaces of 2024 seen), and an agent's plain transcripts.

The database of all workspaces and the transcripts follow published descriptions; none of a real
user was seen. A conversation may lie in both: then it is two sessions.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, Refusal, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.cursor_bubbles import Bubbles
from mcp_memory.readers.cursor_lines import BLOCKS, Lines
from mcp_memory.readers.cursor_places import Places
from mcp_memory.readers.cursor_store import UNSAID, Conversation, Store, is_store
from mcp_memory.readers.database import DAMAGED, MAGIC, InUse, opened
from mcp_memory.readers.jsonl import Record, head_records, object_at, read_head, read_lines, text_at

FORMAT = "cursor"
VERSION = 2

MAPPED = frozenset(
    {
        "tab", "composer", "bubble/1", "bubble/2", "bubble/user", "bubble/ai",
        *BLOCKS,
    }
)  # fmt: skip
"""Conversations, their bubbles, and blocks of plain transcripts that become part of a trajectory."""
LEFT_OUT = {
    **UNSAID,
    "bubble:missing": "a header whose bubble the host has deleted",
    "composer:empty": "a conversation in which nobody has said anything",
    "composer:summary": "a digest of bubbles that are kept whole",
    "assistant:redacted_thinking": "encrypted: nobody but the model's maker can read it",
}
"""Known keys and blocks that are counted and not kept, with the reason."""

_UUID = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl?(?:\.gz)?\Z", re.IGNORECASE
)
_RECORDS = 4


def recognize(path: Path) -> bool:
    """Whether it is a state database with chats, or lines of a role with a message and no more."""
    head = read_head(path)
    if is_store(path, head):
        return True
    records = list(head_records(head, _RECORDS)) if head[:1] == b"{" else []
    return bool(records) and "role" in records[0] and all(map(_is_line, records))


def read(path: Path) -> Iterator[Trajectory]:
    """Every conversation of a database, or the one session of a transcript."""
    if read_head(path).startswith(MAGIC):
        yield from _stored(path)
    else:
        yield _plain(path)


def _is_line(record: Record) -> bool:
    if "role" not in record:
        return record.get("type") == "turn_ended"
    message = object_at(record, "message")
    known = record.keys() <= {"role", "message", "timestamp"} and message.keys() <= {"content"}
    return known and record["role"] in ("user", "assistant") and "content" in message


def _stored(path: Path) -> Iterator[Trajectory]:
    refusals: list[Refusal] = []
    try:
        with opened(path) as base:
            store = Store(base, refusals)
            store.count()
            places = Places(path)
            for found in store.conversations():
                trajectory = _conversation(found, places, store, refusals)
                if trajectory:
                    yield trajectory
                    refusals.clear()
                    store.skipped.clear()
                    store.unknown.clear()
    except InUse:
        raise
    except DAMAGED as error:
        refusals.append(Refusal(where="database", reason=str(error)))
    if refusals:
        native_id = f"{refs.short_hash(path.name)}/unread"
        yield Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            refusals=tuple(refusals),
        )


def _conversation(
    found: Conversation, places: Places, store: Store, refusals: list[Refusal]
) -> Trajectory | None:
    facts = found.facts
    bubbles = Bubbles(refusals, object_at(facts, "codeBlockData"))
    for number, bubble in enumerate(found.bubbles, 1):
        bubbles.take(number, bubble)
    if not bubbles.drafts:
        store.skipped["composer:empty"] += 1
        return None
    if object_at(facts, "latestConversationSummary"):
        store.skipped["composer:summary"] += 1
    native_id = found.id or refs.short_hash(bubbles.drafts.goal)
    parent = text_at(object_at(facts, "subagentInfo"), "parentComposerId")
    begun = filter(None, (moment(facts.get("createdAt")), bubbles.lifetime.begun))
    ended = (moment(facts.get(key)) for key in ("lastUpdatedAt", "lastSendTime"))
    status = text_at(facts, "status")[:80]
    model = text_at(object_at(facts, "modelConfig"), "modelName") or None
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=(text_at(facts, "name") or text_at(facts, "chatTitle"))[:1000],
        goal=bubbles.drafts.goal,
        cwd=places.of(found.id, facts, bubbles.folder),
        git_branch=text_at(facts, "createdOnBranch") or None,
        model=next(iter(bubbles.models), None) or model,
        parent=refs.trajectory_id(FORMAT, parent) if parent else None,
        started_at=min(begun, default=None),
        ended_at=max(filter(None, (*ended, bubbles.lifetime.ended)), default=None),
        steps=tuple(draft.finished() for draft in bubbles.drafts),
        verdict_reason=f"conversation status {status}: not tested" if status else "no status",
        tokens_in=bubbles.tokens_in,
        tokens_out=bubbles.tokens_out,
        skipped=dict(store.skipped),
        unknown=dict(store.unknown + bubbles.unknown),
        refusals=tuple(refusals),
    )


def _plain(path: Path) -> Trajectory:
    refusals: list[Refusal] = []
    lines = Lines(refusals)
    for number, record in read_lines(path, refusals):
        lines.take(number, record)
    named = _UUID.search(path.name)
    native_id = f"{named[1].lower() if named else lines.first}/transcript"
    parent = path.absolute().parent
    started = parent.name == "subagents" and _UUID.fullmatch(f"{parent.parent.name}.json")
    verdict = Outcome.FAILURE if lines.status == "error" else Outcome.UNKNOWN
    reason = f"the last turn ended with {lines.status}" if lines.status else "no turn ended"
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        goal=lines.drafts.goal,
        cwd=lines.folder,
        parent=refs.trajectory_id(FORMAT, f"{started[1].lower()}/transcript") if started else None,
        started_at=lines.lifetime.begun,
        ended_at=lines.lifetime.ended,
        steps=tuple(draft.finished() for draft in lines.drafts),
        verdict=verdict,
        verdict_reason=reason if verdict is Outcome.FAILURE else f"{reason}: not tested",
        skipped=dict(lines.skipped),
        unknown=dict(lines.unknown),
        refusals=tuple(refusals),
    )
