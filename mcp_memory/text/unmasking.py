"""Unmasking: a text as its reader takes it, whatever letters, escapes or encodings it wears; pure."""

import base64
import binascii
import codecs
import contextlib
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice, product

from ahocorasick_rs import AhoCorasick, Implementation

from mcp_memory.text import disguises

_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u0261\u0251\u0131"
    "\u03bf\u03b1\u03b5\u03b9\u03ba\u03bd\u03c1\u03c4\u03c5\u03c7\u03f2\u0432\u043c\u043d\u043a\u0442",
    "aeopcxyijsdqwhgaioaeiknptuxcbmhkt",
)
"""Cyrillic and Greek letters that look like Latin ones, small."""
_MIXED = re.compile(
    r"[a-z][\u0370-\u03ff\u0400-\u052f\u0261\u0251]|[\u0370-\u03ff\u0400-\u052f\u0261\u0251][a-z]"
)
_ABROAD = re.compile("[\u0251\u0261\u0370-\u052f]")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
"""Letters that nobody sees and every model reads."""
_SHELL_QUOTES = re.compile(
    r"''(?<=\w'')(?=\w)|\"\"(?<=\w\"\")(?=\w)|\\(?:(?<=\w\\)|(?<=[|;&] \\))(?=[a-z])"
    r"|\$(?:@(?<=\w\$@)|\*(?<=\w\$\*)|\{ifs\}(?<=\w\$\{ifs\}))(?=\w)"
)
"""The sign first, and then what stood before it: so it is looked for by its first letter."""
_GAPS = re.compile(r"\$\{?ifs\}?(?:\$9)?|\\\r?\n|[ \t\u00a0]{2,}")
_SPACED = re.compile(r"(?<![\w.\-])(?:(?:\w[ _.\-]){5,}|(?:[a-z]-){2,})\w(?![\w.\-])")
"""Letters one by one: six of them, or three with a dash between each two."""
_TURNED = re.compile(r"(?<![a-z])rot[- ]?13(?![0-9])")
"""What says that letters stand for those thirteen further on."""
_FIGURES = re.compile(r"[a-z]{1,12}(?:[013457][a-z]{1,12}){1,3}")
_FIGURED = {"o": "0", "i": "1", "e": "3", "a": "4", "s": "5", "t": "7"}
_AS_LETTERS = str.maketrans({figure: letter for letter, figure in _FIGURED.items()})
_GIVES_AWAY = ("disabl", "verif", "valid", "bypass", "signat", "secur", "creden", "passw", "review")
"""Of what words that give power away begin with, what no name with a figure in it holds by chance."""


def _spellings(word: str) -> Iterator[str]:
    """A word with figures for some of its letters, in every way."""
    choices = [letter + _FIGURED.get(letter, "") for letter in word]
    return map("".join, islice(product(*choices), 1, None))


_SPELLED = AhoCorasick(
    [each for word in _GIVES_AWAY for each in _spellings(word)], implementation=Implementation.DFA
)
_ALONE = bytes(
    ord("-" if letter in " _.-" else "x" if letter.isalnum() else " ")
    for letter in map(chr, range(256))
)
"""Each letter as `x`, what may part letters as `-`."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,4000}={0,2}(?![A-Za-z0-9+/])")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){16,2000}(?![0-9a-fA-F])")
_DENSE = bytes(
    ord("x" if letter.isascii() and (letter.isalnum() or letter in "+/") else " ")
    for letter in map(chr, range(256))
)
_BLOB = b"x" * 24
"""What a text without any letter of base64's is, run together: no shorter one is looked at."""
_SIGNS = (
    ("\\", ("\\u00", "\\x", "\\033")),
    ("%", ("%2", "%6", "%7")),
    ("&", ("&#",)),
    ("\x1b", ("\x1b[",)),
)
"""How escapes begin, by the letter of which most texts hold none."""
_MOST_BLOBS = 8
_LEAST_TOLD = 0.95
"""How much of what an encoding hides must be letters that print, for it to be a text."""
_ENCODES = ("base64", "b64", "decode", "atob", "hex")
"""One of these stands beside what a reader is to take out of its encoding."""
WHOLE, SHORT = 6_000, 1_000
"""Characters up to which escapes are read, and up to which letters spelled apart are joined."""


def views(text: str) -> Iterator[str]:
    """The text in small letters without its disguises, then what it holds encoded or spelled otherwise."""
    plain = _plain(text)
    yield plain
    if not plain.isascii() and _ABROAD.search(plain) and _MIXED.search(plain):
        yield plain.translate(_LOOKALIKES)
    if len(text) <= WHOLE and any(map(plain.__contains__, _ENCODES)):
        for hidden in (
            _encoded(text) if _BLOB in text.encode("utf-8", "replace").translate(_DENSE) else ()
        ):
            yield _plain(hidden)
    if "rot" in plain and _TURNED.search(plain):
        yield codecs.encode(plain, "rot13")
    if len(text) <= SHORT and _SPELLED.find_matches_as_indexes(plain):
        yield _FIGURES.sub(lambda found: found[0].translate(_AS_LETTERS), plain)
    if len(text) <= SHORT and _parted(plain) and (apart := _SPACED.search(plain)) is not None:
        yield _SPACED.sub(lambda found: re.sub(r"[ _.\-]", "", found[0]), plain[apart.start() :])


def _parted(plain: str) -> bool:
    """Whether three letters may stand apart: told at once for most texts, where a pattern is slow."""
    return not plain.isascii() or b"-x-x" in plain.encode("utf-8", "replace").translate(_ALONE)


def _plain(text: str) -> str:
    if not text.isascii():
        if disguises.invisible(text):
            text = disguises.undressed(_TAGS.sub(_untagged, text)).text
        if not unicodedata.is_normalized("NFKC", text):
            text = unicodedata.normalize("NFKC", text)
    if len(text) <= WHOLE and _escaped(text):
        text = disguises.undressed(text).text
    low = text.lower()
    slash, dollar = "\\" in low, "$" in low
    if (dollar and "ifs" in low) or (slash and "\\\n" in low):
        low = _GAPS.sub(" ", low)
    if len(low) <= WHOLE and (slash or "''" in low or '""' in low or (dollar and "$@" in low)):
        low = _SHELL_QUOTES.sub("", low)
    return low


def _escaped(text: str) -> bool:
    return any(first in text and any(s in text for s in signs) for first, signs in _SIGNS)


def _untagged(found: re.Match[str]) -> str:
    return f" {''.join(chr(ord(letter) - 0xE0000) for letter in found[0])} "


def _encoded(text: str) -> Iterator[str]:
    """What stands in a text in base64 or hexadecimal digits, where it reads as a text."""
    for place, found in enumerate(_BASE64.finditer(text)):
        if place >= _MOST_BLOBS:
            break
        with contextlib.suppress(binascii.Error, ValueError):
            raw = base64.b64decode(found[0] + "=" * (-len(found[0]) % 4), validate=True)
            yield from _read(raw)
    for place, found in enumerate(_HEX.finditer(text)):
        if place >= _MOST_BLOBS:
            break
        yield from _read(bytes.fromhex(found[0]))


def _read(raw: bytes) -> Iterator[str]:
    told = raw.decode("utf-8", "replace")
    prints = sum(letter.isprintable() or letter in "\n\t" for letter in told)
    if told and "\ufffd" not in told and prints >= _LEAST_TOLD * len(told):
        yield told
