"""Proving: a batch is kept only while what led to its evidence finds it, or still finds the evidence."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import anyio

from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import GateRefused, InvalidInput, UnknownRef
from mcp_memory.domain.models import Consolidation, Draft, Episode, Memory, Standing
from mcp_memory.forgetting import undo
from mcp_memory.memories import clashes, consolidate, succession
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.search.composing import refs_of
from mcp_memory.search.searching import search
from mcp_memory.store.rows import Where

MOST_ASKED = 24
"""Questions of a batch that are asked before and after it; each takes two searches."""
MOST_CHARS = 400
TOLD = 80


class Question(NamedTuple):
    """What somebody wanted who found what is cited, or who would want what is retired."""

    text: str
    project: str
    wanted: frozenset[str]
    """Refs of which one is to be found: cited steps and their episodes, the memory that is retired."""
    by: int
    """The draft that cites them; 0 for what is retired."""


async def apply(rooms: Rooms, drafts: Sequence[Draft], *, retire: Sequence[str]) -> Consolidation:
    """Apply a batch; where a question that found its evidence finds neither any more, take it back.

    Raises:
        GateRefused: the gate refuses any of them, or something would be found no more.
    """
    asked = (await _questions(rooms, drafts, retire))[:MOST_ASKED]
    before = await _found(rooms, asked)
    async with succession.alone(rooms, drafts):
        done = await consolidate.apply(rooms, drafts, retire=retire)
    if done.batch is None:
        return done
    answered = [one for one, hits in zip(asked, before, strict=True) if _holds(one, hits)]
    after = await _found(rooms, answered)
    kept = [await spans.current(rooms, ref) for ref in done.refs]
    lost = [
        one
        for one, hits in zip(answered, after, strict=True)
        if not _holds(one, hits) and not _of(one, drafts, kept) & set(hits)
    ]
    if not lost:
        return done
    back = await undo.undo(rooms, done.batch)
    raise GateRefused([*map(_fault, lost), f"It was taken back as {back.batch}."])


def _of(one: Question, drafts: Sequence[Draft], kept: Sequence[Memory]) -> set[str]:
    """The memories that a question may find instead: those that rest on what its draft cites."""
    cited = {each.ref for each in drafts[one.by - 1].evidence} if one.by else set()
    return {memory.ref for memory in kept if cited <= {each.ref for each in memory.evidence}}


def _fault(lost: Question) -> str:
    what = f"memory {lost.by}" if lost.by else "What is retired"
    asked = " ".join(lost.text.split())[:TOLD]
    return (
        f"{what}: {asked!r} found what it rests on, and with this batch would find neither that nor "
        "a memory of it: say in title or when_to_use what this asks for, or apply fewer at once."
    )


def _holds(one: Question, hits: Collection[str]) -> bool:
    return any(_same(wanted, hit) for wanted in one.wanted for hit in hits)


def _same(wanted: str, hit: str) -> bool:
    """Whether a hit is what is wanted, or steps of it."""
    if wanted == hit:
        return True
    a, b = refs.parse(wanted), refs.parse(hit)
    if a.kind != "trajectory" or b.kind != "trajectory" or a.id != b.id:
        return False
    if a.first is None or b.first is None:
        return True
    return a.first <= (b.last or b.first) and b.first <= (a.last or a.first)


async def _found(rooms: Rooms, asked: Sequence[Question]) -> list[tuple[str, ...]]:
    """What an answer of ordinary length holds to each question; memories that do not hold are none."""
    found: list[tuple[str, ...]] = [()] * len(asked)

    async def ask(place: int, one: Question) -> None:
        told = await search(rooms, Query(texts=(one.text,), project=one.project))
        live = [hit for hit in told.hits if not _is_over(hit.flags)]
        found[place] = tuple(ref for hit in live for ref in refs_of(hit))

    async with anyio.create_task_group() as tasks:
        for place, one in enumerate(asked):
            tasks.start_soon(ask, place, one)
    return found


def _is_over(flags: Sequence[str]) -> bool:
    return any(flag in {"superseded", "retired"} for flag in flags)


async def _questions(
    rooms: Rooms, drafts: Sequence[Draft], retire: Sequence[str]
) -> list[Question]:
    """The goals of the attempts that are cited, and the situations of what is put to rest."""
    made: list[Question] = []
    for number, draft in enumerate(drafts, 1):
        for cited in draft.evidence:
            made += await _goals(rooms, cited.ref, draft.project, number)
    usage = await rooms.usage()
    gone = [*retire, *(draft.supersedes for draft in drafts if draft.supersedes)]
    for memory in [one for ref in gone if (one := await _standing(rooms, ref))]:
        text = memory.when_to_use or memory.title
        if text and not clashes.is_unhelpful(*usage.get(memory.ref, (0, 0))):
            made.append(Question(text, memory.project, frozenset({memory.ref}), 0))
    return list({(one.text, one.by): one for one in made}.values())


async def _goals(rooms: Rooms, ref: str, project: str | None, number: int) -> list[Question]:
    """What was wanted in the attempts that a piece of evidence is of."""
    try:
        parsed = refs.parse(ref)
        first, last = await spans.bounds(rooms, parsed)
    except (InvalidInput, UnknownRef):
        return []  # the gate says so
    where = Where(trajectories=(parsed.id,), kinds=("episode",), first=first, last=last)
    rows = await rooms.store.find("evidence", where)
    wanted = refs.span(parsed.id, first, last)
    return [
        Question(goal[:MOST_CHARS], project or row.project, frozenset({wanted, row.key}), number)
        for row in rows
        if (goal := Episode.model_validate_json(row.body).goal.strip())
    ]


async def _standing(rooms: Rooms, ref: str) -> Memory | None:
    """A memory that stands; nobody relies on another."""
    try:
        memory = await spans.current(rooms, str(refs.parse(ref)))
    except (InvalidInput, UnknownRef):
        return None
    return memory if memory.standing is Standing.ESTABLISHED else None
