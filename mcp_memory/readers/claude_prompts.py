"""Claude Code's `history.jsonl`: what was typed, kept when transcripts go (2.x, from public examples)."""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.jsonl import Record, number_at, object_at, text_at
from mcp_memory.readers.prompts import COUNTED, Prompt, mostly, typed

FORMAT = "claude_prompts"
VERSION = 1

MAPPED = frozenset({"display", "pastedContents", "timestamp", "project", "sessionId"})
"""Keys of a record that become part of a trajectory."""
LEFT_OUT = COUNTED

_PASTED = re.compile(r"\[Pasted text #(\d{1,9})[^\]\n]{0,60}\]")


def recognize(path: Path) -> bool:
    """Whether most of the first records are prompts with a time and no type."""
    return mostly(path, _is_prompt)


def read(path: Path) -> Iterator[Trajectory]:
    """One trajectory of user steps a session."""
    yield from typed(path, FORMAT, MAPPED, _prompt)


def _prompt(record: Record) -> Prompt:
    return Prompt(
        _said(record),
        session=text_at(record, "sessionId"),
        at=moment(record.get("timestamp")),
        cwd=text_at(record, "project"),
    )


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
