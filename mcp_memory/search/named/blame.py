"""blame: which sessions changed a file, what they were asked for, and what became of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from mcp_memory.domain.models import Frozen, Origin, Outcome, Step
from mcp_memory.rooms import Rooms
from mcp_memory.search.named.held import Change, Held, held, parts_of, same_file
from mcp_memory.trajectories.changes import Changed
from mcp_memory.trajectories.naming import one_line

MOST_SHOWN = 3
"""Changes that are told of one session; the last ones are what the file became."""
_LOOKED_BACK = 4
"""An agent says what it is about to do at most so many steps before it does."""
SAID_CHARS = 240
_WORKTREE = 2
"""Folders that a worktree adds to a name: where worktrees are, and its own."""


class Blamed(Frozen):
    """What one session did to a file."""

    ref: str
    at: datetime | None = None
    origin: Origin = ""
    project: str = ""
    path: str
    asked: str
    """What the session was asked for where it changed the file last."""
    said: str = ""
    """What the agent said just before."""
    outcome: Outcome = Outcome.UNKNOWN
    changes: tuple[Change, ...] = ()
    more: int = 0
    """Earlier changes of the session."""
    commits: tuple[str, ...] = ()
    """What was committed after it: hash and subject."""


class Blame(Frozen):
    """Which sessions changed a file, newest first."""

    path: str
    sessions: tuple[Blamed, ...] = ()
    files: tuple[str, ...] = ()
    """The files that are meant, where the path may mean several."""
    more: int = 0
    notes: tuple[str, ...] = ()


async def blame(rooms: Rooms, path: str, *, project: str | None = None, limit: int = 8) -> Blame:
    """The sessions that changed a file, or the files of a folder, newest first."""
    asked = parts_of(path)
    known, notes = await held(rooms, project)
    files = _meant(asked, known)
    touched = [(one, made) for one in known if (made := _changes(one, files))]
    told = [await _blamed(rooms, one, made) for one, made in touched[:limit]]
    return Blame(
        path=path,
        sessions=tuple(told),
        files=tuple(sorted(files)) if len(files) > 1 else (),
        more=len(touched) - len(told),
        notes=notes,
    )


def _meant(asked: tuple[str, ...], known: Sequence[Held]) -> set[str]:
    """The changed files that a path means: by their last folders, else those below it."""
    if not asked:
        return set()
    names = {change.path for one in known for change in one.entry.changes}
    itself = {name for name in names if _worktrees_aside(parts_of(name)) == asked}
    if itself:
        return itself
    found = {name for name in names if same_file(asked, parts_of(name))}
    exact = {name for name in found if len(parts_of(name)) >= len(asked)}
    return exact or found or {name for name in names if _below(asked, parts_of(name))}


def _worktrees_aside(name: tuple[str, ...]) -> tuple[str, ...]:
    """A file of a worktree within the project, as it is called in the project itself."""
    inside = len(name) > _WORKTREE and name[0] in (".worktrees", "worktrees")
    return name[_WORKTREE:] if inside else name


def _below(folder: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(name[at : at + len(folder)] == folder for at in range(len(name) - len(folder)))


def _changes(one: Held, files: Iterable[str]) -> list[Changed]:
    wanted = set(files)
    return [change for change in one.entry.changes if change.path in wanted]


async def _blamed(rooms: Rooms, one: Held, made: Sequence[Changed]) -> Blamed:
    last = made[-1]
    attempt = one.attempt(last.step)
    after = [each for each in one.entry.landed if each.step >= made[0].step and not each.undone]
    commits = [f"{each.hash[:9]} {each.subject}" for each in after if each.hash]
    return Blamed(
        ref=one.span(made[0].step, last.step) if len(made) > 1 else one.span(last.step),
        at=one.at,
        project=one.project,
        path=last.path,
        asked=one.why(last.step),
        said=await _said(rooms, one, last.step),
        outcome=attempt.outcome if attempt else one.entry.outcome,
        changes=tuple(one.change(each) for each in made[-MOST_SHOWN:]),
        more=max(0, len(made) - MOST_SHOWN),
        commits=tuple(one_line(each, 100) for each in commits[:2]),
    )


async def _said(rooms: Rooms, one: Held, step: int) -> str:
    """The agent's last words at a step or shortly before it, unless somebody else spoke since."""
    numbers = range(max(1, step - _LOOKED_BACK), step + 1)
    rows = await rooms.store.by_keys("evidence", [one.span(number) for number in numbers])
    steps = sorted(
        (Step.model_validate(orjson.loads(row.body)) for row in rows if row.body),
        key=lambda each: -each.number,
    )
    for each in steps:
        if each.kind != "agent":
            return ""
        if each.text.strip():
            return one_line(each.text, SAID_CHARS)
    return ""
