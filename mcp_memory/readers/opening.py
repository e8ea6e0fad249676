"""Opening: a transcript's bytes as UTF-8, whatever it was packed or written in; regular files only."""

import codecs
import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

EXPANDED_BYTES = 2 * 2**30
"""What a compressed file may expand to."""

_PIECE = 1 << 16
_WINDOW = 1 << 27
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_DAMAGED = (EOFError, zlib.error, zstandard.ZstdError)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WIDE = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    # Without a mark: a bracket that a zero stands beside.
    b"{\0": "utf-16-le",
    b"[\0": "utf-16-le",
    b"\0{": "utf-16-be",
    b"\0[": "utf-16-be",
}


class _Made(io.RawIOBase):
    """A stream made of another, piece by piece; it ends in an OSError, never in a full memory."""

    def __init__(self, stream: BinaryIO, piece: Callable[[int], bytes], limit: int) -> None:
        self._file, self._piece, self._left = stream, piece, limit
        self._limit = limit
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            piece = self._held or self._piece(len(buffer))
        except _DAMAGED as error:
            raise OSError(f"damaged compressed file: {error}") from error
        piece, self._held = piece[: len(buffer)], piece[len(buffer) :]
        self._left -= len(piece)
        if self._left < 0:
            raise OSError(f"it expands to more than {self._limit >> 20} MB")
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_regular(path: Path) -> BinaryIO:
    """The bytes of a file as they stand; a pipe, a device or a folder is never waited for.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    handle = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"not a regular file: {path}")
    return os.fdopen(handle, "rb")


def open_transcript(path: Path) -> BinaryIO:
    """The bytes of a transcript, unpacked and recoded where its content (not its name) says so.

    gzip and zstandard are unpacked, UTF-16 becomes UTF-8, a byte order mark goes.

    Raises:
        OSError: it cannot be opened; later, on reading: it is damaged or expands without end.
    """
    stream: Any = open_regular(path)
    try:
        stream = _unpacked(stream)
        start = _peeked(stream)
        if (wide := _WIDE.get(start[:2])) is not None:
            decoder = codecs.getincrementaldecoder(wide)("replace")
            return _buffered(stream, lambda size: _recoded(stream, decoder, size))
        if start.startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
    except OSError:
        stream.close()
        raise
    return stream  # type: ignore[no-any-return]


def unpacked(raw: bytes, limit: int) -> bytes:
    """What zstandard bytes expand to.

    Raises:
        OSError: they are damaged, or expand to more than the limit.
    """
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(raw)
    try:
        told = reader.read(limit + 1)
    except _DAMAGED as error:
        raise OSError(f"damaged compressed data: {error}") from error
    if len(told) > limit:
        raise OSError(f"it expands to more than {limit >> 20} MB")
    return told


def _unpacked(stream: BinaryIO) -> Any:
    start = _peeked(stream)
    if start.startswith(_GZIP):
        return _buffered(stream, gzip.GzipFile(fileobj=stream).read)
    if start.startswith(_ZSTD):
        unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        return _buffered(stream, unpacker.stream_reader(stream, read_across_frames=True).read)
    return stream


def _peeked(stream: Any) -> bytes:
    """The first bytes; none where what is packed is damaged, which reading it will tell."""
    try:
        return bytes(stream.peek(4)[:4])
    except OSError:
        if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Made):
            return b""
        raise


def _buffered(stream: BinaryIO, piece: Callable[[int], bytes]) -> BinaryIO:
    return io.BufferedReader(_Made(stream, piece, EXPANDED_BYTES), _PIECE)


def _recoded(stream: BinaryIO, decoder: codecs.IncrementalDecoder, size: int) -> bytes:
    while raw := stream.read(size):
        if text := decoder.decode(raw):
            return text.encode()
    return decoder.decode(b"", final=True).encode()
