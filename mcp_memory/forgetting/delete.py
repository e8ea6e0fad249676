"""delete: preview what goes and what rests on it, forget, restore, or purge with a receipt."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mcp_memory.domain import projects, refs
from mcp_memory.domain.asked import DeletionMode, Filter
from mcp_memory.domain.errors import InvalidInput, NothingFits, UnknownRef
from mcp_memory.domain.models import Deletion, Memory, State, Trajectory
from mcp_memory.forgetting import hiding, purging, resting
from mcp_memory.forgetting.hiding import Hidden
from mcp_memory.memories import listing, retain, superseding
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans
from mcp_memory.store.rows import EvidenceRow, MemoryRow, Where
from mcp_memory.text.counting import counted
from mcp_memory.trajectories import evidence, reaching
from mcp_memory.trajectories.reaching import MemoryView, Reach, Target

EVIDENCE_KINDS = ("step", "episode", "output")
CONFIRM_CHARS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants gone, and how."""

    refs: tuple[str, ...]
    chosen: Filter | None
    mode: DeletionMode = "preview"
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a deletion means: sessions, steps and memories, and what it does to other memories."""

    hidden: Hidden
    memories: tuple[str, ...]
    reach: Reach
    heads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sessions of which more than steps holds the words that are to go, and what."""

    @property
    def refs(self) -> tuple[str, ...]:
        """Everything named directly, in a stable order."""
        return (*self.hidden.refs, *sorted(self.memories))

    @property
    def confirm(self) -> str:
        """What a caller passes back to show that it has seen the preview of just this."""
        heads = (f"{one} {' '.join(names)}" for one, names in sorted(self.heads.items()))
        told = "\n".join((*self.refs, *self.reach.cascade, *self.reach.weakened, *heads))
        return hashlib.sha256(told.encode()).hexdigest()[:CONFIRM_CHARS]


async def delete(rooms: Rooms, asked: Asked) -> Deletion:
    """Show, hide, bring back or erase.

    Raises:
        InvalidInput: nothing is named, or a filter or purge is not confirmed.
        UnknownRef: a ref names nothing, or the filter fits nothing.
    """
    reached = await _reached(rooms, asked)
    seen = Deletion(
        mode="preview",
        refs=reached.refs,
        cascade=reached.reach.cascade,
        weakened=reached.reach.weakened,
        confirm=reached.confirm,
        notes=await _left_behind(rooms, reached),
    )
    if asked.mode == "preview":
        return seen
    _confirmed(asked, reached)
    if asked.mode == "purge":
        words = asked.chosen.contains if asked.chosen else ""
        gone = _gone(reached)
        return await purging.purge(
            rooms, reached.hidden, gone, reached.reach, heads=reached.heads, words=words
        )
    if asked.mode == "forget":
        changed = await _forgetting(rooms, reached)
        batch = await hiding.mark(
            rooms, "forget", reached.hidden, to=State.FORGOTTEN, memories=changed
        )
    else:
        back = await resting.regained(rooms, reached.hidden, reached.memories)
        changed = await _rows(rooms, back)
        batch = await hiding.mark(rooms, "restore", reached.hidden, to=State.LIVE, memories=changed)
    return seen.model_copy(update={"mode": asked.mode, "batch": batch, "confirm": None})


async def projects_of(rooms: Rooms, asked: Asked) -> frozenset[str] | None:
    """The projects that a deletion by refs touches; None where it may touch any."""
    if asked.chosen is not None:
        return None
    reached = await _reached(rooms, asked)
    named = (*reached.refs, *reached.reach.cascade, *reached.reach.weakened)
    owners = frozenset((await listing.owners(rooms, named)).values())
    return None if owners & {projects.USER, projects.EVERY} else owners


async def _left_behind(rooms: Rooms, reached: Reached) -> tuple[str, ...]:
    """What a purge empties besides, and what a memory that goes had superseded."""
    notes = [
        f"mode=purge also empties {', '.join(names)} of t:{session}, which hold the words."
        for session, names in sorted(reached.heads.items())
    ]
    for ref in _gone(reached):
        older = (await spans.current(rooms, ref)).supersedes
        known = await spans.memory_rows(rooms, (older,)) if older else {}
        if older in known and spans.memory_of(known[older][-1]).superseded_by == ref:
            notes.append(f"{older} was superseded by {ref}: mode=restore brings it back.")
    return tuple(notes)


def _confirmed(asked: Asked, reached: Reached) -> None:
    needed = asked.mode == "purge" or (asked.chosen is not None and asked.mode == "forget")
    if needed and asked.confirm != reached.confirm:
        raise InvalidInput(
            f"This {asked.mode} reaches {counted(len(reached.refs), 'record')} and is not confirmed.",
            next_step="Look at its preview, and give the `confirm` that it tells.",
        )


def _gone(reached: Reached) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*reached.memories, *reached.reach.cascade)))


async def _reached(rooms: Rooms, asked: Asked) -> Reached:
    named = [refs.parse(text) for text in asked.refs]
    heads = {}
    if asked.chosen is not None:
        found = await _chosen(rooms, asked.chosen)
        heads = await _heads(rooms, asked.chosen, {ref.id for ref in found})
        if not found and not (heads and asked.mode in {"preview", "purge"}):
            raise NothingFits(asked.chosen.model_dump(mode="json", exclude_defaults=True))
        named += found
    if not named and not heads:
        raise InvalidInput(
            "Nothing is named to delete.",
            next_step="Give refs, or a filter with at least one field.",
        )
    sessions: set[str] = set()
    steps: dict[str, set[int]] = {}
    memories: list[str] = []
    targets = [
        await _target(rooms, refs.parse(ref), sessions, steps, memories)
        for ref in dict.fromkeys(map(str, named))
    ]
    kept = {t: tuple(sorted(n)) for t, n in steps.items() if t not in sessions}
    hidden = Hidden(sessions=tuple(sorted(sessions)), steps=kept)
    views = [_view(memory) for memory in await _memories(rooms)]
    reach = reaching.reach(targets, views, spans=await _episode_spans(rooms, views))
    return Reached(
        hidden, tuple(memories), reach, {i: n for i, n in heads.items() if i not in sessions}
    )


async def _heads(
    rooms: Rooms, chosen: Filter, touched: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Sessions whose title, goal or branch holds the words; where more is asked for, of those found."""
    if not chosen.contains or (chosen.kinds and not set(chosen.kinds) & {"step", "episode"}):
        return {}
    ids = (refs.parse(chosen.session).id,) if chosen.session else ()
    projects = (chosen.project,) if chosen.project else ()
    rows = await rooms.store.sessions(ids=ids, projects=projects)
    if chosen.since or chosen.until or chosen.path:
        rows = [row for row in rows if row.id in touched]
    found = {
        row.id: evidence.heads_with(Trajectory.model_validate_json(row.body), chosen.contains)
        for row in rows
        if chosen.contains in row.body
    }
    return {id_: names for id_, names in found.items() if names}


async def _target(
    rooms: Rooms, ref: refs.Ref, sessions: set[str], steps: dict[str, set[int]], memories: list[str]
) -> Target:
    if ref.kind == "memory":
        memory = await spans.current(rooms, str(ref))
        memories.append(str(ref))
        return Target(ref=str(ref), text=retain.said(memory))
    if ref.kind == "batch":
        raise UnknownRef(str(ref))
    if ref.kind == "output":
        found = await rooms.store.by_keys("evidence", (str(ref),))
        if not found:
            raise UnknownRef(str(ref))
        ref = refs.parse(refs.span(found[0].trajectory, found[0].first))
    first, last = await spans.bounds(rooms, ref)
    where = Where(
        trajectories=(ref.id,), kinds=("step", "output"), states=(), first=first, last=last
    )
    rows = await rooms.store.find("evidence", where)
    if ref.kind == "trajectory" and ref.first is None:
        sessions.add(ref.id)
    else:
        steps.setdefault(ref.id, set()).update(row.first for row in rows if row.kind == "step")
    text = "\n".join(row.text for row in rows)
    return Target(ref=str(ref), text=text, first=first, last=last)


async def _chosen(rooms: Rooms, chosen: Filter) -> list[refs.Ref]:
    """Refs of what a filter fits; in sessions these are steps, not whole sessions."""
    if chosen == Filter():
        raise InvalidInput(
            "The filter is empty and would fit everything.",
            next_step="Name at least one field, such as `contains` or `session`.",
        )
    common = Where(
        projects=(chosen.project,) if chosen.project else (),
        since=chosen.since,
        until=chosen.until,
        path=chosen.path,
        contains=chosen.contains,
    )
    found = []
    kinds = chosen.kinds
    if not kinds or set(kinds) & {"step", "episode"}:
        trajectories = (refs.parse(chosen.session).id,) if chosen.session else ()
        wanted = ("episode",) if kinds == ("episode",) else ("step", "output")
        rows = await rooms.store.find(
            "evidence", replace(common, kinds=wanted, trajectories=trajectories)
        )
        # The store looks into context too, which quotes the neighbours.
        found += [_step(row) for row in rows if chosen.contains in row.text]
    named = tuple(kind for kind in kinds if kind not in EVIDENCE_KINDS)
    if not chosen.session and (named or not kinds):
        memories = await rooms.store.find("memories", replace(common, kinds=named))
        found += [refs.parse(row.key) for row in memories]
    return found


def _step(row: EvidenceRow) -> refs.Ref:
    return refs.parse(refs.span(row.trajectory, row.first, row.last))


async def _memories(rooms: Rooms) -> list[Memory]:
    rows = await rooms.store.find("memories", Where(states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    return [m for m in map(spans.memory_of, newest.values()) if m.state is not State.FORGOTTEN]


def _view(memory: Memory) -> MemoryView:
    return MemoryView(
        ref=memory.ref,
        text=retain.said(memory),
        evidence=memory.evidence,
        supersedes=memory.supersedes,
    )


async def _episode_spans(rooms: Rooms, views: Sequence[MemoryView]) -> dict[str, tuple[int, int]]:
    cited = {e.ref for view in views for e in view.evidence if e.ref.startswith("e:")}
    rows = await rooms.store.by_keys("evidence", tuple(sorted(cited))) if cited else []
    return {row.key: (row.first, row.last) for row in rows}


async def _forgetting(rooms: Rooms, reached: Reached) -> list[MemoryRow]:
    """Next versions: forgotten ones, and those that lose evidence."""
    made = [
        superseding.following(await spans.current(rooms, ref), state=State.FORGOTTEN)
        for ref in _gone(reached)
    ]
    made += [
        await resting.weakened(rooms, ref, lost, reached.hidden)
        for ref, lost in reached.reach.lost.items()
    ]
    return await _rows(rooms, made)


async def _rows(rooms: Rooms, memories: Sequence[Memory]) -> list[MemoryRow]:
    vectors = await rooms.vectors([retain.searched(memory) for memory in memories])
    return [retain.row_of(memory, v) for memory, v in zip(memories, vectors, strict=True)]
