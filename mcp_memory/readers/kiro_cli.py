"""Kiro CLI: one JSONL file of messages a session (record version v1 seen), its facts beside it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    first_records,
    list_at,
    object_at,
    read_lines,
    text_at,
)
from mcp_memory.readers.naming import content_id, facts_in, named_id, stem_of
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.tally import STATE

FORMAT = "kiro_cli"
VERSION = 1

LEFT_OUT = {"Clear": STATE, "ResetTo": STATE}
"""Known records that are counted and not kept, with the reason."""

_ENDED = re.compile(r"exit (?:status|code): (-?\d{1,10})")
_HEAD_LINES = 5


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a message in this host's envelope."""
    return any(_is_message(record) for record in first_records(path, _HEAD_LINES))


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file."""
    talk, first = Talk(), ""
    for _, record in read_lines(path, talk.tally.refusals):
        data = object_at(record, "data")
        first = first or text_at(data, "message_id")
        kind = text_at(record, "kind")
        if kind in _TAKERS:
            _TAKERS[kind](talk, data)
        elif kind in LEFT_OUT:
            talk.tally.skipped[kind] += 1
        else:
            talk.tally.unknown[kind[:80] or "record without kind"] += 1
    facts = facts_in(path.with_name(f"{stem_of(path)}.json"))
    _describe(talk, facts)
    own = named_id(text_at(facts, "session_id"), stem_of(path))
    yield talk.trajectory(FORMAT, own or content_id(first, path=path))


def _is_message(record: Record) -> bool:
    data = record.get("data")
    return (
        isinstance(record.get("version"), str)
        and text_at(record, "kind") in _TAKERS
        and isinstance(data, dict)
        and isinstance(data.get("message_id"), str)
    )


def _prompt(talk: Talk, data: Record) -> None:
    at = moment(object_at(data, "meta").get("timestamp"))
    for block in list_at(data, "content"):
        if text_at(block, "kind") == "text":
            talk.ask(text_at(block, "data"), at)
        else:
            talk.tell(f"[{text_at(block, 'kind') or 'attachment'}]", at)


def _answer(talk: Talk, data: Record) -> None:
    draft = talk.say(at=moment(object_at(data, "meta").get("timestamp")))
    for block in list_at(data, "content"):
        kind, told = text_at(block, "kind"), object_at(block, "data")
        if kind == "text":
            draft.texts.append(text_at(block, "data").strip())
        elif kind == "toolUse":
            talk.call(draft, text_at(told, "toolUseId"), text_at(told, "name"), told.get("input"))
        elif kind in ("thinking", "reasoning"):
            draft.reasons.append(text_at(block, "data") or text_at(told, "text"))
        else:
            talk.tally.unknown[f"AssistantMessage/{kind}"[:80]] += 1


def _results(talk: Talk, data: Record) -> None:
    for block in list_at(data, "content"):
        told = object_at(block, "data")
        if text_at(block, "kind") != "toolResult":
            talk.tally.unknown[f"ToolResults/{text_at(block, 'kind')}"[:80]] += 1
            continue
        pieces = list_at(told, "content")
        code = next((c for c in map(_exit_code, pieces) if c is not None), None)
        failed = text_at(told, "status") != "success" if "status" in told else None
        talk.result(
            Observation(
                call_id=text_at(told, "toolUseId"),
                text="\n".join(text for piece in pieces if (text := _piece(piece))),
                exit_code=code,
                failed=bool(code) if code is not None and failed is False else failed,
            )
        )


def _compaction(talk: Talk, data: Record) -> None:
    talk.sum_up(text_at(data, "summary") or "\n".join(map(_piece, list_at(data, "content"))))


def _piece(piece: Any) -> str:
    told = object_at(piece, "data")
    if "exit_status" in told:
        return "\n".join(t for key in ("stdout", "stderr") if (t := text_at(told, key).rstrip()))
    if told:
        return orjson.dumps(told).decode()
    return text_at(piece, "data")


def _exit_code(piece: Any) -> int | None:
    ended = _ENDED.search(text_at(object_at(piece, "data"), "exit_status"))
    return int(ended[1]) if ended else None


def _describe(talk: Talk, facts: Record) -> None:
    """What the file beside the messages tells of the session."""
    state = object_at(object_at(facts, "session_state"), "rts_model_state")
    talk.title, talk.cwd = text_at(facts, "title"), text_at(facts, "cwd")
    talk.model = text_at(object_at(state, "model_info"), "model_id")
    talk.note(moment(facts.get("created_at")))
    talk.note(moment(facts.get("updated_at")))


_TAKERS: dict[str, Callable[[Talk, Record], None]] = {
    "Prompt": _prompt,
    "AssistantMessage": _answer,
    "ToolResults": _results,
    "Compaction": _compaction,
}
MAPPED = frozenset(_TAKERS)
"""Records that become part of a trajectory."""
