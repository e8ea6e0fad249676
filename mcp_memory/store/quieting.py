"""Quieting: only the newest version of a memory has searchable words, and a forgotten one has none.

Word statistics count every row that has words: what is dead would change how the living are ranked,
also after it was undone. The words themselves stay in `body`.
"""

from collections.abc import Sequence

from mcp_memory.store.filters import quoted
from mcp_memory.store.rows import MemoryRow
from mcp_memory.store.tables import Tables
from mcp_memory.store.upkeep import SMALL, WORD_COLUMNS, build_indexes

FORGOTTEN = "forgotten"


async def quieten(tables: Tables, keys: Sequence[str]) -> None:
    """Take the words out of the dead versions of memories, any number of times with one result."""
    columns = ["key", "version", "state"]
    named = ", ".join(map(quoted, dict.fromkeys(keys)))
    asked = f"key IN ({named})"
    rows = await tables.read("memories", lambda q: q.where(asked).select(columns), MemoryRow)
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    dead = [_dead(row) for row in newest.values()]
    if not dead:
        return
    where = f"({' OR '.join(dead)}) AND (text != '' OR context != '')"
    blank = dict.fromkeys(WORD_COLUMNS, "")
    await tables.write(lambda: tables["memories"].update(blank, where=where))
    if await tables.attempt(tables["memories"].count_rows) < SMALL:
        # An index goes on counting what left the table until it is built anew.
        await build_indexes(tables, "memories", anew=True)


def _dead(newest: MemoryRow) -> str:
    """The condition of a memory's dead rows."""
    own = f"key = {quoted(newest.key)}"
    return own if newest.state == FORGOTTEN else f"({own} AND version < {newest.version})"
