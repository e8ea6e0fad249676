"""A premise is asked of the disk, then of git, then of history; what is there is never doubted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from failing_session import session as failing
from grown import Grown
from worked import ident, session

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Task
from mcp_memory.memories import grounds
from mcp_memory.memories.grounds import Ground
from mcp_memory.runbook import premises
from mcp_memory.runbook.premises import Sighting
from mcp_memory.settings import Settings
from mcp_memory.trajectories.changes import Changed

LINES = "\n".join(f"line {n} of the cart" for n in range(30))


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    shop = Grown(tmp_path / "shop")
    shop.commit(
        "begin", src__cart_dot_py=LINES, src__till_dot_py='flag("--fast-mode") or lock_till()'
    )
    shop.commit("move the cart", src__cart_dot_py=None, src__basket_dot_py=f"{LINES}\nmore")
    shop.commit("no fast mode", src__till_dot_py='flag("slow-mode")\ndef open_till(): pass')
    async with open_bank(settings, cwd=str(shop.root)) as bank:
        await bank.index([failing(tmp_path, "one")])
        yield bank


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("src/till.py", ""),
        ("till.py", ""),
        ("--slow-mode", ""),
        ("open_till()", ""),
        ("src/cart.py", "not in the project any more, renamed to src/basket.py by commit"),
        ("--fast-mode", "not in the project any more, taken out by commit"),
        ("lock_till()", "not in the project any more, taken out by commit"),
        ("src/db.py", "not on the disk; last in history "),
        ("src/never.py", "nowhere in recorded history nor in the project's files"),
        ("--never-mode", "nowhere in recorded history nor in the project's files"),
    ],
)
async def test_what_a_task_names_is_told_where_it_went(
    bank: MemoryBank, name: str, said: str
) -> None:
    made = await bank.runbook(Task(text=f"Please change what `{name}` does in the shop."))
    (doubt,) = made.premises or ("",)
    bare = name.removesuffix("()")
    assert doubt.startswith(f"{bare}: {said}") if said else not doubt, doubt


async def test_without_the_folder_history_alone_tells(bank: MemoryBank, settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"local_paths": False, "project": bank.rooms.project})
    async with open_bank(elsewhere) as other:
        for name, doubted in (("src/db.py", False), ("src/never.py", True)):
            made = await other.runbook(Task(text=f"Please change what `{name}` does in the shop."))
            assert [doubt.partition(":")[0] for doubt in made.premises] == [name] * doubted


def test_edits_of_sessions_tell_where_a_file_or_flag_went() -> None:
    def change(step: int, path: str, old: str, new: str) -> Changed:
        return Changed(path=path, step=step, day="2026-03-01", old=old, new=new)

    told = session("a", changes=(
        change(1, "src/a.py", "", "(moved to src/b.py)"),
        change(2, "src/c.py", "", "(the file was deleted)"),
        change(3, "src/d.py", 'flag("fast-mode")', 'flag("slow")'),
        change(4, "src/e.py", "", "(the file was deleted)"),
        change(5, "src/e.py", "x", "y"),
    ))  # fmt: skip
    known = {told.entry.id: told}
    at = {n: refs.span(ident("a"), n) for n in range(1, 6)}
    gone = {name: premises.taken_out(Ground(kind, name), known) for kind, name in (
        ("file", "src/a.py"), ("file", "c.py"), ("flag", "--fast-mode"), ("file", "src/e.py"),
    )}  # fmt: skip
    assert gone == {
        "src/a.py": f"moved to src/b.py in {at[1]} (2026-03-01)",
        "c.py": f"deleted in {at[2]} (2026-03-01)",
        "--fast-mode": f"taken out of src/d.py in {at[3]} (2026-03-01)",
        "src/e.py": "",
    }


def test_a_flag_of_another_program_is_no_premise_of_the_project() -> None:
    named = grounds.of("push with `--force-with-lease`")
    here = {"--force-with-lease": premises.Found(here=False)}
    seen = {"--force-with-lease": Sighting(seen=4, last_ref="t:x#4")}
    assert premises.doubts(named, here, seen, {}) == ()


def test_what_only_superseded_memories_name_is_said_to_be_so() -> None:
    named = (Ground("flag", "--old"),)
    seen = {"--old": Sighting(superseded=("m:a", "m:b"))}
    assert premises.doubts(named, {}, seen, {}) == ("--old: only in superseded memories m:a m:b",)
