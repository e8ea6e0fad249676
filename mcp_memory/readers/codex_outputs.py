"""Codex's tool outputs: the header that the host wrote over what a program printed."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.jsonl import list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import exit_at

_HEADER = re.compile(
    r"(?:Command: (?s:.{0,20000}?)\n)?(?:Chunk ID: \w*\n)?"
    r"(?:(?:Exit code: (?P<code>-?\d{1,10})|Script (?:completed|failed|running[^\n]{0,80}))\n)?"
    r"Wall time:? (?P<seconds>[\d.]{1,20}) seconds\n"
    r"(?:Process exited with code (?P<exit>-?\d{1,10})\n|(?P<running>Process running[^\n]{0,80}\n))?"
    r"(?:Original token count: \d+\n)?(?:Total output lines: \d+\n)?\s{0,4}Output:\n?"
)
_BROKEN = re.compile(
    r"(?:\w{1,40} failed\b|[\w ]{1,40} failed: |failed to \w+|aborted by user|unsupported call"
    r"|execution error|apply_patch verification failed|[\w/]{1,40} rejected\b|Script failed)"
)
_DENIED = re.compile(r"aborted by user|rejected by (?:the )?user")
_HEAD = 200


@dataclass(frozen=True, slots=True)
class Output:
    """What a call came to; None where the host did not say."""

    text: str
    exit_code: int | None = None
    failed: bool | None = None
    seconds: float | None = None
    denied: bool = False


def content_text(part: object) -> str:
    """What a part of a message or an output says; a picture by its name."""
    return text_at(part, "text") or without_blobs(text_at(part, "image_url"))


def output_of(value: Any) -> Output:
    """A call's output, its host-written header read and taken off; any JSON value may come."""
    text = _text(value)
    wrapped = _unwrapped(text)
    if wrapped is not None:
        return wrapped
    found = _HEADER.match(text)
    if found is None:
        head = text[:_HEAD]
        failed = _BROKEN.match(head) is not None
        return Output(
            text, failed=True if failed else None, denied=_DENIED.search(head) is not None
        )
    code = found["exit"] or found["code"]
    printed = (found["running"] or "") + text[found.end() :]
    return Output(
        printed,
        exit_code=int(code) if code else None,
        failed=int(code) != 0 if code else _script_failed(found[0]),
        seconds=_seconds(found["seconds"]),
    )


def _script_failed(header: str) -> bool | None:
    return True if header.startswith("Script failed") else None


def _unwrapped(text: str) -> Output | None:
    """`{"output": …, "metadata": {"exit_code", "duration_seconds"}}` of older versions."""
    if not text.startswith('{"output":'):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    metadata = object_at(value, "metadata")
    code, failed = exit_at(metadata, "exit_code")
    return Output(
        text_at(value, "output"),
        exit_code=code,
        failed=failed,
        seconds=number_at(metadata, "duration_seconds"),
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return without_blobs(value)
    parts = value if isinstance(value, list) else list_at(value, "content")
    told = [content_text(part) for part in parts] or [text_at(value, "content")]
    return "".join(without_blobs(text) for text in told)


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
