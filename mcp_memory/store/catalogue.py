"""The catalogue: every session's identity, and in memory its project and folder."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.store.filters import to_sql
from mcp_memory.store.rows import SessionRow, Where, sender_of
from mcp_memory.store.tables import Tables

STAMPED = (
    "id",
    "format",
    "project",
    "source_path",
    "size",
    "mtime_ns",
    "fingerprint",
    "folder",
    "state",
    "steps",
    "hidden",
    "parent",
    "origin",
    "marks",
    "started_at",
    "ended_at",
)


async def stamped(tables: Tables) -> list[SessionRow]:
    """Every session's identity, stamp and state, without texts."""
    rows = await tables.read("sessions", lambda q: q.select(list(STAMPED)), SessionRow)
    return list({row.id: row for row in rows}.values())


OUTLINE = (
    *("id", "format", "project", "cwd", "title", "goal", "outcome", "steps", "started_at"),
    *("ended_at", "folder", "parent", "state"),
)


ENTERED = (*OUTLINE, "native_id", "entry")
MOST_SESSIONS = 200
"""Whose entries are read at a time: of 1,877 sessions at once they took 120 MB."""


async def outlined(
    tables: Tables, where: Where, columns: Sequence[str] = OUTLINE
) -> list[SessionRow]:
    """What the catalogue says of sessions, without the entries of the archive's indexes."""
    condition = to_sql("sessions", where)
    rows = await tables.read(
        "sessions",
        lambda q: (q.where(condition) if condition else q).select(list(columns)),
        SessionRow,
    )
    return list({row.id: row for row in rows}.values())


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a session belongs."""

    project: str
    folder: str
    comes_from: str
    """Who brought it; else the session that started it, or that it goes on from; empty for none."""


class Catalogue:
    """Where sessions belong; read anew once any process has changed their table.

    Every search asks for it, and 1,000 sessions take 5 ms to read; the version is known in 0.1.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._version = -1
        self._placed: Mapping[str, Placed] = {}

    async def projects(self) -> dict[str, int]:
        """Projects with their numbers of sessions."""
        return Counter(each.project for each in (await self._current()).values())

    async def entered(self, projects: Iterable[str]) -> AsyncIterator[dict[str, list[SessionRow]]]:
        """Live sessions by project with what indexes and digests are made from, some at a time.

        A project is told whole, and one without sessions too.
        """
        for some in _some(sorted(set(projects)), await self.projects()):
            rows = await outlined(self._tables, Where(projects=some), ENTERED)
            told: dict[str, list[SessionRow]] = {project: [] for project in some}
            for row in rows:
                told[row.project].append(row)
            yield told

    async def folders(self, ids: Iterable[str]) -> dict[str, str]:
        """The archive folders of those sessions that are known."""
        placed = await self._current()
        return {one: placed[one].folder for one in ids if one in placed}

    async def links(self) -> dict[str, str]:
        """Each session to the one that it comes from, or to its sender; empty for none."""
        return {id_: placed.comes_from for id_, placed in (await self._current()).items()}

    async def _current(self) -> Mapping[str, Placed]:
        version = await self._tables.attempt(self._tables["sessions"].version)
        if version != self._version:
            columns = ["id", "project", "folder", "parent", "origin", "source_path"]
            rows = await self._tables.read("sessions", lambda q: q.select(columns), SessionRow)
            self._placed = {
                row.id: Placed(
                    row.project, row.folder, sender_of(row.source_path) or row.parent or row.origin
                )
                for row in rows
            }
            # What was written since is read the next time: the version is the one before.
            self._version = version
        return self._placed


def _some(projects: Sequence[str], sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Projects in their order, so many together as have not too many sessions."""
    some: list[str] = []
    sessions = 0
    for project in projects:
        if some and sessions + sizes.get(project, 0) > MOST_SESSIONS:
            yield tuple(some)
            some, sessions = [], 0
        some.append(project)
        sessions += sizes.get(project, 0)
    if some:
        yield tuple(some)
