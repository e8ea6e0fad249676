"""Shortening: JSON text of any length within bounded memory, its oversized strings by reference."""

import hashlib
import re

STRING_BYTES = 256 * 2**10
"""Of a longer string its beginning, its size and its hash are kept, where a text is shortened."""

_KEPT = 32 * 2**10
_TAIL = 64
_WITHIN = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_HALF = re.compile(
    rb"(?:\A|[^\\])(?:\\\\)*"
    rb"((?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?)\Z"
)


class Shortener:
    """Takes JSON text piece by piece and hands it on."""

    def __init__(self) -> None:
        self.shortened = 0
        """How many strings were."""
        self._inside = False
        self._string = bytearray()
        self._length = 0
        self._escape = b""

    def feed(self, piece: bytes) -> bytes:
        """What can be handed on once this piece is known."""
        piece, self._escape = self._escape + piece, b""
        made = bytearray()
        place = 0
        while place < len(piece):
            if self._inside:
                place = self._within(piece, place, made)
            else:
                quote = piece.find(b'"', place)
                end = len(piece) if quote < 0 else quote + 1
                made += piece[place:end]
                self._inside, place = quote >= 0, end
        return bytes(made)

    def end(self) -> bytes:
        """What is left where the text ends inside a string."""
        return bytes(self._string) + self._escape

    def _within(self, piece: bytes, place: int, made: bytearray) -> int:
        """Read on in a string; the place behind what was read of it."""
        found = _WITHIN.match(piece, place)
        end = found.end() if found else place
        self._keep(piece[place:end])
        if end == len(piece):
            return end
        if piece[end : end + 1] == b'"':
            made += self._closed() + b'"'
            self._inside = False
            return end + 1
        self._escape = piece[end:]
        return len(piece)

    def _keep(self, told: bytes) -> None:
        over = self._length > STRING_BYTES
        if not over:
            self._string += told
            told = bytes(self._string)
        self._length += len(told) if over else len(told) - self._length
        if self._length > STRING_BYTES:
            if not over:
                self._hash = hashlib.sha256()
                del self._string[_KEPT:]
            self._hash.update(told)

    def _closed(self) -> bytes:
        """The string as it is handed on."""
        told = bytes(self._string)
        if self._length > STRING_BYTES:
            self.shortened += 1
            digest = self._hash.hexdigest()
            reference = f" … [{self._length} bytes in all, sha256 {digest}]"
            told = _unbroken(told) + reference.encode()
        self._string, self._length = bytearray(), 0
        return told


def _unbroken(told: bytes) -> bytes:
    """JSON text cut anywhere, without what the cut left of a character or an escape."""
    told = told.decode("utf-8", "ignore").encode()
    half = _HALF.search(told[-_TAIL:])
    if half:
        return told[: len(told) - len(half[1])]
    return told.rstrip(b"\\") if told.endswith(b"\\" * _TAIL) else told
