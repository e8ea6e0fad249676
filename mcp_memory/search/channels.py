"""Channels: what each way of looking finds for a question, in every table that may answer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import anyio

from mcp_memory.domain import projects, refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.rooms import Rooms
from mcp_memory.search import expressions, spans
from mcp_memory.store.rows import Found, Look, Table, Where
from mcp_memory.text import wording
from mcp_memory.trajectories import marks

DEPTH = 200
"""How deep each channel is read: sums need depth."""
MOST_NAMED = 20
"""So many projects are named, by their folders, where one is asked for that is not known."""
NO_HISTORY, KNOWN = "No history of ", "; known: "
"""How a note begins and goes on that says that a project is not known here."""
LEXICAL: Mapping[str, str] = {"words": "text", "context": "context", "identifiers": "identifiers"}
TABLES: tuple[Table, ...] = ("evidence", "memories")
EVIDENCE_KINDS = ("step", "episode", "output")
Heard = dict[str, list[Found]]
"""Channel to what it found."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records may answer."""

    projects: tuple[str, ...]
    notes: tuple[str, ...] = ()
    session: str = ""
    first: int | None = None
    last: int | None = None


async def narrowed(rooms: Rooms, query: Query) -> Scope:
    """The scope of a question that may name a session or an episode besides.

    Raises:
        InvalidInput: what it names is neither.
        UnknownRef: there is no such session or episode.
    """
    scope = await scope_of(rooms, query.project)
    if not query.within:
        return scope
    ref = refs.parse(query.within)
    if ref.kind not in ("trajectory", "episode"):
        raise InvalidInput(
            f"{query.within} is neither a session nor an episode.",
            next_step="Give t:… or e:… as search returned it.",
        )
    first, last = await spans.bounds(rooms, ref)
    whole = ref.kind == "trajectory" and ref.first is None
    return replace(
        scope, session=ref.id, first=None if whole else first, last=None if whole else last
    )


async def scope_of(rooms: Rooms, asked: str | None) -> Scope:
    """The projects that answer: what is asked for and `user`; an unknown or a doubtful name is said."""
    asked = asked or rooms.project
    if asked == projects.EVERY:
        return Scope(())
    known = await rooms.store.projects()
    wanted, doubt = projects.answering(rooms.identities().asked(asked), known, rooms.project)
    if wanted:
        return Scope(tuple(dict.fromkeys((*wanted, projects.USER))), (doubt,) if doubt else ())
    largest = sorted(known, key=lambda name: (-known[name], name))
    named = list(dict.fromkeys(map(projects.folder_of, largest)))
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    some = ", ".join(named[:MOST_NAMED]) + more or "none yet"
    note = f"{NO_HISTORY}{asked}{KNOWN}{some}. project='*' asks them all."
    return Scope((asked, projects.USER), (note,))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as the channels take it."""

    words: str
    vector: tuple[float, ...] | None
    marks: tuple[str, ...]


async def heard(rooms: Rooms, text: str, query: Query, scope: Scope) -> Mapping[Table, Heard]:
    """All channels at once, by table; one that weighs nothing or has nothing to look for is silent."""
    asked = _Asked(
        wording.content_words(text),
        await rooms.query_vector(text) if rooms.weights["vectors"] else None,
        marks.asked(text) if rooms.weights["links"] else (),
    )
    found: dict[Table, Heard] = {table: {} for table in TABLES}
    async with anyio.create_task_group() as tasks:
        for table in TABLES:
            filtered = where(table, query, scope)
            if filtered is not None and await rooms.store.holds(table):
                tasks.start_soon(_listen, rooms, asked, table, filtered, found[table])
    return found


async def _listen(rooms: Rooms, asked: _Asked, table: Table, where: Where, into: Heard) -> None:
    async def tied() -> None:
        # How long a record is does not matter to what it changed: each mark counts the same.
        counts: Counter[str] = Counter()
        for mark in asked.marks:
            rows = await rooms.store.by_words(
                table, mark, column="identifiers", where=where, limit=DEPTH
            )
            counts.update(row.key for row in rows)
        into["links"] = [Found(key, count) for key, count in counts.items()]

    looks = {
        channel: Look(words=asked.words, column=column)
        for channel, column in LEXICAL.items()
        if rooms.weights[channel]
    }
    if asked.vector is not None:
        looks["vectors"] = Look(vector=asked.vector)
    async with anyio.create_task_group() as tasks:
        if asked.marks and table == "evidence":
            tasks.start_soon(tied)
        into.update(await rooms.store.by_each(table, looks, where=where, limit=DEPTH))


def _until(query: Query) -> datetime | None:
    """Evidence is of then where something is asked as of a moment; memories say themselves when."""
    ends = [at for at in (query.until, query.as_of) if at is not None]
    return min(ends, key=lambda at: at.timestamp(), default=None)


def where(table: Table, query: Query, scope: Scope) -> Where | None:
    """The filter of a question over a table; None where nothing of the table can answer."""
    if table == "evidence":
        kinds: tuple[str, ...] = tuple(k for k in query.kinds if k in EVIDENCE_KINDS)
        kinds += ("output",) if "step" in kinds else ()
    else:
        kinds = tuple(kind for kind in query.kinds if kind not in EVIDENCE_KINDS)
    if query.kinds and not kinds:
        return None
    if table == "memories" and (query.outcome is not None or scope.session):
        return None
    return Where(
        kinds=kinds,
        projects=scope.projects,
        outcomes=(query.outcome.value,) if query.outcome else (),
        since=query.since,
        until=_until(query) if table == "evidence" else query.until,
        trajectories=(scope.session,) if scope.session else (),
        first=scope.first,
        last=scope.last,
        below=query.path,
        matches=expressions.stored(query.match),
        states=("live",) if table == "evidence" else ("live", "superseded"),
    )
