"""Wordless: what happened within a time, a session, a folder or an expression, asked without words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio.to_thread

from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import State
from mcp_memory.rooms import Rooms
from mcp_memory.search import channels
from mcp_memory.search.candidates import Candidate, ref_of
from mcp_memory.search.channels import Scope
from mcp_memory.text import periods, wording

MOST_ROWS = 500
_ONLY_ASKED = frozenset(
    {"do", "did", "done", "doing", "work", "worked", "working", "happen", "happened", "happening",
     "go", "going", "went", "anything", "something", "everything", "all", "so", "far", "here"}
)  # fmt: skip
"""Words that ask for whatever there was."""
_NEVER = datetime.min.replace(tzinfo=UTC)


async def timed(rooms: Rooms, query: Query) -> Query:
    """The question without words where it only names a time: "what did I do in June"."""
    if len(query.texts) != 1 or not _says_nothing(query.texts[0]):
        return query
    named = await anyio.to_thread.run_sync(
        partial(periods.asked_about, query.texts[0], now=rooms.now())
    )
    if named and query.since is None and query.until is None:
        since = min(period.start for period in named)
        until = max(period.end for period in named) + timedelta(microseconds=1)
        return query.model_copy(update={"texts": (), "since": since, "until": until})
    narrow = query.since or query.until or query.path or query.match or query.within
    return query.model_copy(update={"texts": ()}) if narrow else query


def _says_nothing(text: str) -> bool:
    known = wording.ASKING_WORDS | wording.CALENDAR_WORDS | _ONLY_ASKED
    return all(term.casefold() in known or term.isdigit() for term in wording.terms(text))


async def within(rooms: Rooms, query: Query, scope: Scope) -> list[Candidate]:
    """What a filter holds for, newest first: steps for an expression or a folder, else episodes."""
    if not query.kinds:
        kinds = ("step",) if query.match or query.path else ("episode",)
        query = query.model_copy(update={"kinds": kinds})
    where = channels.where("evidence", query, scope)
    if where is None:
        return []
    rows = await rooms.store.brief(where, limit=MOST_ROWS)
    live = [row for row in rows if row.state == State.LIVE.value]
    live.sort(key=lambda row: (row.at or _NEVER, row.trajectory, row.first), reverse=True)
    return _scored([Candidate(ref_of(row), row, {}, 1.0, None) for row in live])


def _scored(found: Sequence[Candidate]) -> list[Candidate]:
    """A filter holds or does not: all are as sure."""
    return [Candidate(one.ref, one.row, one.why, one.rank, one.similar, score=1.0) for one in found]
