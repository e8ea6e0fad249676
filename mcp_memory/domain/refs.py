"""Refs: the short stable names of memories, episodes and spans of steps, and how they are made."""

import hashlib
import re
from typing import Literal

import orjson

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Frozen

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 12
_PATTERN = re.compile(
    r"(?P<kind>[metob]):(?P<id>[0-9a-hjkmnp-tv-z]{12})"
    r"(?:\.(?P<number>[1-9]\d{0,8}))?"
    r"(?:#(?P<first>[1-9]\d{0,8})(?:-(?P<last>[1-9]\d{0,8}))?)?"
    r"(?:@(?P<offset>\d{1,9}))?"
)

RefKind = Literal["memory", "episode", "trajectory", "output", "batch"]
_KINDS: dict[str, RefKind] = {
    "m": "memory",
    "e": "episode",
    "t": "trajectory",
    "o": "output",
    "b": "batch",
}


class Ref(Frozen):
    """A parsed ref; `first`/`last` are step numbers, inclusive, counted from 1."""

    kind: RefKind
    id: str
    number: int | None = None
    first: int | None = None
    last: int | None = None
    offset: int | None = None
    """Of one step, output or memory: the character to read on from, counted from 0."""

    def __str__(self) -> str:
        """The spelling that `parse` reads back."""
        text = f"{self.kind[0]}:{self.id}"
        if self.number is not None:
            text += f".{self.number}"
        if self.first is not None:
            text += f"#{self.first}"
            if self.last is not None and self.last != self.first:
                text += f"-{self.last}"
        if self.offset is not None:
            text += f"@{self.offset}"
        return text


def short_hash(*parts: str) -> str:
    """Twelve base-32 letters (60 bits) of the SHA-256 over the parts, unambiguous at their seams."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    number = int.from_bytes(digest.digest()[:8], "big") >> 4
    return "".join(_ALPHABET[(number >> (5 * i)) & 31] for i in reversed(range(_ID_LENGTH)))


def digest(value: object) -> str:
    """SHA-256 over plain values, as hexadecimal; the order of an object's keys does not count."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def short_digest(value: object) -> str:
    """The first 64 bits of `digest`, for what is compared and never a name."""
    return digest(value)[:16]


def trajectory_id(format_: str, native_id: str) -> str:
    """The id of a session: the same wherever its file lies."""
    return short_hash("trajectory", format_, native_id)


def parse(text: str) -> Ref:
    """Read a ref as a tool or a person wrote it.

    Raises:
        InvalidInput: it is not spelled like a ref.
    """
    match = _PATTERN.fullmatch(text.strip().strip("`[]()<>\"'"))
    ref = None if match is None else _ref(match)
    if ref is None:
        raise InvalidInput(
            f"{text[:80]!r} is not a ref.",
            next_step="Refs look like m:…, e:….2, t:…#12-15 or t:…#12@4000; take one from `search`.",
        )
    return ref


def _ref(match: re.Match[str]) -> Ref | None:
    kind = _KINDS[match["kind"]]
    number, first, last, offset = (
        int(match[name]) if match[name] else None for name in ("number", "first", "last", "offset")
    )
    if (kind == "episode") != (number is not None and first is None):
        return None
    if kind != "trajectory" and first is not None:
        return None
    if first is not None and last is not None and last < first:
        return None
    whole = kind in ("output", "memory") or (first is not None and last is None)
    if offset is not None and not whole:
        return None
    return Ref(kind=kind, id=match["id"], number=number, first=first, last=last, offset=offset)


def session_of(key: str) -> str:
    """The trajectory that a step or an episode is of, by its ref; empty for any other."""
    return key[2:].partition("#")[0].partition(".")[0] if key[:2] in ("t:", "e:") else ""


def span(trajectory: str, first: int, last: int | None = None) -> str:
    """`t:…#first-last` of a trajectory id."""
    return f"t:{trajectory}#{first}" if last in (None, first) else f"t:{trajectory}#{first}-{last}"


def episode(trajectory: str, number: int) -> str:
    """`e:….number` of a trajectory id."""
    return str(Ref(kind="episode", id=trajectory, number=number))
