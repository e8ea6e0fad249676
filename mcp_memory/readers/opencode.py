"""opencode and Kilo: exports of a session (1.2.20 to 1.18.10 seen), the database, the older tree."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, Refusal, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.database import MAGIC
from mcp_memory.readers.jsonl import Record, list_at, object_at, read_head, read_whole, text_at
from mcp_memory.readers.opencode_messages import KEPT, Messages
from mcp_memory.readers.opencode_messages import LEFT_OUT as PARTS_LEFT_OUT
from mcp_memory.readers.opencode_store import is_store, stored_sessions
from mcp_memory.readers.opencode_tree import is_session, tree_session

FORMAT = "opencode"
VERSION = 2

MAPPED = KEPT | {"export/info", "export/messages"}
"""Keys of an export, messages and parts that become part of a trajectory."""
LEFT_OUT = {
    **PARTS_LEFT_OUT,
    "export/todos": "repeats the last list that the agent wrote with a tool",
}
"""Known keys and parts that are counted and not kept, with the reason."""

_EXPORT = re.compile(rb'\s*\{\s*"info"\s*:\s*\{')
_FACTS = (re.compile(rb'"projectID"\s*:\s*"'), re.compile(rb'"directory"\s*:\s*"'))
_BEFORE_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')


def recognize(path: Path) -> bool:
    """Whether the file is an export, this host's database, or the session file of its tree."""
    head = read_head(path)
    if is_store(path, head) or is_session(head):
        return True
    messages = _BEFORE_MESSAGES.search(head)
    if messages is None or not _EXPORT.match(head):
        return False
    return all(fact.search(head, 0, messages.start()) for fact in _FACTS)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of an export or a tree, or each of a database."""
    refusals: list[Refusal] = []
    head = read_head(path)
    if is_session(head):
        yield _trajectory(tree_session(path, refusals), path, refusals)
    elif head.startswith(MAGIC):
        for record in stored_sessions(path, refusals):
            yield _trajectory(record, path, refusals)
            refusals.clear()
        if refusals:
            yield _trajectory({}, path, refusals)
    else:
        yield _trajectory(read_whole(path, refusals) or {}, path, refusals)


def _trajectory(record: Record, path: Path, refusals: list[Refusal]) -> Trajectory:
    info = object_at(record, "info")
    parent, time = text_at(info, "parentID"), object_at(info, "time")
    messages = Messages(SourceClass.AGENT if parent else SourceClass.USER)
    for number, message in enumerate(list_at(record, "messages"), 1):
        if object_at(message, "info"):
            messages.take(object_at(message, "info"), list_at(message, "parts"))
        else:
            refusals.append(Refusal(where=f"message {number}", reason="without its facts"))
    skipped, unknown = _keys(record)
    abandoned = messages.abandoned(object_at(info, "revert"))
    failure, native_id = messages.failure, _native_id(record, path)
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        title=text_at(info, "title"),
        goal=messages.drafts.goal,
        cwd=text_at(info, "directory") or messages.cwd or None,
        model=messages.model or None,
        host_version=text_at(info, "version") or None,
        parent=refs.trajectory_id(FORMAT, parent) if parent else None,
        started_at=moment(time.get("created")),
        ended_at=moment(time.get("updated")),
        steps=tuple(d.finished(abandoned=d.number in abandoned) for d in messages.drafts),
        verdict=Outcome.FAILURE if failure else Outcome.UNKNOWN,
        verdict_reason=f"its last answer ended in {failure}" if failure else "",
        tokens_in=messages.read,
        tokens_out=messages.written,
        skipped=dict(messages.skipped + skipped),
        unknown=dict(messages.unknown + unknown),
        refusals=tuple(refusals),
    )


def _keys(record: Record) -> tuple[Counter[str], Counter[str]]:
    names = [f"export/{key}"[:80] for key in record]
    skipped = Counter(name for name in names if name in LEFT_OUT)
    return skipped, Counter(n for n in names if n not in LEFT_OUT and n not in MAPPED)


def _native_id(record: Record, path: Path) -> str:
    """The session's id, which its messages repeat."""
    told = [object_at(message, "info") for message in list_at(record, "messages")[:1]]
    ids = [text_at(object_at(record, "info"), "id"), *(text_at(i, "sessionID") for i in told)]
    return next((id_ for id_ in ids if id_), "") or refs.short_hash(path.name.partition(".")[0])
