"""Findings: what a doctor saw, whether it is well, and what to do where it is not."""

from dataclasses import dataclass
from typing import Literal

Subject = Literal[
    "store", "ledger", "purges", "records", "archive", "files", "indexes", "disk", "modes", "hosts"
]
REPAIR = "`mcp-memory doctor --repair` mends it."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: Subject
    what: str
    good: bool
    advice: str = ""
    """What to do; empty where it is well."""


def well(subject: Subject, what: str) -> Finding:
    """Something that is as it should be."""
    return Finding(subject, what, good=True)


def ill(subject: Subject, what: str, advice: str = REPAIR) -> Finding:
    """Something that is not."""
    return Finding(subject, what, good=False, advice=advice)


def named(refs: list[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(refs) - most} more" if len(refs) > most else ""
    return ", ".join(refs[:most]) + more
