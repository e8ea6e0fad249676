"""engram: the JSON that `engram export` writes, and its database; after its public source only."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Draft, MemoryKind, Refusal
from mcp_memory.importing.items import Item, moment, text_of
from mcp_memory.readers.database import DAMAGED, MAGIC, has_columns, opened, rows
from mcp_memory.readers.jsonl import FILE_BYTES, read_head
from mcp_memory.readers.opening import open_transcript

NAME = "engram"
_COLUMNS = {"id", "session_id", "type", "title", "content", "project", "created_at"}
_KINDS = {
    "bugfix": MemoryKind.GOTCHA,
    "decision": MemoryKind.FACT,
    "architecture": MemoryKind.FACT,
    "discovery": MemoryKind.FACT,
    "pattern": MemoryKind.FACT,
    "config": MemoryKind.FACT,
    "preference": MemoryKind.PREFERENCE,
}


def recognize(path: Path) -> bool:
    """Whether a file holds observations with that tool's fields."""
    if not path.is_file():
        return False
    head = read_head(path)
    if head.startswith(MAGIC):
        return has_columns(path, {"observations": _COLUMNS})
    if b'"observations"' not in head:
        return False
    first = next(iter(_observations(path)), None)
    return first is not None and {"session_id", "content", "type"} <= first.keys()


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory an observation; what the tool itself deleted is left out and named."""
    try:
        if read_head(path).startswith(MAGIC):
            with opened(path) as base:
                yield from map(_item, rows(base, "observations", order=("id",)))
        else:
            yield from map(_item, _observations(path))
    except DAMAGED as error:
        yield Refusal(where=path.name, reason=f"cannot be read: {type(error).__name__}")


def _observations(path: Path) -> list[Mapping[str, Any]]:
    with open_transcript(path) as stream:
        raw = stream.read(FILE_BYTES + 1)
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return []
    held = told.get("observations") if isinstance(told, dict) else None
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _item(told: Mapping[str, Any]) -> Item | Refusal:
    where, text = f"observation {told.get('id')}", text_of(told.get("content"))
    if text_of(told.get("deleted_at")) or not text:
        return Refusal(where=where, reason="it was deleted there, or is empty")
    type_ = text_of(told.get("type"))
    personal = text_of(told.get("scope")) == "personal"
    draft = Draft(
        text=text,
        kind=_KINDS.get(type_, MemoryKind.OBSERVATION),
        title=text_of(told.get("title")),
        tags=tuple(filter(None, (type_, text_of(told.get("topic_key"))))),
        project=None if personal else text_of(told.get("project")) or None,
    )
    return Item(draft, where, moment(told.get("created_at")))
