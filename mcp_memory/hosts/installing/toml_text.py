"""TOML settings edited as text: one table put in, changed or taken out, the rest byte for byte."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def load(text: str) -> dict[str, Any]:
    """The values of a document. Raises ValueError."""
    return tomllib.loads(text.removeprefix("\ufeff"))


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """The text with the keys of `value` in the table at `path`, which is made where it lacks.

    Raises ValueError where the text cannot be read.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    load(text)
    lines = text.splitlines(keepends=True)
    own = next(((start, end) for start, end, name in _tables(lines) if name == list(path)), None)
    if own is None:
        lead = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
        rows = [f"[{'.'.join(_key(name) for name in path)}]"]
        rows += [f"{_key(name)} = {_shown(each)}" for name, each in value.items()]
        return text + lead + newline.join(rows) + newline
    start, end = own
    for name, each in value.items():
        row = f"{_key(name)} = {_shown(each)}{newline}"
        known = re.compile(rf"\s*{re.escape(_key(name))}\s*=")
        at = next((i for i in range(start + 1, end) if known.match(lines[i])), None)
        if at is None:
            lines[start] = lines[start].rstrip("\r\n") + newline
            lines.insert(start + 1, row)
            end += 1
        elif load(lines[at])[name] != each:
            lines[at] = row
    return "".join(lines)


def drop(text: str, path: Sequence[str]) -> str:
    """The text without the table at `path` and those below it. Raises ValueError."""
    load(text)
    lines = text.splitlines(keepends=True)
    gone: set[int] = set()
    for start, end, name in _tables(lines):
        if name[: len(path)] == list(path):
            stop = end
            # Comments above the next header are its own.
            while stop > start + 1 and end < len(lines) and lines[stop - 1].lstrip()[:1] == "#":
                stop -= 1
            gone.update(range(start, stop))
    first = min(gone, default=0)
    if first and not lines[first - 1].strip():
        gone.add(first - 1)
    return "".join(line for at, line in enumerate(lines) if at not in gone)


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
    heads = [(at, name) for at, line in enumerate(lines) if (name := _header(line))]
    for index, (at, name) in enumerate(heads):
        yield at, heads[index + 1][0] if index + 1 < len(heads) else len(lines), name


def _header(line: str) -> list[str] | None:
    """The keys that a table's header names; None for other lines."""
    if not line.lstrip("\ufeff \t").startswith("["):
        return None
    try:
        read: Any = load(line)
    except tomllib.TOMLDecodeError:
        return None
    names = []
    while isinstance(read, dict | list) and read:
        if isinstance(read, list):
            read = read[0]
            continue
        name, read = next(iter(read.items()))
        names.append(name)
    return names


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _shown(name)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_shown(v)}' for k, v in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(each) for each in value)}]"
    # JSON's strings, numbers and truth values are TOML's, but for the one bare control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
