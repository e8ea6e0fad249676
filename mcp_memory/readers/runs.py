"""Runs: what SWE-agent and mini-SWE-agent write alike: how a run ended, and what a message says."""

from mcp_memory.domain.models import Outcome
from mcp_memory.readers.jsonl import Record, list_at, text_at


def verdict(info: Record, *, handed_in: str) -> tuple[Outcome, str]:
    """What the exit status tells, `handed_in` being the one of a run that was not tested."""
    status = text_at(info, "exit_status")
    if not status:
        return Outcome.UNKNOWN, "no exit status: the run was not finished"
    if status == handed_in:
        return Outcome.UNKNOWN, f"exit status {handed_in}: handed in, not tested"
    return Outcome.FAILURE, f"exit status {status}"


def message_text(message: object) -> str:
    """The text of a message: a string, or the texts of a list of parts."""
    parts = (
        text_at(message, "content"),
        *(text_at(part, "text") for part in list_at(message, "content")),
    )
    return "\n".join(part for part in parts if part)
