"""Tally: what of a file does not become part of a trajectory, counted by kind or named."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypedDict

from mcp_memory.domain.models import Refusal

STATE = "state of the program, nothing that was said or seen"
REPEATED = "repeats what stands elsewhere in the file"
RECALLED = "a hook's words, which may be memory that was recalled"


class Counts(TypedDict):
    """A tally as the fields of a trajectory."""

    skipped: dict[str, int]
    unknown: dict[str, int]
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class Tally:
    """Kinds that are known and left out, kinds that are not known, and records that are broken."""

    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def keeps(
        self, kind: str, mapped: Collection[str], left_out: Collection[str], *, untyped: str
    ) -> bool:
        """Whether a record of this kind is kept; one that is not is counted, `untyped` if bare."""
        if kind in left_out:
            self.skipped[kind] += 1
        elif kind not in mapped:
            self.unknown[kind[:80] or untyped] += 1
        else:
            return True
        return False

    def counts(self) -> Counts:
        """What was counted so far."""
        return Counts(
            skipped=dict(self.skipped), unknown=dict(self.unknown), refusals=tuple(self.refusals)
        )
