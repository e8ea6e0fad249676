"""The runbook: instructions for one task, put together from hits; only its labels are its own."""

from collections.abc import Mapping, Sequence

from mcp_memory.models import Frozen, Hit, Outcome, Runbook


class Sighting(Frozen):
    """Where history had an identifier."""

    seen: int = 0
    """Records that hold it, superseded memories not counted."""
    superseded: tuple[str, ...] = ()
    """Refs of superseded memories that hold it."""
    last_ref: str = ""
    """The newest record that holds it."""
    last_outcome: Outcome = Outcome.UNKNOWN


def assemble(  # noqa: PLR0913 a runbook is made of all that was found for its task
    task: str,
    *,
    memories: Sequence[Hit],
    episodes: Sequence[Hit],
    steps: Sequence[Hit],
    premises: Sequence[str] = (),
    places: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    budget_tokens: int = 2000,
) -> Runbook:
    """A runbook within the budget, most important first; every line ends with its ref.

    `places`: archive paths to grep, each with its ref.
    """
    raise NotImplementedError


def premises(names: Sequence[str], seen: Mapping[str, Sighting]) -> tuple[str, ...]:
    """What a task's identifiers take for granted and history does not bear out.

    Names that are plain words, and names without a sighting in `seen`, are passed over.
    """
    raise NotImplementedError
