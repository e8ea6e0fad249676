"""JSON with comments, edited as text: what is not touched keeps every byte of its form."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_PLAIN = re.compile(r"[-+.\w]+")
_LINE_SPACE = " \t"


@dataclass(slots=True)
class _Node:
    start: int
    end: int
    value: Any
    members: list["_Member"] = field(default_factory=list)


@dataclass(slots=True)
class _Member:
    name: str
    start: int
    node: _Node
    comma: int | None
    """Where the comma behind it stands."""


def load(text: str) -> Any:
    """The value of a document; an empty one is an empty object. Raises ValueError."""
    root = _root(text)
    return {} if root is None else root.value


def put(text: str, path: Sequence[str], value: Any) -> str:
    """The text with `value` at `path`, its parents made where they lack.

    Raises ValueError where the text cannot be read, or a parent is no object.
    """
    root = _root(text)
    if root is None:
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        kept = text.removeprefix("\ufeff")
        lead = kept.rstrip() + "\n" if kept.strip() else ""
        return mark + lead + _dumped(_nested(path, value), "", "  ", "\n") + "\n"
    node, depth = _deepest(root, path)
    if depth == len(path):
        if node.value == value:
            return text
        indent = _indent_at(text, node.start)
        return (
            text[: node.start]
            + _dumped(value, indent, _unit(text, root), _newline(text))
            + text[node.end :]
        )
    if not isinstance(node.value, dict):
        msg = f"{'.'.join(path[:depth]) or 'the document'} is no object"
        raise ValueError(msg)  # noqa: TRY004  the text's fault
    return _inserted(text, root, node, (path[depth], _nested(path[depth + 1 :], value)))


def drop(text: str, path: Sequence[str]) -> str:
    """The text without the member at `path`; unchanged where there is none. Raises ValueError."""
    root = _root(text)
    if root is None:
        return text
    parent, depth = _deepest(root, path[:-1])
    found = _member(parent, path[-1]) if depth == len(path) - 1 else None
    if found is None:
        return text
    at = parent.members.index(found)
    end = found.node.end if found.comma is None else found.comma + 1
    start = found.start
    while text[start - 1] in _LINE_SPACE:
        start -= 1
    # The line goes with its member; a line that holds more stays, lest a comment swallow it.
    if text[end:].lstrip(_LINE_SPACE)[:1] in {"\n", "\r"} and text[start - 1] == "\n":
        start -= 2 if text[start - 2] == "\r" else 1
    left = text[:start]
    if found.comma is None and at:
        comma = parent.members[at - 1].comma
        assert comma is not None  # only the last member of an object may do without
        left = text[:comma] + text[comma + 1 : start]
    return left + text[end:]


def _inserted(text: str, root: _Node, node: _Node, member: tuple[str, Any]) -> str:
    newline, unit = _newline(text), _unit(text, root)
    inside = text[node.start + 1 : node.end - 1]
    outer = _indent_at(text, node.start)
    own = _indent_at(text, node.members[0].start) if node.members else outer + unit
    if "\n" not in inside and node.members:
        written = json.dumps(dict([member]), ensure_ascii=False)[1:-1]
        lead, tail = " ", text[node.end - 1 :]
    else:
        shown = _dumped(member[1], own, unit, newline)
        written = f"{json.dumps(member[0], ensure_ascii=False)}: {shown}"
        spaced = inside[len(inside.rstrip()) :]
        lead = newline + own
        tail = newline + (spaced.rpartition("\n")[2] if "\n" in spaced else outer)
        tail += text[node.end - 1 :]
    if not node.members:
        return text[: node.start + 1] + inside.rstrip() + lead + written + tail
    last = node.members[-1]
    if last.comma is None:
        rest = text[last.node.end : node.end - 1].rstrip()
        return text[: last.node.end] + "," + rest + lead + written + tail
    return text[: node.end - 1].rstrip() + lead + written + "," + tail


def _nested(path: Sequence[str], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


def _dumped(value: Any, indent: str, unit: str, newline: str) -> str:
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return (newline + indent).join(lines)


def _deepest(root: _Node, path: Sequence[str]) -> tuple[_Node, int]:
    node = root
    for depth, name in enumerate(path):
        found = _member(node, name)
        if found is None:
            return node, depth
        node = found.node
    return node, len(path)


def _member(node: _Node, name: str) -> _Member | None:
    # Of two members of one name, the last counts, as every reader of JSON has it.
    return next((each for each in reversed(node.members) if each.name == name), None)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_at(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(_LINE_SPACE))]


def _unit(text: str, root: _Node) -> str:
    return (_indent_at(text, root.members[0].start) if root.members else "") or "  "


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    assert found is not None  # the pattern matches the empty string
    return found.end()


def _root(text: str) -> _Node | None:
    start = _skip(text, 0)
    if start == len(text):
        return None
    try:
        root = _read(text, start)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _skip(text, root.end) != len(text):
        raise ValueError("text behind the end of the document")
    return root


def _read(text: str, start: int) -> _Node:
    first = text[start : start + 1]
    if first == "{":
        return _read_object(text, start)
    if first == "[":
        return _read_array(text, start)
    pattern = _STRING if first == '"' else _PLAIN
    found = pattern.match(text, start)
    if found is None:
        msg = f"not JSON at character {start}"
        raise ValueError(msg)
    return _Node(start, found.end(), json.loads(found.group()))


def _read_object(text: str, start: int) -> _Node:
    node = _Node(start, start, {})
    position = _skip(text, start + 1)
    while text[position : position + 1] != "}":
        if node.members and node.members[-1].comma is None:
            msg = f"a comma is missing at character {position}"
            raise ValueError(msg)
        key = _STRING.match(text, position)
        colon = _skip(text, key.end()) if key else position
        if key is None or text[colon : colon + 1] != ":":
            msg = f"not JSON at character {position}"
            raise ValueError(msg)
        inner = _read(text, _skip(text, colon + 1))
        after = _skip(text, inner.end)
        comma = after if text[after : after + 1] == "," else None
        name = json.loads(key.group())
        node.members.append(_Member(name, position, inner, comma))
        node.value[name] = inner.value
        position = after if comma is None else _skip(text, after + 1)
    node.end = position + 1
    return node


def _read_array(text: str, start: int) -> _Node:
    node = _Node(start, start, [])
    position, open_ = _skip(text, start + 1), True
    while text[position : position + 1] != "]":
        if not open_:
            msg = f"a comma is missing at character {position}"
            raise ValueError(msg)
        inner = _read(text, position)
        node.value.append(inner.value)
        position = _skip(text, inner.end)
        open_ = text[position : position + 1] == ","
        if open_:
            position = _skip(text, position + 1)
    node.end = position + 1
    return node
