"""claude-mem: observations, what sessions learned, and directives of its database.

The tables are those of its published schema; no database of a real user was seen.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Draft, MemoryKind, Refusal
from mcp_memory.importing.items import Item, moment, text_of, texts
from mcp_memory.readers.database import DAMAGED, MAGIC, has_columns, opened, rows
from mcp_memory.readers.jsonl import read_head

NAME = "claude-mem"
_TABLES = {"observations": {"memory_session_id", "project", "type", "title", "narrative"}}
_KINDS = {
    "bugfix": MemoryKind.GOTCHA,
    "discovery": MemoryKind.FACT,
    "decision": MemoryKind.FACT,
}


def recognize(path: Path) -> bool:
    """Whether the file is a database with that tool's tables."""
    return path.is_file() and read_head(path).startswith(MAGIC) and has_columns(path, _TABLES)


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory an observation, a session's learning, and a directive."""
    try:
        with opened(path) as base:
            for told in rows(base, "observations", order=("id",)):
                yield _observation(told)
            for told in rows(base, "session_summaries", order=("id",)):
                yield _learned(told)
            for told in rows(base, "directives", order=("id",)):
                yield _directive(told)
    except DAMAGED as error:
        yield Refusal(where=path.name, reason=f"cannot be read: {type(error).__name__}")


def _observation(told: Mapping[str, Any]) -> Item | Refusal:
    where, type_ = f"observation {told.get('id')}", text_of(told.get("type"))
    said = (text_of(told.get("narrative")) or text_of(told.get("text")), *_listed(told, "facts"))
    text = "\n".join(dict.fromkeys(filter(None, said)))
    if not text:
        return Refusal(where=where, reason="it is empty")
    draft = Draft(
        text=text,
        kind=_KINDS.get(type_, MemoryKind.OBSERVATION),
        title=text_of(told.get("title")),
        files=tuple(
            dict.fromkeys((*_listed(told, "files_modified"), *_listed(told, "files_read")))
        ),
        tags=tuple(filter(None, (type_, *_listed(told, "concepts")))),
        project=_project(told),
    )
    return Item(draft, where, moment(told.get("created_at")))


def _learned(told: Mapping[str, Any]) -> Item | Refusal:
    where, text = f"session summary {told.get('id')}", text_of(told.get("learned"))
    if not text:
        return Refusal(where=where, reason="it says nothing that was learned")
    title = text_of(told.get("request"))[:200]
    draft = Draft(text=text, kind=MemoryKind.OBSERVATION, title=title, project=_project(told))
    return Item(draft, where, moment(told.get("created_at")))


def _directive(told: Mapping[str, Any]) -> Item | Refusal:
    where, text = f"directive {told.get('id')}", text_of(told.get("content"))
    if not text or text_of(told.get("status")) not in {"", "active"}:
        return Refusal(where=where, reason="it is empty, or no longer active there")
    draft = Draft(text=text, kind=MemoryKind.PREFERENCE, project=_project(told))
    return Item(draft, where, moment(told.get("created_at")))


def _project(told: Mapping[str, Any]) -> str | None:
    return text_of(told.get("merged_into_project")) or text_of(told.get("project")) or None


def _listed(told: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A column that holds a JSON list, or a text with commas."""
    text = text_of(told.get(name))
    try:
        return texts(orjson.loads(text)) if text else ()
    except orjson.JSONDecodeError:
        return tuple(part.strip() for part in text.split(",") if part.strip())
