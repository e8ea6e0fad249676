"""What a memory names is looked for on the disk and in git when it is read, and never outside the project."""

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from grown import BEGUN, Grown

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.models import Draft, Memory
from mcp_memory.memories import freshness, grounds, looking, scripts
from mcp_memory.memories.grounds import Ground
from mcp_memory.memories.looking import Looked
from mcp_memory.memories.repository import Deadline
from mcp_memory.memories.tree import Tree
from mcp_memory.settings import Settings

LINES = "\n".join(f"line {n} of the cart" for n in range(30))


@pytest.fixture
def shop(tmp_path: Path) -> Grown:
    grown = Grown(tmp_path / "shop")
    grown.commit("begin", src__cart_dot_py=LINES, src__till_dot_py="till", src__old_dot_py="old")
    grown.commit("change the till", src__till_dot_py="till 2")
    grown.commit("move", src__cart_dot_py=None, src__basket_dot_py=f"{LINES}\nmore")
    grown.commit("the old one goes", src__old_dot_py=None)
    return grown


def looked(shop: Grown, name: str, at: datetime = BEGUN, seen: str = "") -> Looked:
    named = (Ground("file", name),)
    (one,) = looking.look(
        Tree(shop.root), named, at, Deadline(5), seen={name: seen} if seen else {}
    )
    return one


def test_a_file_is_fresh_changed_renamed_deleted_or_unknown(shop: Grown) -> None:
    assert looked(shop, "src/till.py").state == "changed"
    assert looked(shop, "src/till.py", BEGUN + timedelta(days=2)).state == "fresh"
    moved, gone = looked(shop, "src/cart.py"), looked(shop, "src/old.py")
    assert str(moved).startswith("src/cart.py gone: renamed to src/basket.py in ")
    assert str(gone).startswith("src/old.py gone: deleted in ")
    assert looked(shop, "src/never.py").state == "unknown"
    assert looked(shop, "src").state == "fresh"


def test_a_checkout_that_gives_all_files_a_new_time_changes_nothing(shop: Grown) -> None:
    later = time.time() + 60
    os.utime(shop.root / "src/till.py", (later, later))
    assert looked(shop, "src/till.py", BEGUN + timedelta(days=1, hours=1)).state == "fresh"


def test_what_was_committed_just_after_it_was_spoken_of_is_what_was_spoken_of(shop: Grown) -> None:
    assert looked(shop, "src/till.py", BEGUN + timedelta(hours=20)).state == "fresh"


def test_a_hash_says_more_than_a_time(shop: Grown) -> None:
    blob = shop.git("rev-parse", "HEAD:src/till.py").strip()
    assert looked(shop, "src/till.py", BEGUN, blob).state == "fresh"
    (shop.root / "src/till.py").write_text("till 3", encoding="utf-8")
    assert looked(shop, "src/till.py", BEGUN, blob).state == "changed"


def test_a_file_that_was_there_for_a_day_only_is_known_to_be_gone(shop: Grown) -> None:
    shop.commit("try", src__brief_dot_py="brief")
    shop.commit("no", src__brief_dot_py=None)
    for day in range(40):
        shop.commit(f"day {day}")
    assert looked(shop, "src/brief.py").state == "gone"


def test_without_git_the_time_tells(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a", encoding="utf-8")
    tree = Tree(tmp_path)
    now = datetime.now(UTC)
    for at, state in ((now + timedelta(hours=1), "fresh"), (now - timedelta(days=1), "changed")):
        assert looking.look(tree, (Ground("file", "a.py"),), at, Deadline(1))[0].state == state
    gone = looking.look(tree, (Ground("file", "b.py", sure=True),), now, Deadline(1))[0]
    assert gone.state == "gone"


def test_nothing_outside_of_the_project_is_looked_at(shop: Grown, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    (shop.root / "link.txt").symlink_to(tmp_path / "secret.txt")
    tree = Tree(shop.root)
    for path in (
        "../secret.txt",
        str(tmp_path / "secret.txt"),
        "link.txt",
        "src/../../secret.txt",
        "\0",
    ):
        assert tree.at(path) is None


def test_hooks_filters_and_settings_of_a_repository_are_not_obeyed(
    shop: Grown, tmp_path: Path
) -> None:
    planted = tmp_path / "ran"
    shop.git("config", "core.fsmonitor", f"touch {planted}")
    shop.git("config", "filter.x.clean", f"touch {planted}; cat")
    (shop.root / ".gitattributes").write_text("* filter=x\n", encoding="utf-8")
    hook = shop.root / ".git/hooks/post-index-change"
    hook.write_text(f"#!/bin/sh\ntouch {planted}\n", encoding="utf-8")
    hook.chmod(0o755)
    before = sorted(p.as_posix() for p in (shop.root / ".git").rglob("*"))
    looked(shop, "src/till.py")
    looked(shop, "src/cart.py")
    assert not planted.exists()
    assert sorted(p.as_posix() for p in (shop.root / ".git").rglob("*")) == before


@pytest.mark.parametrize("damage", ["HEAD", "index", "objects"])
def test_a_repository_that_cannot_be_read_is_as_none(shop: Grown, damage: str) -> None:
    place = shop.root / ".git" / damage
    if place.is_dir():
        for path in place.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
                path.write_bytes(b"broken")
    else:
        place.write_bytes(b"broken")
    assert looked(shop, "src/till.py").state in ("fresh", "changed", "unknown")
    assert looked(shop, "src/cart.py").state in ("gone", "unknown")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("src/a.py", "file"), ("Makefile.am", None), ("./run", "file"), ("docs/", "file"), ("a/b/c", "file"),
     ("--no-cache", "flag"), ("-x", None), ("lock_cart()", "symbol"), ("lockCart", "symbol"),
     ("https://a.b/c.py", None), ("v1.2.3", None), ("0f3c2a1b9", None), ("and/or", None),
     ("ada@shop.py", None), ("$HOME/a.py", None), ("os.Getwd", None), ("SHA-256", None)],
)  # fmt: skip
def test_names_are_told_apart_by_their_shape(name: str, kind: str | None) -> None:
    assert grounds.kind_of(name) == kind


def test_a_projects_commands_are_told_by_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("lint fmt: x\n\tgo vet\nX := 1\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"scripts": {"check": "tsc"}}', encoding="utf-8")
    (tmp_path / "mise-tasks" / "test").mkdir(parents=True)
    (tmp_path / "mise-tasks" / "test" / "ci").write_text("#!/bin/sh\n", encoding="utf-8")
    tree = Tree(tmp_path)
    told = {line: scripts.defines(tree, line) for line in (
        "make lint", "make fmt", "make gone", "npm run check", "pnpm run gone", "npm install",
        "mise run test:ci", "just a", "cargo build",
    )}  # fmt: skip
    assert told == {
        "make lint": True, "make fmt": True, "make gone": False, "npm run check": True,
        "pnpm run gone": False, "npm install": None, "mise run test:ci": True, "just a": None,
        "cargo build": None,
    }  # fmt: skip


@pytest.fixture
async def bank(settings: Settings, shop: Grown) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(shop.root)) as bank:
        yield bank


async def kept(bank: MemoryBank, text: str, *files: str) -> str:
    return (await bank.retain(Draft(text=text, files=files, project=bank.rooms.project))).ref


async def test_a_memory_keeps_the_hashes_of_its_files_and_says_what_became_of_them(
    bank: MemoryBank, shop: Grown
) -> None:
    ref = await kept(bank, "The till is opened by `make open`.", "src/till.py", "src/basket.py")
    page = (await bank.fetch(Reading(refs=[ref]))).items[0].text
    assert "Now: src/till.py fresh; src/basket.py fresh; make open unknown" in page
    (shop.root / "src/till.py").write_text("another", encoding="utf-8")
    shop.commit("move again", src__basket_dot_py=None, src__bag_dot_py=f"{LINES}\nmore")
    page = (await bank.fetch(Reading(refs=[ref]))).items[0].text
    assert "src/till.py changed; src/basket.py gone: renamed to src/bag.py in" in page
    (stale,) = await freshness.stale(bank.rooms)
    assert (stale.ref, len(stale.told)) == (ref, 2)


async def test_a_hit_whose_file_is_gone_says_so_within_the_budget(
    bank: MemoryBank, shop: Grown
) -> None:
    ref = await kept(bank, "Never write to the basket without its lock.", "src/basket.py")
    assert (await bank.search(Query(texts=("write to the basket",)))).hits[0].later == ()
    shop.commit("drop", src__basket_dot_py=None)
    (hit, *_) = (await bank.search(Query(texts=("write to the basket",)))).hits
    assert hit.ref == ref
    assert hit.later[0].startswith("src/basket.py gone")
    small = await bank.search(Query(texts=("write to the basket",), budget_tokens=60))
    assert all(one.later == () for one in small.hits)


async def test_where_files_are_of_another_machine_nothing_is_said(
    bank: MemoryBank, settings: Settings, shop: Grown
) -> None:
    ref = await kept(bank, "The till is slow.", "src/till.py")
    async with open_bank(settings.model_copy(update={"local_paths": False})) as other:
        assert "Now:" not in (await other.fetch(Reading(refs=[ref]))).items[0].text
        assert await freshness.stale(other.rooms) == []


def test_ten_looks_take_little_time_once_they_are_warm(shop: Grown) -> None:
    for n in range(10):
        shop.commit(f"{n}", **{f"src__f{n}_dot_py": f"{n}"})
    named = [Ground("file", f"src/f{n}.py") for n in range(10)]
    tree = Tree(shop.root)
    looking.look(tree, named, BEGUN, Deadline(5))
    begun = time.process_time()
    looking.look(tree, named, BEGUN, Deadline(5))
    assert time.process_time() - begun < 0.1  # 5 ms; what waits for others' work is not counted


def test_the_worst_of_what_is_named_is_the_state_of_all() -> None:
    told = [Looked("a", "fresh"), Looked("b", "changed"), Looked("c", "gone")]
    assert [looking.worst(told[:n]) for n in range(4)] == ["unknown", "fresh", "changed", "gone"]


def test_a_memory_of_before_has_no_hashes_and_is_read() -> None:
    old = {"ref": "m:000000000000", "version": 1, "kind": "fact", "text": "x", "batch": "b",
           "created_at": BEGUN}  # fmt: skip
    assert Memory.model_validate(old).seen == {}
