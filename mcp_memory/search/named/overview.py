"""overview: what a history holds at first sight: whose it is, which errors came back, what is run most."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from mcp_memory.domain.models import Frozen, Step
from mcp_memory.rooms import Rooms
from mcp_memory.search.named.held import Held, held
from mcp_memory.search.named.how import shorter
from mcp_memory.text import families, shell

MOST = 3
LOOKED_AT = 20
"""So many errors that came back are looked at: those of an agent's own tools teach nothing."""


class Returning(Frozen):
    """An error that several sessions met when they ran a command."""

    error: str
    sessions: int
    ref: str
    """From the failure to the success where it was mended, else where it was met last."""
    mended: bool = False


class Relied(Frozen):
    """A command that is run often."""

    command: str
    runs: int
    failed: int


class Overview(Frozen):
    """A history at first sight."""

    sessions: int = 0
    agents: int = 0
    """Sessions that others began as sub-agents."""
    projects: int = 0
    hosts: tuple[str, ...] = ()
    since: datetime | None = None
    returning: tuple[Returning, ...] = ()
    relied: tuple[Relied, ...] = ()


async def overview(rooms: Rooms, *, project: str | None = None) -> Overview:
    """What a history holds: counts, the errors that came back most, the commands run most."""
    known, _ = await held(rooms, project)
    begun = [one.row.started_at for one in known if one.row.started_at]
    people = [one for one in known if not one.row.parent]
    return Overview(
        sessions=len(people),
        agents=len(known) - len(people),
        projects=len({one.row.project for one in known}),
        hosts=tuple(name for name, _ in Counter(one.row.format for one in known).most_common()),
        since=min(begun) if begun else None,
        returning=tuple(await _returning(rooms, known)),
        relied=tuple(_relied(known)),
    )


async def _returning(rooms: Rooms, known: Sequence[Held]) -> list[Returning]:
    met: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    for one in known:
        for error in one.entry.errors:
            met.setdefault(error.name, set()).add(one.row.parent or one.row.id)
            last.setdefault(error.name, one.span(error.steps[-1]))
    often = sorted(met, key=lambda name: (-len(met[name]), name))
    again = [name for name in often if len(met[name]) > 1][:LOOKED_AT]
    # One step that met several errors met them as one.
    again = [*{last[name]: name for name in reversed(again)}.values()][::-1]
    run = await _by_commands(rooms, {name: last[name] for name in again})
    cures = {
        mend.error: one.span(mend.failed, mend.passed)
        for one in reversed(known)
        for mend in one.entry.mends
    }
    return [
        Returning(
            error=name,
            sessions=len(met[name]),
            ref=cures.get(name, last[name]),
            mended=name in cures,
        )
        for name in again
        if name in run
    ][:MOST]


async def _by_commands(rooms: Rooms, met: dict[str, str]) -> set[str]:
    """The errors of commands; those of an agent's reading and editing are left out."""
    rows = await rooms.store.by_keys("evidence", list(dict.fromkeys(met.values())))
    steps = {row.key: Step.model_validate_json(row.body) for row in rows if row.body}
    return {
        name
        for name, ref in met.items()
        if ref in steps and any(call.command for call in steps[ref].calls)
    }


def _relied(known: Sequence[Held]) -> list[Relied]:
    runs: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    lines: dict[str, str] = {}
    for one in known:
        for each in one.entry.commands:
            runs[each.name] += len(each.steps)
            failed[each.name] += len(each.marked)
            lines.setdefault(each.name, shorter(each.last, one) or each.name)
    told = []
    for name, count in runs.most_common(LOOKED_AT):
        programs = shell.programs(lines[name])
        if families.only_looks(programs) or (programs and programs[0].words[:1] in _EVERYDAY):
            continue
        told.append(Relied(command=name, runs=count, failed=failed[name]))
    return told[:MOST]


_EVERYDAY = frozenset({(word,) for word in ("git", "mkdir", "rm", "cp", "mv", "ls", "cd", "echo")})
"""What is run in every project tells nothing of one."""
