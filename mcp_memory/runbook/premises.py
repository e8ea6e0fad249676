"""Premises: what a task takes for granted, and history does not bear out."""

from collections.abc import Mapping, Sequence

from mcp_memory.domain.models import Frozen, Outcome
from mcp_memory.text import identifiers


class Sighting(Frozen):
    """Where history had an identifier."""

    seen: int = 0
    """Records that hold it, superseded memories not counted."""
    superseded: tuple[str, ...] = ()
    """Refs of superseded memories that hold it."""
    last_ref: str = ""
    """The newest record that holds it."""
    last_outcome: Outcome = Outcome.UNKNOWN


def doubts(names: Sequence[str], seen: Mapping[str, Sighting]) -> tuple[str, ...]:
    """What a task's identifiers take for granted and history does not bear out.

    Names that are plain words, and names without a sighting in `seen`, are passed over.
    """
    told = (
        _doubt(name, seen[name])
        for name in dict.fromkeys(names)
        if name in seen and identifiers.is_name(name)
    )
    return tuple(doubt for doubt in told if doubt)


def _doubt(name: str, sighting: Sighting) -> str:
    if not sighting.seen and sighting.superseded:
        return f"{name}: only in superseded memories {' '.join(sighting.superseded)}"
    if not sighting.seen:
        return f"{name}: nowhere in recorded history"
    return ""
