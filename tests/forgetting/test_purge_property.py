"""Whatever is purged is nowhere afterwards: in no version of a table, no file, no export, no answer."""

from collections import Counter
from pathlib import Path

import anyio.from_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talks import kept, talk
from trials import tried

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Filter, Query
from mcp_memory.domain.models import Deletion, Draft, Evidence, MemoryKind
from mcp_memory.history import exchange
from mcp_memory.settings import Settings
from mcp_memory.store.detecting import in_files, in_tables
from mcp_memory.store.shelf import FolderShelf
from mcp_memory.text.needles import Needles

SHOP = "/home/ada/shop"
_words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn"]), max_size=12
)
_plans = st.tuples(
    st.sampled_from(["memory", "title", "step", "session", "quoted"]), _words, _words, st.booleans()
)


async def everywhere(bank: MemoryBank, needle: str, folder: Path) -> Counter[str]:
    """In how many places some words are, by where."""
    home = bank.rooms.settings.home
    tables = bank.rooms.store._tables
    seen = await in_tables(
        tables, ("evidence", "memories", "sessions", "ledger"), Needles([needle])
    )
    found = Counter(one.table for one in seen)
    shelf = FolderShelf(home)
    found.update({"files": sum(in_files(shelf, Needles([needle])).values())})
    out = folder / "export.jsonl"
    await exchange.export(bank.rooms, out)
    found.update({"export": out.read_text("utf-8").count(needle)})
    asked = Query(texts=(needle, "till drawer shop"), project="*", limit=30)
    # That it is nowhere may be said.
    told = (await bank.search(asked)).model_copy(update={"unknown": ()}).model_dump_json()
    found.update({"answers": told.count(needle)})
    return found


class World:
    """A bank that fills with words of which some are purged."""

    def __init__(self, bank: MemoryBank, folder: Path) -> None:
        self.bank = bank
        self.folder = folder
        self.count = 0

    async def planted(self, where: str, before: str, after: str) -> tuple[str, str]:
        """Words that occur nowhere else, and the ref by which they are purged."""
        self.count += 1
        needle = f"heron{self.count}zq"
        said = f"{before} {needle} {after}".strip()
        session = f"{self.count:08d}"
        path = kept(
            self.folder / f"{session}.jsonl",
            talk(session, f"Open till {self.count}.", f"The drawer of the shop: {said}",
                 day=f"2026-03-{self.count % 27 + 1:02d}"),
        )  # fmt: skip
        if where in ("step", "session", "quoted"):
            await self.bank.index([path])
            listed = next(
                one for one in await self.bank.listing("sessions", limit=500)
                if one.title == f"Open till {self.count}."
            )  # fmt: skip
            if where == "quoted":
                cited = (Evidence(ref=f"{listed.ref}#2", quote=needle),)
                await self.bank.retain(Draft(text=f"The till: {needle}.", evidence=cited))
            return needle, listed.ref if where == "session" else f"{listed.ref}#2"
        draft = Draft(text=f"The till: {said}.", kind=MemoryKind.FACT)
        if where == "title":
            draft = Draft(text=f"The till number {self.count}.", title=said)
        return needle, (await self.bank.retain(draft)).ref

    async def gone(self, ref: str, needle: str, *, named: bool) -> Deletion:
        """Purged, by the ref or by its words."""
        refs, chosen = ([ref], None) if named else ([], Filter(contains=needle))
        preview = await self.bank.delete(refs, chosen)
        return await self.bank.delete(refs, chosen, mode="purge", confirm=preview.confirm or "")


@pytest.mark.timeout(6_000)
def test_a_purge_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    async def opened() -> tuple[object, World]:
        context = open_bank(settings, cwd=SHOP)
        return context, World(await context.__aenter__(), tmp_path)

    async def tried_once(world: World, plan: tuple[str, str, str, bool]) -> None:
        where, before, after, named = plan
        needle, ref = await world.planted(where, before, after)
        await world.bank.settle()
        there = await everywhere(world.bank, needle, tmp_path)
        assert there["export"], "the negative control: it is found where it was planted"
        assert there["memories"] + there["evidence"]
        receipt = await world.gone(ref, needle, named=named)
        assert all(check.left == 0 for check in receipt.checks)
        left = await everywhere(world.bank, needle, tmp_path)
        assert not +left, (plan, left)

    with anyio.from_thread.start_blocking_portal() as portal:
        context, world = portal.call(opened)

        @tried(3)
        @given(_plans)
        def purged(plan: tuple[str, str, str, bool]) -> None:
            portal.call(tried_once, world, plan)

        purged()
        portal.call(negative, world)
        portal.call(context.__aexit__, None, None, None)  # type: ignore[attr-defined]


async def negative(world: World) -> None:
    """The mechanism off: what is only forgotten stays in the tables."""
    needle, ref = await world.planted("memory", "a", "b")
    await world.bank.delete([ref], mode="forget")
    left = await everywhere(world.bank, needle, world.folder)
    assert left["memories"]
    assert not left["answers"]
