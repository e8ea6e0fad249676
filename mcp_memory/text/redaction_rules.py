"""Redaction rules: what a rule is, and one for each provider's keys."""

import re
from dataclasses import dataclass
from typing import Literal

from mcp_memory.text.provider_keys import LOOSE, STRONG

RULES_VERSION = 5
"""Raised when a rule changes, so that histories are masked anew."""

Judged = Literal["", "random", "named", "password"]
"""What a value must look like besides: random letters, a secret beside its name, a password."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret; its pattern is tried only where one of its `starts` stands.

    The group `secret` (or `bare`) of the pattern is masked, or the whole match where there is none.
    """

    family: str
    starts: tuple[str, ...]
    pattern: re.Pattern[str]
    folded: bool = False
    """Whether `starts` are lower-case and meant in any case."""
    judged: Judged = ""
    edge: bool = False
    """Whether it begins a word."""
    after: bool = False
    """Whether the pattern is tried behind the start, and not from it."""
    back: int = 0
    """So many characters before its start the secret begins."""
    before: re.Pattern[str] | None = None
    """What must end just before the start."""
    reach: int = 2_600
    """How many characters after its start the secret may take."""

    @property
    def key(self) -> bool:
        """Whether it is a provider's key, known by its own letters."""
        return self.after and self.edge


def mark(
    family: str,
    starts: str,
    pattern: str,
    judged: Judged = "",
    *,
    reach: int = 2_600,
    edge: bool = False,
) -> Rule:
    """A rule whose starts, told apart by `|`, are meant as they are written."""
    told = tuple(starts.split("|"))
    return Rule(family, told, re.compile(pattern), judged=judged, reach=reach, edge=edge)


def place(family: str, starts: str, pattern: str, judged: Judged = "named") -> Rule:
    """A rule whose starts, in small letters and told apart by `|`, are meant in any case."""
    return Rule(family, tuple(starts.split("|")), re.compile(pattern), folded=True, judged=judged)


_CLASSES = {
    "C": "[A-Za-z0-9]",
    "W": r"[A-Za-z0-9_\-]",
    "X": "[0-9a-fA-F]",
    "B": r"[A-Za-z0-9+/=_\-]",
}
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_SHORT = re.compile(r"<([CWXB])(\d{1,3})>")


def _expanded(pattern: str) -> re.Pattern[str]:
    said = _SHORT.sub(lambda m: f"{_CLASSES[m[1]]}{{{m[2]},2000}}", pattern)
    return re.compile(f"(?:{said.replace('<U>', _UUID)})(?![A-Za-z0-9])")


def _keys(rows: tuple[tuple[str, str, str], ...], judged: Judged = "") -> tuple[Rule, ...]:
    return tuple(
        Rule(
            family,
            tuple(starts.split()),
            _expanded(follows),
            judged=judged,
            edge=True,
            after=True,
        )
        for family, starts, follows in rows
    )


KEYS: tuple[Rule, ...] = (*_keys(STRONG), *_keys(LOOSE, "random"))
"""A rule for each row of the table of providers."""
