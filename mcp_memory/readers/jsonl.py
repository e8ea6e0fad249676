"""Tolerant input: a transcript's JSON lines or its one value, and the values in them."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.opening import open_transcript
from mcp_memory.readers.shortening import Shortener
from mcp_memory.readers.splicing import Record, Shapes, parsed, spliced

__all__ = ["Record"]

LINE_BYTES = 16 * 2**20
"""Of a longer line, oversized strings are kept by reference."""
HELD_BYTES = 64 * 2**20
"""What a line may still have then; a longer one is skipped in bounded memory and named."""
FILE_BYTES = 128 * 2**20
"""What a file that is one JSON value may have; above `HELD_BYTES`, its strings by reference."""
LINES = 4_000_000
"""A file with more lines is read no further: it is no session, but made to keep us busy."""
HEAD_BYTES = 1 << 20
"""How much of a file `recognize` may look at."""

_PIECE = 1 << 16
_LARGEST = 1 << 53
_BLANK = b" \t\r\n"
_OPENINGS = (b"{", b"[")
_HEAD_LINES = 40
_shared: ContextVar[tuple[Path, bytes] | None] = ContextVar("head", default=None)


def read_lines(path: Path, refusals: list[Refusal]) -> Iterator[tuple[int, Record]]:
    """The objects of a JSONL file with their line numbers; what is none is named in `refusals`.

    Lines with damaged UTF-8, lone surrogates or NUL bytes are mended (U+FFFD), read, and named;
    of records that ran into each other on one line, the whole ones are read.

    Raises:
        OSError: it cannot be opened.
    """
    shapes = Shapes()
    with open_transcript(path) as stream:
        number = 0
        while line := _next_line(stream, number + 1, refusals):
            number += 1
            if number > LINES:
                refuse(refusals, number, f"more than {LINES:,} lines: reading stopped here")
                return
            for record in _records(line, number, refusals, shapes):
                shapes.note(record)
                yield number, record


def read_whole(path: Path, refusals: list[Refusal]) -> Record | None:
    """The object that a whole file is, or None with the reason in `refusals`.

    Raises:
        OSError: it cannot be opened.
    """
    value = read_json(path, refusals)
    if value is None or isinstance(value, dict):
        return value
    refusals.append(Refusal(where="file", reason="not an object"))
    return None


def read_json(path: Path, refusals: list[Refusal]) -> Any:
    """The value that a whole file is, or None with the reason in `refusals`.

    Raises:
        OSError: it cannot be opened.
    """
    with open_transcript(path) as stream:
        try:
            raw = stream.read(HELD_BYTES + 1)
            if len(raw) > HELD_BYTES:
                raw, told = _shortened(raw, lambda: stream.read(_PIECE), FILE_BYTES)
                refusals.append(Refusal(where="file", reason=told))
        except OSError as error:
            refusals.append(Refusal(where="file", reason=str(error)))
            return None
    found: list[Refusal] = []
    value = _value(raw, 1, found)
    refusals.extend(Refusal(where="file", reason=refusal.reason) for refusal in found)
    return value


def read_head(path: Path) -> bytes:
    """The first megabyte of a transcript; what can be had of it where it is damaged.

    Of a first line that is longer, strings are shortened: what comes behind them is seen too.

    Raises:
        OSError: it cannot be opened.
    """
    shared = _shared.get()
    return shared[1] if shared is not None and shared[0] == path else _head(path)


@contextmanager
def one_head(path: Path) -> Iterator[None]:
    """Read a file's head once for all readers that ask for it meanwhile.

    Raises:
        OSError: it cannot be opened.
    """
    token = _shared.set((path, _head(path)))
    try:
        yield
    finally:
        _shared.reset(token)


def head_records(head: bytes, limit: int) -> Iterator[Record]:
    """Objects from the first whole lines of a file's head, at most `limit` of these."""
    for records in _head_lines(head)[:limit]:
        yield from records


def first_records(path: Path, limit: int) -> Iterator[Record]:
    """Up to `limit` objects from the first whole lines of a transcript.

    Raises:
        OSError: it cannot be opened.
    """
    return head_records(read_head(path), limit)


def refuse(refusals: list[Refusal], number: int, reason: str) -> None:
    """Name a line that was not read, or not as it stood."""
    refusals.append(Refusal(where=f"line {number}", reason=reason))


def text_at(record: object, key: str) -> str:
    """The string under a key; empty where there is none."""
    value = record.get(key) if isinstance(record, dict) else None
    return value if isinstance(value, str) else ""


def object_at(record: object, key: str) -> Record:
    """The object under a key; empty where there is none."""
    value = record.get(key) if isinstance(record, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(record: object, key: str) -> list[Any]:
    """The list under a key; empty where there is none."""
    value = record.get(key) if isinstance(record, dict) else None
    return value if isinstance(value, list) else []


def number_at(record: object, key: str) -> float | None:
    """The finite number under a key; None where there is none."""
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_LARGEST < value < _LARGEST else None


def count_at(record: object, key: str) -> int:
    """The count under a key; 0 where there is none, or none that can be one."""
    value = number_at(record, key)
    return int(value) if value is not None and value > 0 else 0


def _next_line(stream: BinaryIO, number: int, refusals: list[Refusal]) -> bytes:
    """The next line with its end; a blank one stands for a line that is too long."""
    try:
        line = stream.readline(LINE_BYTES + 1)
        if len(line) <= LINE_BYTES:
            return line
        line, told = _shortened(line, _until_line_end(stream, line), HELD_BYTES)
    except OSError as error:
        refuse(refusals, number, f"reading stopped here: {error}")
        return b""
    refuse(refusals, number, told)
    return line or b"\n"


def _until_line_end(stream: BinaryIO, begun: bytes) -> Callable[[], bytes]:
    ended = begun.endswith(b"\n")

    def piece() -> bytes:
        nonlocal ended
        told = b"" if ended else stream.readline(_PIECE)
        ended = ended or told.endswith(b"\n")
        return told

    return piece


def _shortened(begun: bytes, more: Callable[[], bytes], limit: int) -> tuple[bytes, str]:
    """A long text with its oversized strings by reference, and what is to be told of that."""
    shortener, size = Shortener(), len(begun)
    made = bytearray()
    for place in range(0, size, _PIECE):
        made += shortener.feed(begun[place : place + _PIECE])
    while piece := more():
        size += len(piece)
        made += shortener.feed(piece) if len(made) <= limit else b""
    made += shortener.end()
    if len(made) > limit:
        return b"", f"longer than {limit >> 20} MB, without its oversized strings: not read"
    told = f"{size >> 20} MB long: {shortener.shortened} oversized strings kept by reference"
    return bytes(made), told


def _head(path: Path) -> bytes:
    head = bytearray()
    with open_transcript(path) as stream, contextlib.suppress(OSError):
        while len(head) < HEAD_BYTES and (piece := stream.read(_PIECE)):
            head += piece
        if len(head) >= HEAD_BYTES and b"\n" not in head and head.lstrip().startswith(_OPENINGS):
            return _shortened_head(bytes(head), stream)
    return bytes(head)


def _shortened_head(begun: bytes, stream: BinaryIO) -> bytes:
    shortener, read = Shortener(), len(begun)
    head = bytearray(shortener.feed(begun))
    while len(head) < HEAD_BYTES and read < HELD_BYTES and (piece := stream.read(_PIECE)):
        read += len(piece)
        head += shortener.feed(piece)
    return bytes(head + shortener.end())


@lru_cache(maxsize=2)
def _head_lines(head: bytes) -> list[list[Record]]:
    shapes = Shapes()
    lines = head.split(b"\n", _HEAD_LINES)[:_HEAD_LINES]
    return [list(_records(line, 0, [], shapes)) for line in lines]


def _records(line: bytes, number: int, refusals: list[Refusal], shapes: Shapes) -> Iterator[Record]:
    """The objects on a line: one, as a rule."""
    found: list[Refusal] = []
    value = _value(line, number, found)
    if isinstance(value, dict):
        refusals += found
        yield value
        return
    if value is None and found and line.lstrip().startswith(b"{"):
        records, cut = spliced(line, shapes)
        if records:
            refusals += [Refusal(where=f"line {number}", reason="a record cut off")] if cut else []
            yield from records
            return
    refusals += found
    if value is not None:
        refuse(refusals, number, "not an object")


def _value(line: bytes, number: int, refusals: list[Refusal]) -> Any:
    stripped = line.strip(_BLANK)
    if not stripped:
        return None
    try:
        value, mended = parsed(stripped)
    except RecursionError:
        refuse(refusals, number, "nested too deep")
        return None
    except ValueError:
        cut = not line.endswith(b"\n")
        refuse(refusals, number, "truncated last line" if cut else "not JSON")
        return None
    if mended:
        refuse(refusals, number, f"{mended}; read with replacement characters")
    if value is None:
        refuse(refusals, number, "not an object")
    return value
