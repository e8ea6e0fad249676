"""GitHub Copilot in VS Code: chat exports (seen to 0.39) and stored sessions, whole or as a log."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, Refusal, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    head_records,
    object_at,
    read_head,
    read_lines,
    read_whole,
    text_at,
)
from mcp_memory.readers.vscode_calls import path_of
from mcp_memory.readers.vscode_log import WHOLE, Log
from mcp_memory.readers.vscode_turns import LEFT_OUT as PARTS_LEFT_OUT
from mcp_memory.readers.vscode_turns import MAPPED as PARTS
from mcp_memory.readers.vscode_turns import Agent, Turns

FORMAT = "vscode_copilot"
VERSION = 2

_STATE = "state of the editor, nothing that was said or seen"
MAPPED = PARTS | {
    *("session/requests", "session/sessionId", "session/creationDate", "session/lastMessageDate"),
    *("session/customTitle", "session/repoData"),
}
"""Keys of a session, and parts of a response, that become part of a trajectory."""
LEFT_OUT = {
    **PARTS_LEFT_OUT,
    **dict.fromkeys(
        (
            "session/version", "session/responderUsername", "session/requesterUsername",
            "session/responderAvatarIconUri", "session/requesterAvatarIconUri",
            "session/initialLocation", "session/isImported", "session/hasPendingEdits",
            "session/welcomeMessage", "session/isNew",
        ),
        _STATE,
    ),
    "session/inputState": "what the user was typing, not sent",
    "session/pendingRequests": "what the user had lined up, not sent yet",
}  # fmt: skip
"""Known keys and parts that are counted and not kept, with the reason."""

_FIRST_KEYS = b"version|requesterUsername|responderUsername|initialLocation|sessionId|creationDate"
_BEGINNING = re.compile(rb'\s*\{\s*"(?:%s)"\s*:' % _FIRST_KEYS)
_RESPONDER = re.compile(rb'"responderUsername"\s*:')
_REQUESTS = re.compile(rb'"requests"\s*:\s*\[')
_LOG = re.compile(rb'\s*\{\s*"kind"\s*:\s*0\s*,\s*"v"\s*:\s*\{')
_LONGEST_WORKSPACE = 1 << 16


def recognize(path: Path) -> bool:
    """Whether the file begins with the facts of a chat, bare or as a log's first line."""
    head = read_head(path)
    begins = _BEGINNING.match(head) or _LOG.match(head)
    return bool(begins and _RESPONDER.search(head) and _REQUESTS.search(head))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file, then its sub-agents."""
    refusals: list[Refusal] = []
    log = Log()
    if _is_log(read_head(path)):
        for number, change in read_lines(path, refusals):
            log.take(number, change, refusals)
    else:
        log.session = read_whole(path, refusals) or {}
        log.settle()
    turns = Turns()
    for number, (id_, request) in enumerate(log.requests.items(), 1):
        if isinstance(request, dict):
            turns.take(request, live=id_ in log.live)
        else:
            refusals.append(Refusal(where=f"request {number}", reason="not an object"))
    yield from _trajectories(log, turns, path, refusals)


def _trajectories(
    log: Log, turns: Turns, path: Path, refusals: list[Refusal]
) -> Iterator[Trajectory]:
    session, native_id = log.session, _native_id(log, path)
    skipped, unknown = _keys(session)
    repository, times = object_at(session, "repoData"), _times(log, turns)
    facts: dict[str, Any] = {
        "cwd": _workspace(path) or turns.cwd or None,
        "git_branch": text_at(repository, "localBranch") or None,
        "git_commit": text_at(repository, "localHeadCommit") or None,
        "model": turns.model or None,
        "host_version": _version(log),
    }
    main = _trajectory(native_id, turns.agents[""], turns, facts)
    yield main.model_copy(
        update={
            "title": text_at(session, "customTitle"),
            "started_at": times[0],
            "ended_at": times[1],
            "verdict": Outcome.FAILURE if turns.failure else Outcome.UNKNOWN,
            "verdict_reason": f"its last answer: {turns.failure[:200]}" if turns.failure else "",
            "tokens_in": turns.read,
            "tokens_out": turns.written,
            "skipped": dict(skipped + turns.skipped),
            "unknown": dict(unknown + turns.unknown),
            "refusals": tuple(refusals),
        }
    )
    for key, agent in turns.agents.items():
        if key and agent.drafts:
            sub = _trajectory(f"{native_id}/{key}", agent, turns, facts)
            yield sub.model_copy(update={"parent": main.id, "title": agent.title})


def _trajectory(native_id: str, agent: Agent, turns: Turns, facts: dict[str, Any]) -> Trajectory:
    undone = turns.abandoned if agent is turns.agents[""] else set()
    return Trajectory(
        id=refs.trajectory_id(FORMAT, native_id),
        format=FORMAT,
        native_id=native_id,
        goal=agent.drafts.goal,
        steps=tuple(draft.finished(abandoned=draft.number in undone) for draft in agent.drafts),
        **facts,
    )


def _is_log(head: bytes) -> bool:
    first = next(head_records(head, 1), {})
    return first.get("kind") == WHOLE or bool(_LOG.match(head))


def _keys(session: Record) -> tuple[Counter[str], Counter[str]]:
    names = [f"session/{key}"[:80] for key in session]
    skipped = Counter(name for name in names if name in LEFT_OUT)
    return skipped, Counter(n for n in names if n not in LEFT_OUT and n not in MAPPED)


def _native_id(log: Log, path: Path) -> str:
    """The session's id; exports have it only in what the extension kept of each answer."""
    if id_ := text_at(log.session, "sessionId"):
        return id_
    for request in log.requests.values():
        metadata = object_at(object_at(request, "result"), "metadata")
        if id_ := text_at(metadata, "sessionId"):
            return id_
    first = next(iter(log.requests), "#0")
    return first if not first.startswith("#") else refs.short_hash(path.name.partition(".")[0])


def _times(log: Log, turns: Turns) -> tuple[Any, Any]:
    asked = [moment(r.get("timestamp")) for r in log.requests.values() if isinstance(r, dict)]
    begun = moment(log.session.get("creationDate")) or next((at for at in asked if at), None)
    return begun, turns.ended or moment(log.session.get("lastMessageDate"))


def _version(log: Log) -> str | None:
    agents = [object_at(request, "agent") for request in log.requests.values()]
    versions = [version for agent in agents if (version := text_at(agent, "extensionVersion"))]
    return versions[-1] if versions else None


def _workspace(path: Path) -> str | None:
    """The folder that the editor wrote down beside its `chatSessions`."""
    if path.absolute().parent.name != "chatSessions":
        return None
    try:
        with (path.absolute().parent.parent / "workspace.json").open("rb") as stream:
            told = orjson.loads(stream.read(_LONGEST_WORKSPACE))
    except (OSError, orjson.JSONDecodeError):
        return None
    return path_of(text_at(told, "folder") or text_at(told, "workspace")) or None
