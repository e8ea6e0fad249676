"""restore: a file's text as a past session last wrote or read it, later changes carried out again."""

from collections.abc import Sequence
from datetime import datetime

from mcp_memory.domain.models import Frozen, Step
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.search.named.held import Held, held, parts_of, same_file
from mcp_memory.trajectories import evidence, whole_texts
from mcp_memory.trajectories.whole_texts import How, Known

MOST_SESSIONS = 60
"""So many sessions that touched the file are looked through, newest first."""
MASK = "[masked:"


class Restored(Frozen):
    """A file's text, and how surely it is the one that it had."""

    path: str
    text: str = ""
    ref: str = ""
    """The last step that is in it."""
    at: datetime | None = None
    project: str = ""
    how: How = "read"
    doubts: int = 0
    """Later changes that did not fit what was known; the text may lack them."""
    masked: int = 0
    """Secrets that stand as masks in it: they were never kept."""
    files: tuple[str, ...] = ()
    """What else the path may mean."""
    touched: tuple[str, ...] = ()
    """Where the file was touched, when its whole text was never seen."""
    notes: tuple[str, ...] = ()


async def restore(
    rooms: Rooms, path: str, *, project: str | None = None, until: datetime | None = None
) -> Restored:
    """The newest text of a file that history has, up to a time; empty where it never had all of it."""
    asked = parts_of(path)
    sessions, notes = await held(rooms, project)
    known = [one for one in sessions if until is None or _begun(one, until)]
    names = _names(asked, known)
    if not names:
        return Restored(path=path, notes=notes)
    name = names[0]
    read: list[tuple[Held, list[Step]]] = []
    for one in _touching(known, name)[:MOST_SESSIONS]:
        read.insert(0, (one, await _steps(rooms, one, name, until)))
        found = _replayed(read, name)
        if found is not None:
            return _told(found, name, names).model_copy(update={"notes": notes})
    touched = tuple(one.span(_marks(one, name)[-1]) for one, _ in reversed(read))
    return Restored(path=name, files=tuple(names[1:]), touched=touched, notes=notes)


def _begun(one: Held, until: datetime) -> bool:
    return one.row.started_at is None or one.row.started_at <= until


def _names(asked: tuple[str, ...], known: Sequence[Held]) -> list[str]:
    """The files that a path means, the one that was touched last first."""
    found = [
        each.name
        for one in known
        for each in one.entry.files
        if same_file(asked, parts_of(each.name)) and len(parts_of(each.name)) >= len(asked)
    ]
    fuller = found or [
        each.name
        for one in known
        for each in one.entry.files
        if same_file(asked, parts_of(each.name))
    ]
    exact = [name for name in fuller if parts_of(name) == asked]
    return list(dict.fromkeys((*exact, *fuller)))


def _touching(known: Sequence[Held], name: str) -> list[Held]:
    return [one for one in known if any(each.name == name for each in one.entry.files)]


def _marks(one: Held, name: str) -> tuple[int, ...]:
    return next(each.steps for each in one.entry.files if each.name == name)


async def _steps(rooms: Rooms, one: Held, name: str, until: datetime | None) -> list[Step]:
    keys = [one.span(number) for number in _marks(one, name)]
    rows = await rooms.store.by_keys("evidence", keys)
    outputs = await spans.outputs_of(rooms, rows)
    steps = [evidence.step_of(row, outputs) for row in rows]
    early = [step for step in steps if until is None or step.at is None or step.at <= until]
    return sorted(early, key=lambda step: step.number)


def _replayed(read: Sequence[tuple[Held, list[Step]]], name: str) -> tuple[Held, Known] | None:
    """The last that is known after these sessions, oldest first."""
    wanted = parts_of(name)
    now: Known | None = None
    last: tuple[Held, Known] | None = None
    for one, steps in read:
        for made in whole_texts.known(steps, lambda path: same_file(wanted, parts_of(path)), now):
            now = made
            last = (one, made)
    return last


def _told(found: tuple[Held, Known], name: str, names: Sequence[str]) -> Restored:
    one, last = found
    return Restored(
        path=name,
        text=last.text,
        ref=one.span(last.step),
        at=one.at,
        project=one.project,
        how=last.how,
        doubts=last.doubts,
        masked=last.text.count(MASK),
        files=tuple(names[1:]),
    )
