"""mem0 and OpenMemory: what `get_all` answers, and the archive that OpenMemory's backup writes.

The archive's two files are as its public source writes them; no export of a real user was seen.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Draft, MemoryKind, Refusal
from mcp_memory.importing.items import Item, moment, text_of, texts
from mcp_memory.readers.jsonl import FILE_BYTES
from mcp_memory.readers.opening import open_transcript

NAME = "mem0"
_TELLING = {"memory", "content"}
_ZIP = b"PK\x03\x04"
_GONE = {"deleted"}
_PREFERENCES = ("preference", "personal_preference")


def recognize(path: Path) -> bool:
    """Whether a file holds memories as one of these tools writes them."""
    if not path.is_file():
        return False
    try:
        return any(_is_one(told) for told in _first(path))
    except (ValueError, OSError, zipfile.BadZipFile):
        return False


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory a record; what the tool itself calls deleted is left out and named."""
    try:
        held = _held(path)
    except (ValueError, zipfile.BadZipFile) as error:
        yield Refusal(where=path.name, reason=f"cannot be read: {type(error).__name__}")
        return
    names = _categories(held)
    for number, told in enumerate(_records(held), 1):
        yield _item(told, names, f"memory {number}")


def _first(path: Path) -> Iterator[Mapping[str, Any]]:
    with open_transcript(path) as stream:
        head = stream.read(4096)
    marks = (b'"memory"', b'"content"', b'"memories"')
    if head.startswith(_ZIP) or any(mark in head for mark in marks):
        yield from list(_records(_held(path)))[:3]


def _is_one(told: Mapping[str, Any]) -> bool:
    dated = {"created_at", "updated_at", "hash"} & told.keys()
    owned = {"user_id", "agent_id", "run_id", "app", "app_id", "hash"} & told.keys()
    return "id" in told and bool(_TELLING & told.keys()) and bool(dated) and bool(owned)


def _held(path: Path) -> Any:
    """The JSON of a file: whole, line by line, or that of the archive's own file.

    Raises:
        ValueError: it is none, or larger than can be held.
    """
    with open_transcript(path) as stream:
        raw = stream.read(FILE_BYTES + 1)
    if raw.startswith(_ZIP):
        raw = _unpacked(raw)
    if len(raw) > FILE_BYTES:
        raise ValueError
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return [orjson.loads(line) for line in raw.splitlines() if line.strip()]


def _unpacked(raw: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        by_name = {name.rpartition("/")[2]: name for name in packed.namelist()}
        for wanted in ("memories.jsonl.gz", "memories.json"):
            if wanted in by_name:
                with packed.open(by_name[wanted]) as held:
                    told = held.read(FILE_BYTES + 1)
                if wanted.endswith(".gz"):
                    with gzip.GzipFile(fileobj=io.BytesIO(told)) as lines:
                        return lines.read(FILE_BYTES + 1)
                return told
    raise ValueError


def _records(held: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(held, dict):
        held = next((held[name] for name in ("results", "memories") if name in held), [held])
    for each in held if isinstance(held, list) else ():
        if isinstance(each, dict):
            yield each


def _categories(held: Any) -> dict[str, str]:
    told = held.get("categories", ()) if isinstance(held, dict) else ()
    return {
        str(each.get("id")): text_of(each.get("name")) for each in told if isinstance(each, dict)
    }


def _item(told: Mapping[str, Any], names: Mapping[str, str], where: str) -> Item | Refusal:
    if text_of(told.get("state")) in _GONE:
        return Refusal(where=where, reason="it was deleted there")
    text = text_of(told.get("memory")) or text_of(told.get("content"))
    if not text:
        return Refusal(where=where, reason="it is empty")
    listed = (names.get(one, "") for one in texts(told.get("category_ids")))
    tags = tuple(filter(None, (*texts(told.get("categories")), *listed)))
    kind = MemoryKind.PREFERENCE if set(tags) & set(_PREFERENCES) else MemoryKind.FACT
    metadata = told.get("metadata")
    project = text_of(metadata.get("project")) if isinstance(metadata, dict) else ""
    draft = Draft(text=text, kind=kind, tags=tags, project=project or None)
    return Item(draft, where, moment(told.get("created_at")))
