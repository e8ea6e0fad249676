"""Claude Code's `history.jsonl`: what was typed, kept when transcripts go (2.x, from public examples)."""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import (
    Record,
    head_records,
    number_at,
    object_at,
    read_head,
    read_lines,
    text_at,
)
from mcp_memory.readers.prompts import COMMANDS_ONLY, Prompts

FORMAT = "claude_prompts"
VERSION = 1

MAPPED = frozenset({"display", "pastedContents", "timestamp", "project", "sessionId"})
"""Keys of a record that become part of a trajectory."""
LEFT_OUT = {COMMANDS_ONLY: "commands of the host itself, nothing was asked"}
"""Known parts that are counted and not kept, with the reason."""

_HEAD_LINES = 20
_PASTED = re.compile(r"\[Pasted text #(\d{1,9})[^\]\n]{0,60}\]")


def recognize(path: Path) -> bool:
    """Whether most of the first records are prompts with a time and no type."""
    found = [_is_prompt(record) for record in head_records(read_head(path), _HEAD_LINES)]
    return sum(found) * 2 > len(found)


def read(path: Path) -> Iterator[Trajectory]:
    """One trajectory of user steps a session; whether a transcript of it exists is not known here."""
    prompts = Prompts(FORMAT, MAPPED)
    for _, record in read_lines(path, prompts.refusals):
        prompts.add(
            record,
            _said(record),
            session=text_at(record, "sessionId"),
            at=moment(record.get("timestamp")),
            cwd=text_at(record, "project"),
        )
    yield from prompts.trajectories()


def _is_prompt(record: Record) -> bool:
    shaped = isinstance(record.get("display"), str) and number_at(record, "timestamp") is not None
    return shaped and "type" not in record and isinstance(record.get("project"), str)


def _said(record: Record) -> str:
    """The words as they were sent: pasted text stands in the history apart from its place."""
    pasted = object_at(record, "pastedContents")
    return without_blobs(
        _PASTED.sub(
            lambda place: text_at(pasted.get(place[1]), "content") or place[0],
            text_at(record, "display"),
        )
    )
