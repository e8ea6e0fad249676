"""File edits: a path, to all the sessions that edited it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.hits import HitKind
from mcp_memory.evals.material import labels, packs
from mcp_memory.evals.material.samples import Sample, Sources, Suite

NAME = "file_edits"
HEADLINE = "session.strict@20"
KINDS: tuple[HitKind, ...] = ()
MOST = 20
"""Paths of more sessions than the cut cannot be answered whole, and are not asked."""


def suites(sources: Sources) -> Iterator[Suite]:
    """A bank a project, asked with every path that was edited in it.

    Raises:
        InvalidInput: a pack is not there.
    """
    for project in packs.PROJECTS:
        folder = sources.data / "gold" / project
        yield Suite(packs.corpus_of(sources, project), partial(_samples, folder))


async def _samples(folder: Path, bank: MemoryBank) -> list[Sample]:
    known = await packs.sessions_of(bank)
    made = []
    for row in labels.rows(folder / "file_edits.tsv"):
        named = row["sessions(session_id:first_edit_line:date)"].split()
        found = {packs.session_in(known, one.partition(":")[0]) for one in named}
        sessions = frozenset(one for one in found if one)
        if sessions and len(sessions) <= MOST:
            made.append(
                Sample(
                    id=f"{NAME}/{folder.name}/{row['path']}",
                    question=row["path"],
                    sessions=sessions,
                    group=folder.name,
                )
            )
    return made
