"""Doctor: every subject looked at, and mended in the order in which one rests on another."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mcp_memory.checkup import (
    archive,
    disk,
    hosts,
    indexes,
    ledger,
    leftovers,
    modes,
    purges,
    records,
)
from mcp_memory.checkup.findings import Finding
from mcp_memory.rooms import Rooms

Look = Callable[[Rooms], Awaitable[list[Finding]]]
Mend = Callable[[Rooms], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of a checkup."""

    look: Look
    mend: Mend


SUBJECTS: Sequence[Subject] = (
    Subject(modes.look, modes.mend),
    Subject(ledger.look, ledger.mend),
    Subject(records.look, records.mend),
    Subject(purges.look, purges.mend),
    Subject(archive.look, archive.mend),
    Subject(leftovers.look, leftovers.mend),
    Subject(indexes.look, indexes.mend),
    Subject(disk.look, disk.mend),
    Subject(hosts.look, hosts.mend),
)
"""Rows before what is made of them, and files last: mending leaves some behind."""


async def check(rooms: Rooms) -> list[Finding]:
    """Look at everything; nothing is changed."""
    return [found for subject in SUBJECTS for found in await subject.look(rooms)]


async def repair(rooms: Rooms) -> list[str]:
    """Mend what can be mended, and say what was done.

    Raises:
        Busy: another process indexes or keeps the store in order just now.
    """
    return [done for subject in SUBJECTS for done in await subject.mend(rooms)]
