"""Record: what the bank knows of the attempts that bear on a task: their sessions, labels and last words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import anyio
import anyio.to_thread

from mcp_memory.domain import projects
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Episode
from mcp_memory.domain.paths import relative
from mcp_memory.rooms import Rooms
from mcp_memory.search.channels import Scope
from mcp_memory.store.rows import EvidenceRow, SessionRow, Where
from mcp_memory.trajectories import evidence
from mcp_memory.trajectories.entries import Entry

MOST_SESSIONS = 300
"""So many of a project's sessions are asked for their labels, the newest; and those that were found."""
LAST_STEPS = 8
SAID_CHARS = 80
"""Last words that are shorter only close: the ones before them are read with them."""
_WORKTREE = re.compile(r"^(?:[\w.-]+/)?\.?worktrees/[^/]+/")


@dataclass(frozen=True, slots=True)
class Session:
    """A session's labels, and the folders that its paths are told from."""

    entry: Entry
    roots: tuple[str, ...]
    project: str

    def path(self, path: str) -> str:
        """A path as the project names it, the same in each of its worktrees."""
        return _WORKTREE.sub("", relative(path, self.roots))


@dataclass(frozen=True, slots=True)
class Attempt:
    """An episode that bears on a task, with how surely it does and what was last said in it."""

    ref: str
    score: float
    episode: Episode
    session: Session
    paths: tuple[str, ...]
    said: str = ""
    flags: tuple[str, ...] = ()

    @property
    def steps(self) -> range:
        """The numbers of its steps."""
        return range(self.episode.first, self.episode.last + 1)

    @property
    def day(self) -> str:
        """When it began."""
        mine = (one for one in self.session.entry.attempts if one.number == self.episode.number)
        return next((one.day for one in mine), self.session.entry.day)


async def sessions(
    rooms: Rooms, scope: Scope, found: Sequence[str], as_of: datetime | None = None
) -> Mapping[str, Session]:
    """The labels of the newest sessions of the projects asked, and of those that were found.

    `as_of`: only of those that had ended by then.
    """
    wanted = tuple(name for name in scope.projects if name != projects.USER)
    rows = await rooms.store.sessions(projects=wanted, states=("live",)) if wanted else []
    rows = [row for row in rows if as_of is None or (row.ended_at and row.ended_at <= as_of)]
    rows.sort(key=lambda row: (str(row.started_at or ""), row.id), reverse=True)
    kept = {row.id: row for row in rows if row.id in found} | {
        r.id: r for r in rows[:MOST_SESSIONS]
    }
    lost = tuple(id_ for id_ in dict.fromkeys(found) if id_ not in kept)
    if lost:
        kept |= {row.id: row for row in await rooms.store.sessions(ids=lost, states=("live",))}
    return await anyio.to_thread.run_sync(_read, tuple(kept.values()))


async def attempts(
    rooms: Rooms, hits: Sequence[Hit], known: Mapping[str, Session]
) -> tuple[Attempt, ...]:
    """The episodes behind hits, in their order, those of sub-agents left out where others are there."""
    rows = await rooms.store.by_keys("evidence", [hit.ref for hit in hits]) if hits else []
    by_key = {row.key: row for row in rows}
    made: list[Attempt | None] = [None] * len(hits)

    async def one(place: int, hit: Hit, row: EvidenceRow) -> None:
        episode = Episode.model_validate_json(row.body)
        made[place] = Attempt(
            ref=hit.ref,
            score=hit.score,
            episode=episode,
            session=known[row.trajectory],
            paths=row.paths,
            said=await _last_words(rooms, episode),
            flags=row.flags,
        )

    async with anyio.create_task_group() as tasks:
        for place, hit in enumerate(hits):
            row = by_key.get(hit.ref)
            if row is not None and row.trajectory in known:
                tasks.start_soon(one, place, hit, row)
    told = tuple(each for each in made if each is not None)
    return tuple(each for each in told if not each.session.entry.parent) or told


async def _last_words(rooms: Rooms, episode: Episode) -> str:
    """What the agent said last in an episode."""
    where = Where(
        trajectories=(episode.trajectory,),
        kinds=("step",),
        first=max(episode.first, episode.last - LAST_STEPS),
        last=episode.last,
    )
    rows = sorted(await rooms.store.find("evidence", where), key=lambda row: row.first)
    steps = (evidence.step_of(row, {}) for row in reversed(rows))
    said = [step.text for step in steps if step.kind == "agent" and step.text.strip()]
    if not said:
        return ""
    return "\n\n".join(reversed(said[:2])) if len(said[0]) < SAID_CHARS else said[0]


def _read(rows: Sequence[SessionRow]) -> dict[str, Session]:
    return {
        row.id: Session(
            entry=Entry.model_validate_json(row.entry),
            roots=tuple(root for root in (row.project, row.cwd) if root),
            project=row.project,
        )
        for row in rows
        if row.entry
    }
