"""Codex's `history.jsonl`: what was typed, kept when rollouts are gone (0.1xx, from public examples)."""

from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import Record, number_at, text_at
from mcp_memory.readers.prompts import COUNTED, Prompt, mostly, typed

FORMAT = "codex_prompts"
VERSION = 1

MAPPED = frozenset({"session_id", "ts", "text"})
"""Keys of a record that become part of a trajectory."""
LEFT_OUT = COUNTED


def recognize(path: Path) -> bool:
    """Whether most of the first records are a text, a time and a session, and no type."""
    return mostly(path, _is_prompt)


def read(path: Path) -> Iterator[Trajectory]:
    """One trajectory of user steps a session."""
    yield from typed(path, FORMAT, MAPPED, _prompt)


def _prompt(record: Record) -> Prompt:
    said = without_blobs(text_at(record, "text"))
    return Prompt(said, session=text_at(record, "session_id"), at=moment(record.get("ts")))


def _is_prompt(record: Record) -> bool:
    named = isinstance(record.get("session_id"), str) and isinstance(record.get("text"), str)
    return named and number_at(record, "ts") is not None and "type" not in record
