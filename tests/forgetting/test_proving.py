"""What was asked when something was worked out still finds it, or the memory of it, after a batch."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import GateRefused
from mcp_memory.domain.models import Draft, Evidence, MemoryKind, State
from mcp_memory.forgetting import proving
from mcp_memory.memories import consolidate
from mcp_memory.search import spans
from mcp_memory.search.composing import refs_of
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where

SHOP = "/home/ada/shop"
GOAL = "Why does the till in the cellar not ring at night"
TILL = "Ring it at port 8080."
BELL = "The bell of the attic is wired to relay-7 at night by the caretaker of the house."
KEY = "The brass key of the porch hangs on hook 12, beside the stairs that lead to the garden."
SAYS = {
    "1": (GOAL, "Ring it at port 8080."),
    "2": ("The cellar again, please look.", "Ring it at port 8080."),
    "3": ("Set up the bell.", f"{BELL} {KEY}"),
    "4": ("And the other bell.", f"{BELL} {KEY}"),
}


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = [
        kept(tmp_path / f"{n}.jsonl", talk(n * 8, *said, day=f"2026-03-0{n}"))
        for n, said in SAYS.items()
    ]
    # An answer with room for little more than one hit: what comes first takes it from the others.
    tight = settings.model_copy(update={"search_tokens": 100})
    async with open_bank(tight, cwd=SHOP) as bank:
        await bank.index(paths)
        yield bank


async def cited(bank: MemoryBank, *days: int) -> tuple[Evidence, ...]:
    found = await bank.listing("sessions")
    return tuple(Evidence(ref=f"{s.ref}#2") for s in found if s.at and s.at.day in days)


async def drafts(bank: MemoryBank) -> list[Draft]:
    """A memory of the till, and two of other things that push themselves before it."""
    other = await cited(bank, 3, 4)
    conditions = {"kind": MemoryKind.GOTCHA, "when_to_use": GOAL}
    return [
        Draft(text=TILL, evidence=await cited(bank, 1, 2)),
        *(Draft(text=text, evidence=other, **conditions) for text in (BELL, KEY)),
    ]


async def found(bank: MemoryBank) -> list[str]:
    return [ref for hit in (await bank.search(Query(texts=(GOAL,)))).hits for ref in refs_of(hit)]


async def test_a_batch_that_hides_what_was_found_is_taken_back(bank: MemoryBank) -> None:
    before = await found(bank)
    with pytest.raises(GateRefused, match="memory 1: 'Why does the till") as refused:
        await bank.apply(await drafts(bank))
    assert "say in title or when_to_use what this asks for" in str(refused.value)
    assert "It was taken back as b:" in str(refused.value)
    assert await found(bank) == before
    rows = await bank.rooms.store.find("memories", Where(states=()))
    newest = {row.key: row.state for row in sorted(rows, key=lambda row: row.version)}
    assert set(newest.values()) == {State.FORGOTTEN.value}


async def test_said_so_that_it_is_found_it_is_kept(bank: MemoryBank) -> None:
    till, *others = await drafts(bank)
    plain = {"kind": MemoryKind.FACT, "when_to_use": ""}
    done = await bank.apply([till, *(one.model_copy(update=plain) for one in others)])
    assert done.batch


async def test_without_the_look_the_same_batch_hides_it(bank: MemoryBank) -> None:
    """The mechanism off: what this proves is not so by itself."""
    before = await found(bank)
    made = await drafts(bank)
    done = await consolidate.apply(bank.rooms, made, retire=())
    (asked, *_) = [
        one for one in await proving._questions(bank.rooms, made, ()) if one.text == GOAL
    ]
    (after,) = await proving._found(bank.rooms, [asked])
    assert proving._holds(asked, before)
    assert not proving._holds(asked, after)
    told = [(await spans.current(bank.rooms, ref)).text for ref in after if ref in done.refs]
    assert sorted(told) == sorted([BELL, KEY])
