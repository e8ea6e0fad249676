"""YAML settings edited as text: one block under a top-level key, the rest byte for byte."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_EMPTY = re.compile(r"(\{\s*\}|null|~)?\s*(#.*)?")


def load(text: str) -> dict[str, Any]:
    """The values of a document. Raises ValueError."""
    import yaml

    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise ValueError("the document is no mapping")  # noqa: TRY004  the text's fault
    return read


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """The text with `value` at `path`, a top-level key and a name under it. Raises ValueError."""
    top, name = path
    read = load(text)
    held = read.get(top)
    if isinstance(held, Mapping) and name in held:
        if held[name] == value:
            return text
        text = drop(text, path)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    at = _line_of(lines, top)
    if at is None:
        lead = "" if not text or text.endswith("\n") else newline
        return text + lead + newline.join([f"{top}:", *_block(name, value, "  ")]) + newline
    if not _EMPTY.fullmatch(lines[at].split(":", 1)[1].strip()):
        msg = f"{top} is written in one line"
        raise ValueError(msg)
    lines[at] = re.sub(r":\s*(\{\s*\}|null|~)", ":", lines[at].rstrip("\r\n"), count=1) + newline
    children = (line for line in lines[at + 1 :] if line.strip() and line.lstrip()[0] != "#")
    first = next(children, "")
    indent = first[: len(first) - len(first.lstrip())] or "  "
    lines.insert(at + 1, newline.join(_block(name, value, indent)) + newline)
    return "".join(lines)


def drop(text: str, path: Sequence[str]) -> str:
    """The text without the block at `path`. Raises ValueError."""
    top, name = path
    load(text)
    lines = text.splitlines(keepends=True)
    at = _line_of(lines, top)
    own = None if at is None else _line_of(lines, name, since=at + 1)
    if own is None:
        return text
    depth, end = _depth(lines[own]), own + 1
    while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > depth):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return "".join(lines[:own] + lines[end:])


def _block(name: str, value: Mapping[str, Any], indent: str) -> list[str]:
    rows = [f"{indent}{name}:"]
    for key, each in value.items():
        # A JSON value is a YAML value in flow style; strings stay quoted, so none reads as `no`.
        rows.append(f"{indent}  {key}: {json.dumps(each, ensure_ascii=False)}")
    return rows


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line_of(lines: Sequence[str], key: str, since: int = 0) -> int | None:
    """The line that holds a key: at the margin, or below it where `since` is given."""
    start = re.compile(rf"{'[ ]+' if since else ''}(['\"]?){re.escape(key)}\1\s*:(\s|$)")
    for at in range(since, len(lines)):
        if since and lines[at].strip() and lines[at][0] not in " #\r\n":
            return None
        if start.match(lines[at]):
            return at
    return None
