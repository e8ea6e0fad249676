"""Gemini CLI: one session a file, whole JSON (0.23 seen) or JSONL of the same records (0.61)."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.models import Refusal, Trajectory
from mcp_memory.domain.projects import HASHED
from mcp_memory.readers.clock import moment
from mcp_memory.readers.gemini_turns import PARTS, Turns
from mcp_memory.readers.jsonl import (
    Record,
    head_records,
    list_at,
    object_at,
    read_head,
    read_lines,
    read_whole,
    refuse,
    text_at,
)
from mcp_memory.readers.opening import open_regular
from mcp_memory.readers.tally import RECALLED, STATE

FORMAT = "gemini_cli"
VERSION = 2

_MESSAGES = frozenset({"user", "gemini", "info", "warning", "error"})
_FACTS = ("sessionId", "projectHash", "startTime", "lastUpdated", "kind", "summary")
MAPPED = frozenset(
    {
        *_MESSAGES, *PARTS, "gemini:toolCalls", "gemini:thoughts", "$rewindTo",
        *(f"session/{key}" for key in _FACTS), "session/messages", "session/directories",
    }
)  # fmt: skip
"""Messages, their parts (`type:part`) and facts of the session that become part of a trajectory."""
LEFT_OUT = {
    "user:hook_context": RECALLED,
    "user:functionResponse": "repeats the result that stands with its call",
    "gemini:functionCall": "repeats a call that stands among the message's tool calls",
    "message:rewritten": "the host shortened for the model what it had written in full before",
    "session/memoryScratchpad": "a digest of the session that the host keeps for itself",
    "session/activeExtensionName": STATE,
}
"""Known records and parts that are counted and not kept, with the reason."""

_WHOLE = re.compile(
    rb'\s*\{\s*(?:"(?:%s)"\s*:\s*"[^"\\]*"\s*,\s*){0,8}"messages"\s*:\s*\['
    % "|".join(_FACTS).encode()
)
_BOTH = (re.compile(rb'"sessionId"\s*:\s*"'), re.compile(rb'"projectHash"\s*:\s*"'))
_LONGEST_PATH = 4096
_LONGEST_FILE = 1 << 20
_HASH = re.compile(r"[0-9a-f]{64}")


def recognize(path: Path) -> bool:
    """Whether the file begins with a session's facts: its id and the hash of its project."""
    head = read_head(path)
    if any(_names_session(record) for record in head_records(head, 5)):
        return True
    return bool(_WHOLE.match(head)) and all(pattern.search(head) for pattern in _BOTH)


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file; a sub-agent's file names its parent by the folder it lies in."""
    file = _File()
    if _is_whole(read_head(path)):
        record = read_whole(path, file.refusals)
        file.facts(record or {})
    else:
        for number, record in read_lines(path, file.refusals):
            file.take(number, record)
    yield file.trajectory(path)


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    known: dict[str, str] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)
    refusals: list[Refusal] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def take(self, number: int, record: Record) -> None:
        """Read one line: a message anew, a change of facts, or a rewind."""
        if target := text_at(record, "$rewindTo"):
            if not self.turns.rewind(target):
                refuse(self.refusals, number, "rewinds to a message that is not there")
        elif text_at(record, "id"):
            self._message(record)
        elif object_at(record, "$set"):
            self.facts(object_at(record, "$set"))
        elif text_at(record, "sessionId"):
            self.facts(record)
        else:
            self.unknown[f"record/{next(iter(record), '')}"[:80]] += 1

    def facts(self, record: Record) -> None:
        """What is said of the session as a whole; `messages` are the model's whole context."""
        for key, value in record.items():
            if key in _FACTS:
                if isinstance(value, str):
                    self.known[key] = value
            elif key == "directories":
                self.directories = [text for text in list_at(record, key) if isinstance(text, str)]
            elif key == "messages":
                self._context(list_at(record, key))
            else:
                self._count(f"session/{key}"[:80])

    def trajectory(self, path: Path) -> Trajectory:
        """The session as far as it is known."""
        native_id = self.known.get("sessionId") or refs.short_hash(path.name.split(".")[0])
        turns, parent = self.turns, self._parent(path)
        updated = moment(self.known.get("lastUpdated"))
        return Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            title=self.known.get("summary", ""),
            goal=turns.drafts.goal,
            cwd=turns.cwd
            or _project_root(path)
            or next(iter(self.directories), None)
            or _hashed(path, self.known.get("projectHash", "")),
            model=turns.model,
            parent=refs.trajectory_id(FORMAT, parent) if parent else None,
            started_at=moment(self.known.get("startTime")),
            ended_at=max((at for at in (updated, turns.ended) if at), default=None),
            steps=tuple(d.finished(abandoned=d.number in turns.abandoned) for d in turns.drafts),
            tokens_in=sum(read for read, _ in turns.tokens.values()),
            tokens_out=sum(written for _, written in turns.tokens.values()),
            skipped=dict(self.skipped + turns.skipped),
            unknown=dict(self.unknown + turns.unknown),
            refusals=tuple(self.refusals),
        )

    def _context(self, messages: list[Any]) -> None:
        shortened = bool(self.turns.live)
        self.turns.shorten()
        for message in messages:
            if isinstance(message, dict) and text_at(message, "id"):
                self._message(message, again=shortened)
            else:
                self.unknown["message without id"] += 1

    def _message(self, message: Record, *, again: bool = False) -> None:
        kind = text_at(message, "type")
        if kind not in _MESSAGES:
            self.unknown[kind[:80] or "message without type"] += 1
            return
        self.turns.agents_own = self.known.get("kind") == "subagent"
        self.turns.take(message, again=again)

    def _count(self, name: str) -> None:
        (self.skipped if name in LEFT_OUT else self.unknown)[name] += 1

    def _parent(self, path: Path) -> str:
        nested = path.absolute().parent.parent.name == "chats"
        return path.parent.name if nested and self.known.get("kind") == "subagent" else ""


def _names_session(record: Record) -> bool:
    return bool(text_at(record, "sessionId") and text_at(record, "projectHash"))


def _is_whole(head: bytes) -> bool:
    """Whether the file is one JSON value rather than a line for each record."""
    _, _, rest = head.partition(b"\n")
    if any(True for _ in head_records(head, 1)):
        return not rest.strip()
    return head.lstrip()[:2].rstrip() == b"{" or not rest


def _hashed(path: Path, told: str) -> str | None:
    """The folder that a hash is of, by what the host knows of folders; else the hash, named as one.

    To be compared with the folders of other sessions, as `sha256:…`.
    """
    if not _HASH.fullmatch(told):
        return None
    for home in path.absolute().parents:
        known = _folders(home / "projects.json") if home.name == ".gemini" else []
        known += _folders(home / "trustedFolders.json") if home.name == ".gemini" else []
        for folder in known:
            if hashlib.sha256(folder.encode("utf-8", "surrogatepass")).hexdigest() == told:
                return folder
    return f"{HASHED}{told}"


def _folders(file: Path) -> list[str]:
    """The folders that one of the host's own files names: its keys, or those of its `projects`."""
    try:
        with open_regular(file) as stream:
            told = orjson.loads(stream.read(_LONGEST_FILE))
    except (OSError, orjson.JSONDecodeError):
        return []
    return list(object_at(told, "projects") or told) if isinstance(told, dict) else []


def _project_root(path: Path) -> str | None:
    """The folder that the host wrote down beside its `chats`."""
    places = path.absolute().parents
    chats = next((place for place in places[:2] if place.name == "chats"), None)
    if chats is None:
        return None
    try:
        with (chats.parent / ".project_root").open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_LONGEST_PATH).strip() or None
    except OSError:
        return None
