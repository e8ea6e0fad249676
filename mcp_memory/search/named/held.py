"""Held: the sessions of a project with what the archive's indexes say of each, newest first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from typing import NamedTuple

import anyio.to_thread

from mcp_memory.domain import projects, refs
from mcp_memory.domain.models import Frozen, State
from mcp_memory.rooms import Rooms
from mcp_memory.search.channels import scope_of
from mcp_memory.store.rows import SessionRow
from mcp_memory.text import wording
from mcp_memory.trajectories.changes import Changed
from mcp_memory.trajectories.entries import Attempt, Entry

_NEVER = datetime.min.replace(tzinfo=UTC)
_PARTS = re.compile(r"[/\\]+")


class Change(Frozen):
    """One change of a file: what was taken out, what was put in."""

    ref: str
    old: str = ""
    new: str = ""
    undone: str = ""
    """The step that took it back."""


@dataclass(frozen=True, slots=True)
class Held:
    """One session: its row, and its entry in the indexes."""

    row: SessionRow
    entry: Entry

    @property
    def at(self) -> datetime | None:
        """When it ended, as far as is known."""
        return self.row.ended_at or self.row.started_at

    @property
    def project(self) -> str:
        """The last folder of its project."""
        return projects.pure_path(self.row.project).name or self.row.project

    def span(self, first: int, last: int | None = None) -> str:
        """A ref to some of its steps."""
        return refs.span(self.row.id, first, last)

    def attempt(self, step: int) -> Attempt | None:
        """The attempt that a step belongs to."""
        return next((one for one in self.entry.attempts if one.first <= step <= one.last), None)

    def why(self, step: int) -> str:
        """What was asked for where a step was taken."""
        attempt = self.attempt(step)
        return attempt.goal if attempt else self.entry.goal

    def change(self, change: Changed) -> Change:
        """What a step did to a file, with its ref."""
        undone = self.span(change.undone) if change.undone else ""
        return Change(ref=self.span(change.step), old=change.old, new=change.new, undone=undone)


class Sessions(NamedTuple):
    """The live sessions of the projects that answer, newest first, and what is to be said of the choice."""

    all: Sequence[Held]
    notes: tuple[str, ...] = ()


async def held(rooms: Rooms, project: str | None) -> Sessions:
    """The sessions that answer for a project; of the one that the caller stands in by default."""
    scope = await scope_of(rooms, project)
    rows = await rooms.store.sessions(projects=scope.projects, states=(State.LIVE.value,))
    trusting = rooms.trusting()
    rows = [row for row in rows if not trusting.distrusts((f"t:{row.id}",))]
    return Sessions(await anyio.to_thread.run_sync(_read, rows), scope.notes)


def _read(rows: Iterable[SessionRow]) -> list[Held]:
    made = [Held(row, Entry.model_validate_json(row.entry)) for row in rows if row.entry]
    return sorted(made, key=lambda one: (one.at or _NEVER, one.row.id), reverse=True)


def parts_of(path: str) -> tuple[str, ...]:
    """The folders and the name of a path, as they are compared."""
    return tuple(part for part in _PARTS.split(path) if part not in ("", "."))


def same_file(asked: tuple[str, ...], name: tuple[str, ...]) -> bool:
    """Whether two spellings may mean one file: the shorter ends the longer."""
    least = min(len(asked), len(name))
    return least > 0 and asked[-least:] == name[-least:]


def rarities(words: Iterable[str], texts: Iterable[str]) -> Mapping[str, float]:
    """How much each word of a question tells, by how few of the texts have it; 0 where none has."""
    wanted = dict.fromkeys(words)
    lowered = [text.casefold() for text in texts]
    found = {one: sum(wording.held(one.casefold(), text) > 0 for text in lowered) for one in wanted}
    return {one: log(1 + len(lowered) / count) if count else 0.0 for one, count in found.items()}


def share(told: Mapping[str, float], text: str) -> float:
    """How much of a question's words a text holds, 0 to 1, rare ones counting more."""
    whole = sum(told.values())
    low = text.casefold()
    has = sum(much * wording.held(word.casefold(), low) for word, much in told.items() if much)
    return has / whole if whole else 0.0
