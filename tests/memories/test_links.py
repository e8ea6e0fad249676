"""Memories that share evidence, a file, an error or a subject are one step apart, and say why."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from failing_session import session
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.models import Draft, Evidence, Memory, MemoryKind, SourceClass, Standing
from mcp_memory.memories import links
from mcp_memory.settings import Settings

A, B = (refs.trajectory_id("test", name) for name in "ab")


def memory(name: str, text: str, **known: object) -> Memory:
    fixed = {"ref": f"m:{refs.short_hash(name)}", "version": 1, "kind": "fact", "text": text}
    at = {"created_at": datetime(2026, 3, 1, tzinfo=UTC), "batch": "b"}
    return Memory.model_validate(fixed | at | known)


def cited(session: str, first: int, last: int) -> tuple[Evidence, ...]:
    return (Evidence(ref=refs.span(session, first, last)),)


def tied(one: Memory, *others: Memory) -> list[tuple[str, str]]:
    names = {other.ref: other.text for other in others}
    return [(names[link.ref], link.reason) for link in links.of([one.ref], [one, *others])[one.ref]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ("", "KeyError: 'price'", "`load_cart()` and `--fast-mode` in src/cart.py")
            ),
            st.sampled_from(((), cited(A, 1, 3), cited(A, 3, 9), cited(B, 3, 9))),
            st.sampled_from(((), ("till",), ("till", "cart"))),
        ),
        max_size=12,
    )
)
def test_what_comparing_every_pair_finds_is_found(
    told: list[tuple[str, tuple[Evidence, ...], tuple[str, ...]]],
) -> None:
    every = [
        memory(f"{n}", f"Number {n}. {text}", evidence=evidence, tags=tags)
        for n, (text, evidence, tags) in enumerate(told)
    ]
    traits = {one.ref: links._traits(one) for one in every}
    common = links._common(traits.values())
    found = links.of(list(traits), every)
    for one, mine in traits.items():
        pairs = {other for other, its in traits.items() if list(links._shared(mine, its, common))}
        assert {link.ref for link in found[one]} == pairs - {one}


def test_each_reason_is_told_the_closest_first() -> None:
    one = memory(
        "one",
        "KeyError: 'price'\ncomes from `load_cart()` and `--fast-mode` in src/cart.py",
        evidence=cited(A, 3, 9),
        tags=("till",),
    )
    others = (
        memory("tag", "Close it at night.", tags=("Till",)),
        memory("names", "`load_cart()` ignores `--fast-mode`"),
        memory("file", "src/cart.py is generated."),
        memory("error", "KeyError: 'price'\nmeans that the list is old."),
        memory("steps", "Ask Ada.", evidence=cited(A, 9, 12)),
        memory("none", "Unlike.", evidence=cited(A, 10, 12)),
        memory("away", "Elsewhere.", evidence=cited(B, 3, 9)),
    )
    found = tied(one, *others)
    assert found[:3] == [
        ("Ask Ada.", "the same evidence"),
        ("KeyError: 'price'\nmeans that the list is old.", "error KeyError: 'price'"),
        ("src/cart.py is generated.", "file src/cart.py"),
    ]
    assert set(found[3:]) == {
        ("Close it at night.", "subject till"),
        ("`load_cart()` ignores `--fast-mode`", "subject --fast-mode, load_cart"),
    }


def test_one_name_is_no_subject_and_what_all_share_ties_none() -> None:
    one = memory("one", "`load_cart()` is slow")
    assert tied(one, memory("two", "`load_cart()` is old")) == []
    many = [memory(str(n), f"{n}: src/main.py", tags=("all",)) for n in range(12)]
    assert tied(many[0], *many[1:]) == []


def test_a_memory_is_told_once_by_its_closest_tie() -> None:
    one = memory("one", "src/a.py", evidence=cited(A, 1, 2))
    two = memory("two", "src/a.py too", evidence=cited(A, 2, 3))
    assert tied(one, two) == [("src/a.py too", "the same evidence")]
    found = links.of([one.ref, two.ref], [one, two])
    assert links.among(found, (), 3) == []


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([session(tmp_path, "one")])
        yield bank


async def kept(bank: MemoryBank, text: str, kind: MemoryKind, *files: str) -> str:
    """A memory that stands: the user typed it."""
    from mcp_memory.memories import retain

    draft = Draft(text=text, kind=kind, files=files)
    made = await retain.retain(bank.rooms, draft, by=SourceClass.USER)
    assert made.standing is Standing.ESTABLISHED
    return made.ref


async def test_one_hop_stands_beside_a_hit_in_a_page_and_in_a_runbook(bank: MemoryBank) -> None:
    ref = await kept(bank, "Batches are written by the night job.", MemoryKind.FACT, "src/db.py")
    near = await kept(bank, "The lock is held for a minute.", MemoryKind.GOTCHA, "src/db.py")
    reason = "file src/db.py"
    found = await bank.search(Query(texts=("who writes batches at night",), kinds=("fact",)))
    assert found.hits[0].linked == (f"{near} ({reason})",)
    assert f"Linked: {near} ({reason})" in (await bank.fetch(Reading(refs=[ref]))).items[0].text
    made = await bank.runbook(Task(text="speed up the night job that writes batches"))
    (gotcha,) = next(each.lines for each in made.sections if each.title == "Gotchas")
    assert gotcha.endswith(near)
    small = await bank.search(Query(texts=("who writes batches at night",), budget_tokens=60))
    assert all(hit.linked == () for hit in small.hits)
