"""Exports: the conversations of a service's data export, one after the other, each with its talk begun."""

from collections.abc import Callable, Iterator
from pathlib import Path

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.jsonl import Record, read_json
from mcp_memory.readers.talk import Talk


def conversations(
    path: Path, is_one: Callable[[Record], bool]
) -> Iterator[tuple[int, Record, Talk]]:
    """Place, record and talk of each; what is none is a refusal of the next."""
    refusals: list[Refusal] = []
    held = read_json(path, refusals)
    for place, record in enumerate(held if isinstance(held, list) else [held]):
        if not isinstance(record, dict) or not is_one(record):
            refusals.append(Refusal(where=f"conversation {place + 1}", reason="not one"))
            continue
        talk = Talk()
        talk.tally.refusals += refusals
        refusals = []
        yield place, record, talk
