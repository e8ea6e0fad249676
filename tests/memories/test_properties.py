"""Whatever is kept, superseded and used: sources survive, nothing dead is told as current, nothing mixes."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import anyio.from_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talks import kept, talk
from trials import tried

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.errors import GateRefused, InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Draft, Evidence, Outcome, Runbook, RunbookSection, State
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where

SHOP, MILL = "/home/ada/shop", "/home/ada/mill"
TALKS = {
    SHOP: [talk(str(n) * 8, f"Open the till, day {n}.", f"The till listens on port 8080, {n}.")
           for n in (1, 2)],
    MILL: [talk(str(n) * 8, f"Start the wheel, day {n}.", f"The wheel turns at port 7070, {n}.", cwd=MILL)
           for n in (3, 4)],
}  # fmt: skip
TEXTS = (
    "The till listens on port 8080.",
    "The till rings at port 8080 of the shop.",
    "The wheel turns at port 7070.",
    "Port 7070 is where the wheel of the mill listens.",
)
_moves = st.lists(
    st.tuples(
        st.sampled_from(["retain", "supersede", "apply", "used", "retire"]),
        st.sampled_from(TEXTS),
        st.sampled_from([SHOP, MILL]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


class World:
    """A bank of two projects, and what its memories and uses must come to."""

    def __init__(self, bank: MemoryBank) -> None:
        self.bank = bank
        self.used: Counter[str] = Counter()
        self.well: Counter[str] = Counter()

    async def move(self, what: str, text: str, project: str, *, well: bool) -> None:
        """One change; what the gate refuses changes nothing."""
        refs = [m.ref for m in await self.bank.listing("memories", project=project)]
        sessions = await self.bank.listing("sessions", project=project)
        evidence = tuple(Evidence(ref=f"{one.ref}#1-2") for one in sessions)
        draft = Draft(text=text, project=project)
        try:
            match what:
                case "retain":
                    await self.bank.retain(draft)
                case "supersede" if refs:
                    await self.bank.retain(draft.model_copy(update={"supersedes": refs[0]}))
                case "apply":
                    await self.bank.apply((draft.model_copy(update={"evidence": evidence}),))
                case "retire" if refs:
                    await self.bank.apply((), retire=refs[:1])
                case "used" if refs:
                    await self.bank.feedback(refs[:1], Outcome.SUCCESS if well else Outcome.FAILURE)
                    self.used[refs[0]] += 1
                    self.well[refs[0]] += well
        except (GateRefused, InvalidInput):
            return

    async def sources(self) -> list[tuple[str, str, str]]:
        """Every record of what was observed, with its state."""
        rows = await self.bank.rooms.store.find("evidence", Where(states=()))
        return sorted((row.key, row.hash, row.state) for row in rows)

    async def hits(self, project: str) -> list[Hit]:
        asked = Query(texts=("which port does it listen on", "wheel till port"), project=project,
                      limit=30)  # fmt: skip
        return list((await self.bank.search(asked)).hits)


async def dead_as_current(bank: MemoryBank, hits: Sequence[Hit]) -> list[str]:
    """Memories that no longer hold and come back without a word of it."""
    found = []
    for hit in hits:
        if hit.ref.startswith("m:"):
            state = (await spans.current(bank.rooms, hit.ref)).state
            marked = any(flag.startswith(("superseded", "retired")) for flag in hit.flags)
            if state is State.FORGOTTEN or (state is State.SUPERSEDED and not marked):
                found.append(hit.ref)
    return found


async def dead_in_runbook(bank: MemoryBank, made: Runbook) -> list[str]:
    """Memories that no longer hold and stand among what does."""
    lines = [line for section in made.sections if section.title not in ("No longer holds", "Unproven")
             for line in section.lines]  # fmt: skip
    refs = [line.rpartition(" ")[2] for line in lines]
    return [ref for ref in refs if ref.startswith("m:")
            and (await spans.current(bank.rooms, ref)).state is not State.LIVE]  # fmt: skip


async def strangers(bank: MemoryBank, hits: Sequence[Hit], project: str) -> list[str]:
    """Hits of another project."""
    owners = await bank.owners([hit.ref for hit in hits])
    return [ref for ref, owner in owners.items() if owner not in {project, "user"}]


async def checked(world: World, sources: list[tuple[str, str, str]]) -> None:
    assert await world.sources() == sources
    for project in (SHOP, MILL):
        hits = await world.hits(project)
        assert await dead_as_current(world.bank, hits) == []
        assert await strangers(world.bank, hits, project) == []
    made = await world.bank.runbook(
        Task(text="Change the port that the till listens on", project=SHOP)
    )
    assert await dead_in_runbook(world.bank, made) == []
    expected = {ref: (count, world.well[ref]) for ref, count in world.used.items()}
    assert await world.bank.rooms.usage() == expected


@pytest.mark.timeout(6_000)
def test_after_any_moves_all_of_it_holds(settings: Settings, tmp_path: Path) -> None:
    paths = [kept(tmp_path / f"{n}.jsonl", one) for n, one in
             enumerate([*TALKS[SHOP], *TALKS[MILL]])]  # fmt: skip

    async def opened() -> tuple[object, World, list[tuple[str, str, str]]]:
        context = open_bank(settings, cwd=SHOP)
        bank = await context.__aenter__()
        await bank.index(paths)
        world = World(bank)
        return context, world, await world.sources()

    async def moved(world: World, moves: list[tuple[str, str, str, bool]]) -> None:
        for what, text, project, well in moves:
            await world.move(what, text, project, well=well)

    with anyio.from_thread.start_blocking_portal() as portal:
        context, world, sources = portal.call(opened)

        @tried(15)
        @given(_moves)
        def any_moves(moves: list[tuple[str, str, str, bool]]) -> None:
            portal.call(moved, world, moves)
            portal.call(checked, world, sources)

        any_moves()
        portal.call(negative, world, sources)
        portal.call(context.__aexit__, None, None, None)  # type: ignore[attr-defined]


async def negative(world: World, sources: list[tuple[str, str, str]]) -> None:
    """Each check fails where its mechanism is off."""
    bank = world.bank
    old = await bank.retain(Draft(text="The old till listens on port 1010.", project=SHOP))
    await bank.retain(Draft(text="The new till listens on port 2020.", project=SHOP,
                            supersedes=old.ref))  # fmt: skip
    asked = Query(texts=("old till port 1010",), kinds=("fact",), project=SHOP, limit=30)
    hits = list((await bank.search(asked)).hits)
    plain = [hit.model_copy(update={"flags": ()}) for hit in hits]
    assert await dead_as_current(bank, hits) == []
    assert old.ref in await dead_as_current(bank, plain)
    advice = RunbookSection(title="Facts and preferences", lines=(f"The old till. {old.ref}",))
    page = Runbook(task="", sections=(advice,), spans=())
    assert await dead_in_runbook(bank, page) == [old.ref]
    everywhere = (await bank.search(Query(texts=("wheel till port",), project="*", limit=30))).hits
    assert await strangers(bank, everywhere, SHOP)
    before = await bank.rooms.usage()
    await bank.feedback([old.ref], Outcome.SUCCESS)
    assert await bank.rooms.usage() != before
    session = (await bank.listing("sessions", project=MILL))[0].ref
    await bank.delete([session], mode="forget")
    assert await world.sources() != sources
