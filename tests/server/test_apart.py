"""Whatever users and projects keep and ask, none is told of another's."""

from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trials import tried

from mcp_memory.domain.access import Access
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.errors import InvalidInput, NotAllowed, UnknownRef
from mcp_memory.domain.models import Draft
from mcp_memory.server.callers import Caller
from mcp_memory.server.held import Banks
from mcp_memory.settings import Settings

SHOP, MILL = "/home/ada/shop", "/home/ada/mill"
USERS = {
    "ada in the shop": Access(caller="1", scope="admin", projects=(SHOP,), tenant="ada"),
    "ada in the mill": Access(caller="2", scope="admin", projects=(MILL,), tenant="ada"),
    "bob": Access(caller="3", scope="admin", tenant="bob"),
}
PLACES = {"ada in the shop": SHOP, "ada in the mill": MILL, "bob": SHOP}
_moves = st.lists(
    st.tuples(
        st.sampled_from([*USERS]),
        st.sampled_from(["keep", "keep", "search", "fetch", "runbook", "list", "delete", "plan"]),
        st.sampled_from([SHOP, MILL, "*"]),
        st.integers(0, 40),
    ),
    min_size=2,
    max_size=8,
)


class World:
    """Three users of one server, and whose each memory is."""

    def __init__(self, banks: Banks) -> None:
        self.callers = {name: Caller(banks, access) for name, access in USERS.items()}
        self.owner: dict[str, str] = {}
        self.words: dict[str, str] = {}

    async def move(self, who: str, what: str, project: str, pick: int) -> None:
        """One call; nothing that it answers is of another."""
        told = await self.told(self.callers[who], who, what, project, pick)
        for ref, owner in self.owner.items():
            if owner != who:
                assert ref not in told, (who, what, owner)
                assert self.words[ref] not in told, (who, what, owner)

    async def told(  # noqa: PLR0911 one a verb
        self, caller: Caller, who: str, what: str, project: str, pick: int
    ) -> str:
        """All that a call answers, refused or not."""
        known = [*self.owner]
        ref = known[pick % len(known)] if known else "m:none"
        try:
            match what:
                case "keep":
                    word = f"heron{len(self.owner)}zq"
                    text = f"The till of {word} listens on port {8000 + pick}."
                    kept = await caller.retain(Draft(text=text, project=PLACES[who]))
                    self.owner[kept.ref], self.words[kept.ref] = who, word
                    return kept.model_copy(update={"resembles": ()}).model_dump_json()
                case "search":
                    asked = Query(texts=("which port does the till listen on",), project=project)
                    return (await caller.search(asked)).model_dump_json()
                case "fetch":
                    found = await caller.fetch(Reading(refs=[ref, *known]))
                    # What is asked for and is not there may be named.
                    return found.model_copy(update={"unknown": ()}).model_dump_json()
                case "runbook":
                    task = Task(text="Mend the till that listens on a port", project=project)
                    return (await caller.runbook(task)).model_dump_json()
                case "plan":
                    return (await caller.plan()).model_dump_json()
                case "delete":
                    if self.owner.get(ref) == who:
                        return ""
                    await caller.delete([ref], mode="forget")
                    raise AssertionError(f"{who} deleted {ref}")
                case _:
                    return str(await caller.listing("memories"))
        except (UnknownRef, NotAllowed, InvalidInput) as refused:
            return "" if ref in str(refused) else str(refused)


@pytest.mark.timeout(6_000)
def test_users_and_projects_stay_apart(settings: Settings, tmp_path: Path) -> None:
    async def moved(world: World, moves: list[tuple[str, str, str, int]]) -> None:
        for move in moves:
            await world.move(*move)

    async def served() -> None:
        banks = Banks(settings, str(tmp_path), guarded=True)
        async with banks.open():
            world = World(banks)
            # Hypothesis is not asynchronous: it runs beside the loop and hands its moves over.
            await anyio.to_thread.run_sync(tries, world)
            await negative(world)

    def tries(world: World) -> None:
        @tried(5)
        @given(_moves)
        def any_moves(moves: list[tuple[str, str, str, int]]) -> None:
            anyio.from_thread.run(moved, world, moves)

        any_moves()

    anyio.run(served)


async def negative(world: World) -> None:
    """The mechanism off: a caller whose access has no bounds is told of all of the bank."""
    await world.move("ada in the mill", "keep", MILL, 1)
    unbound = USERS["ada in the shop"].model_copy(update={"projects": ()})
    banks = world.callers["bob"]._banks
    told = await world.told(Caller(banks, unbound), "ada in the shop", "search", "*", 0)
    mine = [ref for ref, owner in world.owner.items() if owner == "ada in the mill"]
    assert any(ref in told for ref in mine)
