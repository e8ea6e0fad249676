"""Secret values: whether what stands beside a telling name is a secret, or code, prose, a known id."""

import math
import re
import string
from collections import Counter
from itertools import pairwise
from zlib import crc32

LEAST_LETTERS, LEAST_BARE, LEAST_BITS = 4, 6, 2.2
"""A judged value has so many different letters, length without quotes, bits a letter."""
LEAST_RANDOM = 3.0
"""Bits a letter of a value that is told by being random."""
WORDY = 0.72
"""Share of a value's letters and digits in words, from which on it is a name and no secret."""

LEAST_WORD = 3
JUDGED = 120
"""So much of a value is judged."""

LEAST_COUNTED, LEAST_COUNTED_HEX, LEAST_DIGITS = 6, 7, 20
"""So far counts one of ten million keys of 40 random letters, and of 64 hexadecimal digits one of a
hundred thousand; none of letters has so many digits alone."""
_BEGINNING = re.compile(r"^(?:[A-Za-z][A-Za-z0-9]*[_\-])+")
_LETTERED = re.compile(r"(?<![A-Za-z0-9])(?=\d*[A-Za-z])[A-Za-z0-9]+")
_SHOWN = re.compile(r"EXAMPLE|x{8}|X{8}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

_NOT_A_VALUE = re.compile(
    r"(?<![A-Za-z0-9])(?:\$[A-Za-z_]|%[A-Z])|\$[({]|%[({]|\{\{|<[a-z]|\.\.\.|…|\*{3}|x{4}|X{4}|\[masked:|(?i:example|placeholder|changeme|"
    r"change_me|your[_\-]|redacted|masked|dummy|environ|getenv|process\.|secrets?\.|config\.|settings\.|"
    r"args\.|self\.|this\.|^null|^none$|undefined|true$|false$)"
)
_CODE = re.compile(
    r"[A-Za-z_][\w.]*\(|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^\.{0,2}/|^~/|^[A-Za-z]:\\|^https?://[^:@]*$|"
    r"^[A-Za-z_]\w*\[|^[A-Za-z_]\w*(?:::|->)|^[&*!]?[a-z_]\w*\.\w|^refs/|^[+\-]?\d+:|^\d{1,6}-[a-z]|^[\w./\-]+\.\w{1,5}:\d"
)
_PUBLIC = re.compile(
    r"(?:sha\d+[:\-])[A-Za-z0-9+/=]+|[0-9a-f]{7,15}|[0-7][0-9A-HJKMNP-TV-Z]{25}|"
    r"[+\-]?\d+(?:[.,:_\-/]\d+)*(?:[eE][+\-]?\d+)?[a-zA-Z%]{0,2}|0x[0-9a-fA-F]{1,16}|h1:.*|"
    r"\d{4}-\d\d-\d\d[T ].*"
)
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_WORDS = re.compile(
    r"[a-z]+(?:[_\-.=][a-z]+)+|[A-Z]+(?:[_\-][A-Z]+)+|(?i:password|secret|token)\d?"
)
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_NAME_OF_OTHER = re.compile(
    r"(?i)(?:[_\-.]?(?:id|ids|name|file|path|url|uri|endpoint|count|type|kind|length|limit|rounds|iterations|budget|size|usage|"
    r"expir\w*|expires?_?in|ttl|field|header|prefix|regex|pattern|tests?|policy|store|dir|env|source|ref|scope|"
    r"label|column|class|manager|provider|version|status|state|index|izer|ized|ization|tokens|details|used|"
    r"window|rate|cost|price|format)|(?<=token)s)$"
)
_LETTERS_BEFORE_VALUE = re.compile(r"[\w.\-]*")


def looks_secret(value: str, name: str, *, quoted: bool, password: bool) -> bool:
    """Whether a value is a secret, given the name beside it and whether that one means a password."""
    if not quoted and (len(value) < LEAST_BARE or not _mixed(value)):
        return False
    value = value[:JUDGED]
    if _NOT_A_VALUE.search(value) or _CODE.search(value) or _PUBLIC.fullmatch(value):
        return False
    if " " in value.strip() or len(set(value)) < LEAST_LETTERS or other_name(name):
        return False
    if wordy(value, least=2 if password else 1):
        return False
    return _varied(value)


def looks_random(value: str) -> bool:
    """Whether a value is made of letters that no one would choose."""
    value = value[:JUDGED]
    if not _mixed(value) or _NOT_A_VALUE.search(value):
        return False
    return (
        not _CODE.search(value)
        and not _PUBLIC.fullmatch(value)
        and not wordy(value, least=1)
        and _bits(value) >= min(LEAST_RANDOM, math.log2(len(value)) * 0.7)
    )


def made_up(key: str) -> bool:
    """Whether a provider's key shows the hand that wrote it as an example: no generator makes such.

    It counts up or down for a while, has digits only where letters are meant, trails off in `xxxx`,
    or says EXAMPLE, as those do that providers print in their manuals. What bears its provider's own
    checksum is a key, however it looks.
    """
    body = _BEGINNING.sub("", key)
    digits = len(body) >= LEAST_DIGITS and body.isdecimal()
    # A part of digits alone is the number of a team or an app, not the secret.
    shown = digits or _SHOWN.search(body) or any(map(_counted, _LETTERED.findall(body)))
    return bool(shown) and not _checked(key)


def _counted(value: str) -> bool:
    """Whether so many letters or digits follow each other in order, as in `012345` or `fedcba`."""
    least = LEAST_COUNTED_HEX if _HEX.fullmatch(value) else LEAST_COUNTED
    steps = [ord(b) - ord(a) for a, b in pairwise(value)]
    run = last = 0
    for place, step in enumerate(steps):
        in_order = step in (1, -1) and value[place].isalnum() and value[place + 1].isalnum()
        run = (run + 1 if step == last else 1) if in_order else 0
        last = step
        if run >= least - 1:
            return True
    return False


def _checked(key: str) -> bool:
    """Whether the last six letters are the checksum of those before, as GitHub's and npm's are."""
    body = key.rpartition("_")[2]
    number, told = crc32(body[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        told = _BASE62[digit] + told
    return body[-6:] == told


def other_name(name: str) -> bool:
    """Whether a name says that its value is about a secret and not one: `token_count`, `secret.go`."""
    told = _LETTERS_BEFORE_VALUE.match(name)
    return bool(told and _NAME_OF_OTHER.search(told[0]))


def wordy(value: str, *, least: int) -> bool:
    """Whether a value is a name: made of words, at least so many of them."""
    pieces = _PIECES.findall(value)
    words = [
        piece
        for piece in pieces
        if len(piece) >= LEAST_WORD and piece.isalpha() and _VOWEL.search(piece)
    ]
    letters = sum(map(len, pieces))
    return len(words) >= least and letters > 0 and sum(map(len, words)) / letters >= WORDY


def _mixed(value: str) -> bool:
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _varied(value: str) -> bool:
    if value.isalpha() and (value.islower() or value.isupper() or value.istitle()):
        return False
    if _WORDS.fullmatch(value):
        return False
    return _bits(value) >= LEAST_BITS or _mixed(value)


def _bits(value: str) -> float:
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
