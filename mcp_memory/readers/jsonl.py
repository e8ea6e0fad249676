"""Tolerant input: a transcript's bytes, its JSON lines, and the values in them."""

import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import orjson

from mcp_memory.domain.models import Refusal

LINE_BYTES = 16 * 2**20
"""A longer line is skipped in bounded memory and named."""
FILE_BYTES = 256 * 2**20
"""A file that is one JSON value must be held whole; a larger one is refused."""
EXPANDED_BYTES = 2 * 2**30
"""What a compressed file may expand to."""
HEAD_BYTES = 1 << 20
"""How much of a file `recognize` may look at."""

Record: TypeAlias = dict[str, Any]

_PIECE = 1 << 16
_LARGEST = 1 << 53
_GZIP = b"\x1f\x8b"
_BLANK = b" \t\r\n"
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Expanded(io.RawIOBase):
    """A gzip stream that ends in an OSError rather than in a full disk or memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = stream
        self._inner = gzip.GzipFile(fileobj=stream)
        self._left = EXPANDED_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            piece = self._inner.read(len(buffer))
        except (EOFError, zlib.error) as error:
            raise OSError(f"damaged compressed file: {error}") from error
        self._left -= len(piece)
        if self._left < 0:
            raise OSError(f"it expands to more than {EXPANDED_BYTES >> 20} MB")
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._inner.close()
        self._file.close()
        super().close()


def open_transcript(path: Path) -> BinaryIO:
    """The bytes of a transcript, decompressed where their content (not their name) is gzip's.

    Raises:
        OSError: it cannot be opened; later, on reading: it is damaged or expands without end.
    """
    stream = path.open("rb")
    try:
        packed = stream.peek(2)[:2] == _GZIP
    except OSError:
        stream.close()
        raise
    return io.BufferedReader(_Expanded(stream), _PIECE) if packed else stream


def read_lines(path: Path, refusals: list[Refusal]) -> Iterator[tuple[int, Record]]:
    """The objects of a JSONL file with their line numbers; what is none is named in `refusals`.

    Lines with damaged UTF-8, lone surrogates or NUL bytes are mended (U+FFFD), read, and named.

    Raises:
        OSError: it cannot be opened.
    """
    with open_transcript(path) as stream:
        number = 0
        while line := _next_line(stream, number + 1, refusals):
            number += 1
            if len(line) > LINE_BYTES:
                refuse(refusals, number, f"longer than {LINE_BYTES >> 20} MB")
                continue
            record = _parse(line, number, refusals)
            if record is not None:
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
            raw = stream.read(FILE_BYTES + 1)
        except OSError as error:
            refusals.append(Refusal(where="file", reason=str(error)))
            return None
    if len(raw) > FILE_BYTES:
        refusals.append(Refusal(where="file", reason=f"larger than {FILE_BYTES >> 20} MB"))
        return None
    found: list[Refusal] = []
    value = _value(raw, 1, found)
    refusals.extend(Refusal(where="file", reason=refusal.reason) for refusal in found)
    return value


def read_head(path: Path) -> bytes:
    """The first megabyte of a transcript; what can be had of it where it is damaged.

    Raises:
        OSError: it cannot be opened.
    """
    head = bytearray()
    with open_transcript(path) as stream, contextlib.suppress(OSError):
        while len(head) < HEAD_BYTES and (piece := stream.read(_PIECE)):
            head += piece
    return bytes(head)


def head_records(head: bytes, limit: int) -> Iterator[Record]:
    """Up to `limit` objects from the first whole lines of a file's head."""
    for line in head.split(b"\n", limit)[:limit]:
        record = _parse(line, 0, [])
        if record is not None:
            yield record


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
    try:
        line = stream.readline(LINE_BYTES + 1)
        piece = line
        while len(line) > LINE_BYTES and piece and not piece.endswith(b"\n"):
            piece = stream.readline(LINE_BYTES)
    except OSError as error:
        refuse(refusals, number, f"reading stopped here: {error}")
        return b""
    return line


def _parse(line: bytes, number: int, refusals: list[Refusal]) -> Record | None:
    value = _value(line, number, refusals)
    if value is None or isinstance(value, dict):
        return value
    refuse(refusals, number, "not an object")
    return None


def _value(line: bytes, number: int, refusals: list[Refusal]) -> Any:
    repaired = ""
    stripped = line.strip(_BLANK)
    if not stripped:
        return None
    try:
        value = orjson.loads(stripped)
    except orjson.JSONDecodeError:
        try:
            value, repaired = _repaired(stripped)
        except RecursionError:
            refuse(refusals, number, "nested too deep")
            return None
        except ValueError:
            cut = not line.endswith(b"\n")
            refuse(refusals, number, "truncated last line" if cut else "not JSON")
            return None
    if repaired:
        refuse(refusals, number, f"{repaired}; read with replacement characters")
    if value is None:
        refuse(refusals, number, "not an object")
    return value


def _repaired(line: bytes) -> tuple[Any, str]:
    """The value and what was wrong with it; a second, slower opinion for what orjson refuses."""
    text = line.decode("utf-8", "replace").replace("\x00", "")
    value = _safe(json.loads(text, strict=False, parse_constant=lambda _: None))
    if b"\x00" in line:
        return value, "NUL bytes"
    return value, "damaged UTF-8" if "\ufffd" in text else "lone surrogates or control characters"


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_safe(item) for item in value]
    if isinstance(value, dict):
        return {_safe(key): _safe(item) for key, item in value.items()}
    return value
