"""Overtaken: which values that a record tells were given another by a later record of its project."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

MOST_READ, MOST_TOLD = 8_000, 2
_VALUE = re.compile(
    r"(?<![\w.])(?P<name>[A-Za-z_][\w.-]{3,60})[ \t]{0,20}(?::=|=(?!=)|:(?=[ \t\"']))[ \t]{0,4}"
    r"(?P<value>\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'|[\w./*+-]*\d[\w./*+ -]{0,20}|true|false)"
)
"""`name = value`, where the value has a digit, or is quoted, or says yes or no.

A colon that tells a value has a blank or a quotation mark after it: `versions.go:51` is a place.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a record: where and when it stands, and what it says."""

    ref: str
    project: str
    session: str
    step: int
    at: datetime | None
    text: str


def later(told: str, of: Record, others: Iterable[Record]) -> tuple[str, ...]:
    """To values that a text tells, the newest other value in a later record, as `ref name = value`."""
    mine = values(told)
    if not mine:
        return ()
    found: dict[str, tuple[Record, str]] = {}
    for other in others:
        if other.project != of.project or not _after(of, other):
            continue
        for name, value in values(other.text).items():
            if name in mine and _differs(mine[name], value):
                known = found.get(name)
                if known is None or _after(known[0], other):
                    found[name] = (other, value)
    newest: Sequence[tuple[str, tuple[Record, str]]] = sorted(found.items())
    return tuple(f"{one.ref} {name} = {value}" for name, (one, value) in newest)[:MOST_TOLD]


def values(text: str) -> Mapping[str, str]:
    """Names with the last value that a text gives them."""
    return dict(_said(text[:MOST_READ]))


def _said(text: str) -> Iterator[tuple[str, str]]:
    for match in _VALUE.finditer(text):
        yield match["name"], match["value"].strip()


def _differs(one: str, other: str) -> bool:
    return _plain(one) != _plain(other)


def _plain(value: str) -> str:
    return re.sub(r"[\s_,\"']", "", value).casefold()


def _after(one: Record, other: Record) -> bool:
    if one.session == other.session:
        return other.step > one.step
    return one.at is not None and other.at is not None and other.at > one.at
