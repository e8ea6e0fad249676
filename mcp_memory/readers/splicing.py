"""Splicing: the records on a line, also where two writers or a kill ran records into each other."""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

Record: TypeAlias = dict[str, Any]

_TRIES = 50
_TRIED = 256 * 2**20
"""How much text of one file is tried for records: a file made to keep us busy ends there."""
_SHARED = 3
_BLANK = b" \t\r\n"
_KEY = re.compile(r'\{\s*"((?:[^"\\]|\\.){1,80})"\s*:')
_ANY_KEY = re.compile(r'"([^"\\]{1,80})"\s*:')
_SPACE = re.compile(r"\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


class Shapes:
    """What the records of a file look like: by it a record is told from an object inside one."""

    def __init__(self) -> None:
        self._first: set[str] = set()
        self._known: list[frozenset[str]] = []
        self._left = _TRIED

    def note(self, record: Record) -> None:
        """Remember how a whole record looks."""
        if len(self._known) < _SHARED and record:
            self._known.append(frozenset(record))
            self._first.add(next(iter(record)))

    def starts(self, text: str) -> Iterator[int]:
        """Where a record may begin behind one that was cut off, at a few places."""
        own = _KEY.match(text)
        first = self._first | ({own[1]} if own else set())
        tries = 0
        for found in _KEY.finditer(text, 1):
            if found[1] in first:
                self._left -= len(text) - found.start()
                tries += 1
                if tries > _TRIES or self._left < 0:
                    return
                yield found.start()

    def fits(self, record: Record, cut: str) -> bool:
        """Whether an object has the keys of a record, not of something inside one."""
        keys = frozenset(record)
        for shape in self._known or [frozenset(_ANY_KEY.findall(cut))]:
            if len(keys & shape) >= min(_SHARED, len(shape)) or keys <= shape:
                return True
        return False


def parsed(line: bytes) -> tuple[Any, str]:
    """The value that a line is, and how it had to be mended; a second opinion where need be.

    Raises:
        ValueError: it is no JSON value, or more than one.
        RecursionError: it is nested too deep.
    """
    try:
        return orjson.loads(line), ""
    except orjson.JSONDecodeError:
        return _mended(line)


def spliced(line: bytes, shapes: Shapes) -> tuple[list[Record], bool]:
    """The whole records on a line that is no one value, and whether something of it is no record."""
    text = line.strip(_BLANK).decode("utf-8", "replace").replace("\x00", "")
    found, rest = _sequence(text)
    cut = bool(rest)
    while rest:
        for record in found:
            shapes.note(record)
        behind, rest = _behind(rest, shapes)
        found += behind
    return found, cut


def _behind(text: str, shapes: Shapes) -> tuple[list[Record], str]:
    """The records behind one that was cut off, and what stands behind them, cut off itself."""
    for start in shapes.starts(text):
        behind, left = _sequence(text[start:])
        # Behind an object inside a record stands a comma or a bracket, never another record.
        if behind and (not left or left.startswith("{")) and shapes.fits(behind[0], text[:start]):
            return behind, left
    return [], ""


def _sequence(text: str) -> tuple[list[Record], str]:
    """Objects one behind the other, and the text from where there is none on."""
    found: list[Record] = []
    place = 0
    while place < len(text):
        try:
            value, end = _DECODER.raw_decode(text, place)
            value = safe(value)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        found.append(value)
        blank = _SPACE.match(text, end)
        place = blank.end() if blank else end
    return found, text[place:]


def _mended(line: bytes) -> tuple[Any, str]:
    text = line.decode("utf-8", "replace").replace("\x00", "")
    value = safe(json.loads(text, strict=False, parse_constant=lambda _: None))
    if b"\x00" in line:
        return value, "NUL bytes"
    return value, "damaged UTF-8" if "\ufffd" in text else "lone surrogates or control characters"


def safe(value: Any) -> Any:
    """A value whose text can be written as UTF-8."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [safe(item) for item in value]
    if isinstance(value, dict):
        return {safe(key): safe(item) for key, item in value.items()}
    return value
