"""Undo: the newest first, only what a batch brought, and searches as they were, to the byte."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio.from_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from talks import kept, talk
from trials import tried

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import GateRefused, InvalidInput
from mcp_memory.domain.models import Draft, Evidence, Outcome, State
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where

ASKED = (
    "which port does the till open",
    "drawer of the shop",
    "till port 8080 drawer",
    "cellar key",
)
TALKS = [
    talk("1" * 8, "Open the till, day 1.", "Opened the till on port 8080, with the drawer locked."),
    talk(
        "2" * 8,
        "Open the till, day 2.",
        "Opened the till on port 8080; the cellar key hangs there.",
    ),
]


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd="/home/ada/shop") as bank:
        await bank.index([kept(tmp_path / f"{n}.jsonl", one) for n, one in enumerate(TALKS)])
        await bank.retain(Draft(text="The drawer of the shop is locked at night."))
        yield bank


async def answers(bank: MemoryBank) -> list[str]:
    return [(await bank.search(Query(texts=(text,)))).model_dump_json() for text in ASKED]


async def scores(bank: MemoryBank) -> list[object]:
    """What words are worth, unrounded: this is where the dead would still count."""
    by_words = bank.rooms.store.by_words
    where = Where(states=("live", "superseded"))
    return [await by_words("memories", text, column=column, where=where, limit=20)
            for text in ASKED for column in ("text", "context")]  # fmt: skip


async def told(bank: MemoryBank) -> str:
    hits = (
        await bank.search(Query(texts=("violet lamp attic drawer locked till",), limit=20))
    ).hits
    return "\n".join(hit.text for hit in hits)


async def state(bank: MemoryBank, ref: str) -> State:
    return (await spans.current(bank.rooms, ref)).state


async def test_what_stands_in_the_way_is_named_and_nothing_is_changed(bank: MemoryBank) -> None:
    first = await bank.retain(Draft(text="The till opens on port 8080."))
    second = await bank.retain(Draft(text="The till opens on port 9090.", supersedes=first.ref))
    third = await bank.retain(Draft(text="The till opens on port 7070.", supersedes=second.ref))
    with pytest.raises(InvalidInput, match=third.batch):
        await bank.undo(second.batch)
    with pytest.raises(InvalidInput, match=second.batch):
        await bank.undo(first.batch)
    assert await state(bank, third.ref) is State.LIVE
    await bank.undo(third.batch)
    await bank.undo(second.batch)
    live = [await state(bank, one.ref) for one in (first, second, third)]
    assert live == [State.LIVE, State.FORGOTTEN, State.FORGOTTEN]


async def test_what_was_taken_back_stands_in_nobodys_way(bank: MemoryBank) -> None:
    first = await bank.retain(Draft(text="The till opens on port 8080."))
    second = await bank.retain(Draft(text="The till opens on port 9090.", supersedes=first.ref))
    undone = await bank.undo(second.batch)
    await bank.undo(undone.batch or "")
    with pytest.raises(InvalidInput, match=second.batch):
        await bank.undo(first.batch)
    await bank.undo(second.batch)
    await bank.undo(first.batch)
    assert await state(bank, first.ref) is State.FORGOTTEN


async def test_undoing_a_batch_that_grew_a_session_takes_back_what_it_brought(
    bank: MemoryBank, tmp_path: Path
) -> None:
    began = (await bank.listing("changes"))[-1].ref
    longer = talk("1" * 8, "Open the till, day 1.",
                  "Opened the till on port 8080, with the drawer locked.",
                  "And the violet lamp?", "The violet lamp burns in the attic.")  # fmt: skip
    await bank.index([kept(tmp_path / "0.jsonl", longer)])
    batch = (await bank.listing("changes"))[0].ref
    assert "violet lamp" in await told(bank)
    with pytest.raises(InvalidInput, match=batch):
        await bank.undo(began)
    undone = await bank.undo(batch)
    assert "violet lamp" not in await told(bank)
    kept_ = await bank.fetch(Reading(refs=[f"{(await bank.listing('sessions'))[-1].ref}#1-2"]))
    assert "with the drawer locked" in kept_.items[0].text
    await bank.undo(undone.batch or "")
    assert "violet lamp" in await told(bank)


async def test_a_batch_that_only_made_a_session_anew_has_nothing_to_take_back(
    bank: MemoryBank, tmp_path: Path
) -> None:
    edited = [one | {"version": "2.2.0"} for one in TALKS[0]]
    await bank.index([kept(tmp_path / "0.jsonl", edited)])
    batch = (await bank.listing("changes"))[0].ref
    with pytest.raises(InvalidInput, match="made anew"):
        await bank.undo(batch)
    assert (await bank.search(Query(texts=("till port",)))).found


async def test_all_since_a_moment_is_taken_back_newest_first(bank: MemoryBank) -> None:
    before = await answers(bank)
    moment = datetime.now(UTC)
    first = await bank.retain(Draft(text="The till opens on port 8080."))
    await bank.retain(Draft(text="The till opens on port 9090.", supersedes=first.ref))
    await bank.feedback([first.ref], Outcome.SUCCESS)
    taken = await bank.undo("", since=moment)
    assert len(taken.refs) == 3
    assert await answers(bank) == before
    assert await bank.rooms.usage() == {}
    assert "Nothing" in (await bank.undo("", since=moment)).notes[0]


async def test_dead_versions_leave_the_word_statistics(
    bank: MemoryBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.rooms.store.maintain(force=True)
    before, weighed = await answers(bank), await scores(bank)
    kept_ = await bank.retain(
        Draft(text="The till till till of the shop has a drawer, a port, a key.")
    )
    await bank.rooms.store.maintain(force=True)
    await bank.undo(kept_.batch)
    assert (await answers(bank), await scores(bank)) == (before, weighed)

    async def loud(*_: object) -> None:
        """The mechanism switched off: words of the dead stay."""

    monkeypatch.setattr("mcp_memory.store.changes.quieten", loud)
    again = await bank.retain(
        Draft(text="The till till till has a port, a drawer and a shop, too.")
    )
    await bank.undo(again.batch)
    assert await scores(bank) != weighed


_texts = st.sampled_from(
    [
        "The till opens on port 8080.",
        "The drawer of the shop is locked at noon.",
        "The cellar key hangs by the till of the shop.",
        "Port 8080 is the till's, port 9090 the drawer's.",
    ]
)
_steps = st.lists(
    st.tuples(st.sampled_from(["retain", "supersede", "feedback", "forget", "apply"]), _texts),
    min_size=1,
    max_size=2,
)


async def _done(bank: MemoryBank, what: str, text: str) -> str:
    """One change; the batch of it, empty where nothing was changed."""
    memories = [each.ref for each in await bank.listing("memories")]
    evidence = tuple(Evidence(ref=f"{each.ref}#1-2") for each in await bank.listing("sessions"))
    match what:
        case "retain":
            return (await bank.retain(Draft(text=text))).batch
        case "supersede":
            return (await bank.retain(Draft(text=f"{text} Now.", supersedes=memories[0]))).batch
        case "feedback":
            return (await bank.feedback(memories[:1], Outcome.FAILURE)).batch
        case "forget":
            return (await bank.delete(memories[:1], mode="forget")).batch or ""
        case _:
            made = await bank.apply(
                (Draft(text="The till opens on port 8080.", evidence=evidence),)
            )
            return made.batch or ""


async def _round(bank: MemoryBank, steps: list[tuple[str, str]]) -> None:
    """Some changes, and all of them taken back, newest first."""
    known = {row.batch for row in await bank.rooms.store.ledger()}
    batches = []
    for what, text in steps:
        try:
            batch = await _done(bank, what, text)
        except (GateRefused, InvalidInput):
            continue
        if batch and batch not in known:
            known.add(batch)
            batches.append(batch)
    for batch in reversed(batches):
        await bank.undo(batch)


@pytest.mark.timeout(6_000)
def test_whatever_is_done_and_undone_searches_are_the_same_to_the_byte(
    settings: Settings, tmp_path: Path
) -> None:
    paths = [kept(tmp_path / f"{n}.jsonl", one) for n, one in enumerate(TALKS)]

    async def opened() -> tuple[object, MemoryBank]:
        context = open_bank(settings, cwd="/home/ada/shop")
        bank = await context.__aenter__()
        await bank.index(paths)
        await bank.retain(Draft(text="The drawer of the shop is locked at night."))
        return context, bank

    with anyio.from_thread.start_blocking_portal() as portal:
        context, bank = portal.call(opened)
        before, weighed = portal.call(answers, bank), portal.call(scores, bank)

        @tried(20)
        @given(_steps)
        def any_steps(steps: list[tuple[str, str]]) -> None:
            portal.call(_round, bank, steps)
            assert portal.call(answers, bank) == before
            assert portal.call(scores, bank) == weighed

        any_steps()
        portal.call(context.__aexit__, None, None, None)  # type: ignore[attr-defined]
