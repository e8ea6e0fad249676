"""Stored: the sessions of a host's database; what is damaged costs only what lies behind it, and is named."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from mcp_memory.domain.models import Refusal, Trajectory
from mcp_memory.readers.database import DAMAGED, InUse, opened
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.tally import Tally


def sessions(
    path: Path, format_: str, read: Callable[[sqlite3.Connection], Iterator[Trajectory]]
) -> Iterator[Trajectory]:
    """What `read` makes of an open database; damage ends it with a session that only says so.

    Raises:
        InUse: its host holds it locked.
    """
    try:
        with opened(path) as base:
            yield from read(base)
    except InUse:
        raise
    except DAMAGED as error:
        tally = Tally(refusals=[Refusal(where="database", reason=str(error))])
        yield Talk(tally=tally).trajectory(format_, content_id(path=path))
