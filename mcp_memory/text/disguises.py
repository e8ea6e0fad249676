"""Disguises: what keeps a secret from reading as one: escapes, colours, line ends, encodings."""

import base64
import binascii
import contextlib
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Undressed:
    """A text as it reads, and where each of its stretches stood."""

    text: str
    starts: tuple[int, ...]
    """Where each stretch begins in `text`."""
    origins: tuple[int, ...]
    """Where each stretch begins in what was undressed."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of `text` stood."""
        return self._origin(start), self._origin(end - 1) + 1

    def _origin(self, at: int) -> int:
        stretch = bisect_right(self.starts, at) - 1
        return self.origins[stretch] + at - self.starts[stretch]


_COLOUR = r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e)\[[0-9;?]{0,20}[A-Za-z]"
_INVISIBLE = (
    "[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f]"
)
_UNREAD = re.compile(rf"{_COLOUR}|{_INVISIBLE}+|\\u200[b-fB-F]|\\ufeff|\\u00ad")
_INVISIBLE_ONE = re.compile(_INVISIBLE)
_LETTER = re.compile(
    r"\\u00(?P<u>[2-7][0-9a-fA-F])|\\x(?P<x>[2-7][0-9a-fA-F])|%(?P<p>[2-7][0-9a-fA-F])|"
    r"&#x(?P<h>[2-7][0-9a-fA-F]);|&#(?P<d>\d{2,3});|&(?P<n>amp|quot|apos|lt|gt);|\\(?P<s>/)"
)
_NAMED = {"amp": "&", "quot": '"', "apos": "'", "lt": "<", "gt": ">"}
_JOINT = re.compile(
    r"\\?[\"'][ \t]{0,8}[+.&]?[ \t]{0,8}\\?(?:\r?\n|\\n)?[ \t]{0,40}[+.&]?[ \t]{0,8}\\?[\"']|"
    r"=?\\?(?:\r?\n|\\r\\n|\\n)(?:[ \t]{0,40}(?:[>|│+#*]|//)?[ \t]{0,4})|\\(?=[A-Za-z0-9_\-])"
)
_ESCAPED = re.compile(
    r"(?:\\[abefnrtv0]|\\u00[0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|\x1b\[[0-9;]{0,20}m)$"
)


SIGNS = (
    "\x1b[", "\\u001b", "\\u001B", "\\x1b", "\\x1B", "\\033[", "\\e[", "\\u200", "\\ufeff", "\\u00ad", "\\/",
    *(f"\\u00{n}" for n in range(2, 8)), *(f"\\x{n}" for n in range(2, 8)), *(f"%{n}" for n in range(2, 8)),
    *(f"&#{n}" for n in "x123456789"), *(f"&{name};" for name in _NAMED),
)  # fmt: skip
"""One of these stands in every text that wears more than invisible letters."""


def undressed(text: str) -> Undressed:
    """The text without colours and invisible letters, its escapes read."""
    cuts = [(*match.span(), "") for match in _UNREAD.finditer(text)]
    cuts += [(*match.span(), _meant(match)) for match in _LETTER.finditer(text)]
    return _without(text, sorted(cuts))


def invisible(text: str) -> bool:
    """Whether letters that nobody sees stand in a text."""
    return not text.isascii() and _INVISIBLE_ONE.search(text) is not None


def joined(text: str) -> Undressed | None:
    """The text without line ends and without what stands between two strings put together."""
    cuts = [(*match.span(), "") for match in _JOINT.finditer(text)]
    return _without(text, cuts) if cuts else None


def ends_an_escape(text: str, at: int) -> bool:
    """Whether the letter before a place belongs to an escape and not to a word."""
    return _ESCAPED.search(text, max(0, at - 24), at) is not None


def _meant(match: re.Match[str]) -> str:
    kind = match.lastgroup or "s"
    told = match[kind]
    if kind == "s":
        return told
    if kind == "n":
        return _NAMED[told]
    code = int(told, 10 if kind == "d" else 16)
    return chr(code) if chr(code).isprintable() else " "


def _without(text: str, cuts: list[tuple[int, int, str]]) -> Undressed:
    parts: list[str] = []
    starts, origins = [0], [0]
    length = at = 0
    for start, end, meant in cuts:
        if start < at:
            continue
        parts += [text[at:start], meant]
        length += start - at + len(meant)
        if meant:
            # The letter that was meant stands where its escape ends.
            starts.append(length - len(meant))
            origins.append(start)
        starts.append(length)
        origins.append(end)
        at = end
    parts.append(text[at:])
    return Undressed("".join(parts), tuple(starts), tuple(origins))


@dataclass(frozen=True, slots=True)
class Variant:
    """How a start looks in an encoding, and how what surrounds it is read."""

    encoding: Literal["base64", "hex"]
    shift: int
    """How many letters of the encoding stand before the variant in its group."""

    def phase(self, at: int) -> tuple[str, int]:
        """What is read alike: the encoding, and where its groups begin."""
        return self.encoding, (at - self.shift) % _RUNS[self.encoding].group

    def around(self, text: str, at: int) -> Undressed | None:
        """What the run of letters round a place says; None where it says nothing."""
        run = _RUNS[self.encoding]
        first = at - len(run.backwards.match(text[max(0, at - _NEAR) : at][::-1])[0])  # type: ignore[index]
        first += (at - self.shift - first) % run.group
        match = run.forwards.match(text, first, min(len(text), at + _NEAR))
        if match is None or match.end() <= at:
            return None
        raw = _read(self.encoding, match[0])
        if len(raw) < LEAST_READ:
            return None
        said = raw.decode("latin-1")
        bits = 6 if self.encoding == "base64" else 4
        origins = tuple(first + (n * 8) // bits for n in range(len(said)))
        return Undressed(said, tuple(range(len(said))), origins)


@dataclass(frozen=True, slots=True)
class _Run:
    group: int
    forwards: re.Pattern[str]
    backwards: re.Pattern[str]


_NEAR = 4_000
LEAST_START, LEAST_READ = 4, 8
"""Shorter starts are too frequent when encoded; shorter texts hold no secret."""
_RUNS = {
    "base64": _Run(4, re.compile(r"[A-Za-z0-9+/_\-]+"), re.compile(r"[A-Za-z0-9+/_\-]*")),
    "hex": _Run(2, re.compile(r"[0-9a-fA-F]+"), re.compile(r"[0-9a-fA-F]*")),
}


def encoded_starts(starts: Iterable[str]) -> dict[str, list[Variant]]:
    """How each start of four letters or more looks in base64, at each place in a group, and in hex."""
    found: dict[str, list[Variant]] = {}
    for start in sorted({start for start in starts if len(start) >= LEAST_START}):
        raw = start.encode()
        for skipped in range(3):
            told = base64.b64encode(b"\0" * skipped + raw).decode().rstrip("=")
            first = -(-skipped * 8 // 6)
            last = (skipped + len(raw)) * 8 // 6
            found.setdefault(told[first:last], []).append(Variant("base64", first))
        for told in (raw.hex(), raw.hex().upper()):
            found.setdefault(told, []).append(Variant("hex", 0))
    return found


def _read(encoding: str, told: str) -> bytes:
    with contextlib.suppress(ValueError, binascii.Error):
        if encoding == "hex":
            return bytes.fromhex(told[: len(told) // 2 * 2])
        whole = told[: len(told) // 4 * 4] if len(told) % 4 == 1 else told + "=" * (-len(told) % 4)
        return base64.b64decode(whole.replace("-", "+").replace("_", "/"))
    return b""
