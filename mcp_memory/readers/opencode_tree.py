"""Tree of opencode before its database: a file a session, a message and a part, as an export.

It follows its published sources and a description; none of a real user was seen.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.jsonl import Record, list_at, read_whole, text_at

_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FILES = 100_000


def is_session(head: bytes) -> bool:
    """Whether a file is the facts of one session, as this host keeps them in a file of their own."""
    if b'"ses_' not in head[:4096] or b'"messages"' in head:
        return False
    try:
        record = orjson.loads(head)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(record, dict) or not isinstance(record.get("time"), dict):
        return False
    placed = isinstance(record.get("directory"), str) or isinstance(record.get("projectID"), str)
    return text_at(record, "id").startswith("ses_") and placed


def tree_session(path: Path, refusals: list[Refusal]) -> Record:
    """A session with what the tree that its file lies in holds of it, as its export would be."""
    info = read_whole(path, refusals) or {}
    session, roots = text_at(info, "id"), path.absolute().parents[1:3]
    messages = [
        {"info": message, "parts": _parts(message, session, roots, refusals)}
        for message in _objects(roots, [("message", session)], refusals)
    ]
    if not messages:
        reason = "no messages of it lie in storage/message beside it"
        refusals.append(Refusal(where="file", reason=reason))
    return {"info": info, "messages": messages}


def message_folder(path: Path) -> Path | None:
    """Where the messages of a session file lie; None where it lies in no tree."""
    folders = (root / "message" / path.stem for root in path.absolute().parents[1:3])
    return next((folder for folder in folders if folder.is_dir()), None)


def _parts(
    message: Record, session: str, roots: Sequence[Path], refusals: list[Refusal]
) -> list[Any]:
    """A message's parts; in the oldest versions it holds them itself."""
    id_ = text_at(message, "id")
    places = [("part", id_), ("part", session, id_)]
    return list(_objects(roots, places, refusals)) or list_at(message, "parts")


def _objects(
    roots: Sequence[Path], places: list[tuple[str, ...]], refusals: list[Refusal]
) -> Iterator[Record]:
    """The objects in the first of the folders that is there, in the order of their ids."""
    for root in roots:
        for place in places:
            folder = root.joinpath(*place)
            if all(_ID.fullmatch(name) for name in place) and folder.is_dir():
                yield from _in(folder, refusals)
                return


def _in(folder: Path, refusals: list[Refusal]) -> Iterator[Record]:
    for file in sorted(folder.glob("*.json"))[:_FILES]:
        found: list[Refusal] = []
        try:
            record = None if file.is_symlink() else read_whole(file, found)
        except OSError as error:
            found = [Refusal(where="file", reason=str(error))]
            record = None
        refusals.extend(Refusal(where=file.name, reason=each.reason) for each in found)
        if record is not None:
            yield record
