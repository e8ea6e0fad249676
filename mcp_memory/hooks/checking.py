"""Checking: the commands by which sessions of a project judged their work, as they are typed here; pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.hooks import lines
from mcp_memory.hooks.lines import Line
from mcp_memory.text import families, shell
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.entries import Entry

LOOKED_AT = 30
"""Newest sessions that count: what a project is checked with changes."""
LEAST, MOST = 3, 3
"""Sessions that must have run a command, and commands that are told."""
LEAST_SHARE = 0.2
_GIT = "git "


def lines_of(entries: Sequence[Entry]) -> Iterator[Line]:
    """One line for all of them; nothing where sessions agree on none. `entries` newest first."""
    newest = entries[:LOOKED_AT]
    ran: dict[str, dict[str, Entry]] = defaultdict(dict)
    steps: dict[str, tuple[str, int]] = {}
    for entry in newest:
        for each in entry.commands:
            if each.steps and _judges(each.name):
                ran[each.name].setdefault(entry.parent or entry.id, entry)
                steps.setdefault(each.name, (entry.id, each.steps[-1]))
    enough = max(LEAST, LEAST_SHARE * len({one.parent or one.id for one in newest}))
    told = sorted((one for one in ran if len(ran[one]) >= enough), key=lambda one: -len(ran[one]))
    if told:
        said = "; ".join(f"`{one}` ({counted(len(ran[one]), 'session')})" for one in told[:MOST])
        ref = refs.span(*steps[told[0]])
        yield lines.marked(said, SourceClass.HOST, ref)


def _judges(name: str) -> bool:
    """Whether a folded command tests, builds or lints; git's own verdicts are no check."""
    kinds = [families.judged(one) for one in shell.programs(name)]
    return any(kinds) and not any(kind.startswith(_GIT) for kind in kinds)
