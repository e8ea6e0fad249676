"""Pacing: after a long round of upkeep a table rests, so that most of the time is left for answers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mcp_memory.store.rows import Table

LONG_SECONDS = 2.0
RESTS = 9.0
"""So many times as long as its last round: upkeep takes a tenth of the time of a bank that is written to.

A round writes every word index anew, 19 s at a million rows, and 400 rows are reason enough for one.
"""
MOST_WAITING = 5_000
"""Rows that no index holds and that no rest outweighs: each costs a search 65 us."""


@dataclass(slots=True)
class Pacing:
    """When the tables of one process may be seen to again."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[Table, float] = field(default_factory=dict)

    def rests(self, table: Table, unindexed: int) -> bool:
        """Whether its last round took so long, and ended so lately, that the next one can wait."""
        return unindexed <= MOST_WAITING and self.clock() < self._until.get(table, 0.0)

    @contextmanager
    def round(self, table: Table) -> Iterator[None]:
        """A round over a table, whose time is taken."""
        began = self.clock()
        yield
        ended = self.clock()
        if ended - began >= LONG_SECONDS:
            self._until[table] = ended + RESTS * (ended - began)
