"""The reference memory server's graph: a JSON line an entity with what was observed of it, or a relation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Draft, Refusal
from mcp_memory.importing.items import Item, text_of, texts
from mcp_memory.readers.opening import open_transcript

NAME = "knowledge-graph"
_KINDS = ("entity", "relation")
_LINE = 1 << 20


def recognize(path: Path) -> bool:
    """Whether the first line that is one is an entity or a relation of that graph."""
    if not path.is_file():
        return False
    with open_transcript(path) as stream:
        for _ in range(20):
            if told := _object(stream.readline(_LINE)):
                return told.get("type") in _KINDS and bool({"observations", "from"} & told.keys())
    return False


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory an observation, and one a relation; an entity alone says nothing."""
    with open_transcript(path) as stream:
        for number, line in enumerate(stream, 1):
            where = f"line {number}"
            if not line.strip():
                continue
            told = _object(line)
            if told.get("type") == "entity":
                yield from _entity(told, where)
            elif told.get("type") == "relation":
                yield _relation(told, where)
            else:
                yield Refusal(where=where, reason="neither an entity nor a relation")


def _entity(told: dict[str, Any], where: str) -> Iterator[Item | Refusal]:
    name, kind = text_of(told.get("name")), text_of(told.get("entityType"))
    observed = texts(told.get("observations"))
    if not name or not observed:
        yield Refusal(where=where, reason="an entity without a name, or of which nothing is said")
        return
    for text in observed:
        said = text if name.casefold() in text.casefold() else f"{name}: {text}"
        yield Item(Draft(text=said, tags=tuple(filter(None, (kind,)))), where)


def _relation(told: dict[str, Any], where: str) -> Item | Refusal:
    parts = [text_of(told.get(name)) for name in ("from", "relationType", "to")]
    if not all(parts):
        return Refusal(where=where, reason="a relation that lacks one of its three parts")
    return Item(Draft(text=" ".join(parts).replace("_", " "), tags=("relation",)), where)


def _object(line: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
