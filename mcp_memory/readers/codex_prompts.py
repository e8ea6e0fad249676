"""Codex's `history.jsonl`: what was typed, kept when rollouts are gone (0.1xx, from public examples)."""

from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import Record, head_records, number_at, read_head, read_lines, text_at
from mcp_memory.readers.prompts import COMMANDS_ONLY, Prompts

FORMAT = "codex_prompts"
VERSION = 1

MAPPED = frozenset({"session_id", "ts", "text"})
"""Keys of a record that become part of a trajectory."""
LEFT_OUT = {COMMANDS_ONLY: "commands of the host itself, nothing was asked"}
"""Known parts that are counted and not kept, with the reason."""

_HEAD_LINES = 20


def recognize(path: Path) -> bool:
    """Whether most of the first records are a text, a time and a session, and no type."""
    found = [_is_prompt(record) for record in head_records(read_head(path), _HEAD_LINES)]
    return sum(found) * 2 > len(found)


def read(path: Path) -> Iterator[Trajectory]:
    """One trajectory of user steps a session; whether a rollout of it exists is not known here."""
    prompts = Prompts(FORMAT, MAPPED)
    for _, record in read_lines(path, prompts.refusals):
        prompts.add(
            record,
            without_blobs(text_at(record, "text")),
            session=text_at(record, "session_id"),
            at=moment(record.get("ts")),
        )
    yield from prompts.trajectories()


def _is_prompt(record: Record) -> bool:
    named = isinstance(record.get("session_id"), str) and isinstance(record.get("text"), str)
    return named and number_at(record, "ts") is not None and "type" not in record
