"""What stands is overthrown by nothing weaker, and an explicit correction stays one."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from tour_sessions import evidence, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.errors import GateRefused, InvalidInput
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Draft, Memory, MemoryKind, Retained, State
from mcp_memory.hooks import digests
from mcp_memory.search import spans
from mcp_memory.settings import Settings

LEARNED = 'open() without encoding raises UnicodeEncodeError; pass encoding="utf-8"'
OTHERWISE = "open() without encoding never raises UnicodeEncodeError"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


async def established(bank: MemoryBank, **fields: object) -> Retained:
    told = {"text": LEARNED, "evidence": await evidence(bank)} | fields
    return await bank.retain(Draft.model_validate(told))


async def memory(bank: MemoryBank, ref: str) -> Memory:
    return await spans.current(bank.rooms, ref)


async def hits(bank: MemoryBank) -> dict[str, Hit]:
    asked = Query(texts=("open encoding UnicodeEncodeError",), kinds=("fact", "procedure"))
    return {hit.ref: hit for hit in (await bank.search(asked)).hits}


async def test_a_candidate_stands_beside_what_is_established_as_its_challenger(
    bank: MemoryBank,
) -> None:
    old = await established(bank)
    new = await bank.retain(Draft(text=OTHERWISE, supersedes=old.ref))
    kept = await memory(bank, old.ref)
    assert (kept.state, kept.superseded_by, kept.challenged_by) == (State.LIVE, None, (new.ref,))
    assert digests.stands(kept)
    assert any("challenger" in note for note in new.notes)
    assert (await hits(bank))[old.ref].flags == (f"challenged by {new.ref}",)


async def test_a_challenger_that_comes_to_stand_supersedes(bank: MemoryBank) -> None:
    old = await established(bank)
    text = "UnicodeEncodeError means that open() was called without encoding"
    await bank.retain(Draft(text=text, supersedes=old.ref))
    new = await established(bank, text=text, supersedes=old.ref)
    kept = await memory(bank, old.ref)
    assert (kept.state, kept.superseded_by, kept.challenged_by) == (
        State.SUPERSEDED,
        new.ref,
        (),
    )


async def test_undoing_a_challenger_leaves_no_word_of_it(bank: MemoryBank) -> None:
    old = await established(bank)
    new = await bank.retain(Draft(text=OTHERWISE, supersedes=old.ref))
    await bank.undo(new.batch)
    assert (await memory(bank, old.ref)).challenged_by == ()


async def test_saying_an_old_belief_again_does_not_bring_it_back(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    new = await bank.retain(Draft(text="the export listens on port 9090", supersedes=old.ref))
    again = await bank.retain(Draft(text="the export listens on port 8080"))
    cited = await bank.retain(
        Draft(text="the export listens on port 8080", evidence=await evidence(bank))
    )
    assert not again.created
    assert not cited.created
    assert new.ref in again.notes[0]
    assert (await memory(bank, old.ref)).state is State.SUPERSEDED
    found = await bank.search(Query(texts=("which port does the export listen on",)))
    assert found.hits[0].ref == new.ref
    assert found.hits[0].flags == ()


async def test_a_correction_is_taken_back_by_superseding_it(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    new = await bank.retain(Draft(text="the export listens on port 9090", supersedes=old.ref))
    back = await bank.retain(Draft(text="the export listens on port 8080", supersedes=new.ref))
    assert back.ref == old.ref
    assert (await memory(bank, old.ref)).state is State.LIVE
    assert (await memory(bank, new.ref)).superseded_by == old.ref


async def test_a_memory_has_one_live_successor(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    new = await bank.retain(Draft(text="the export listens on port 9090", supersedes=old.ref))
    with pytest.raises(GateRefused, match=new.ref):
        await bank.retain(Draft(text="the export listens on port 7070", supersedes=old.ref))
    await bank.delete([old.ref], mode="forget")
    with pytest.raises(GateRefused, match="forgotten"):
        await bank.retain(Draft(text="the export listens on port 7070", supersedes=old.ref))


async def test_of_two_who_supersede_at_once_one_is_told_of_the_other(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    ends: list[object] = []

    async def supersede(port: int) -> None:
        draft = Draft(text=f"the export listens on port {port}", supersedes=old.ref)
        try:
            ends.append((await bank.retain(draft)).ref)
        except GateRefused as refused:
            ends.append(str(refused))

    async with anyio.create_task_group() as tasks:
        for port in (9090, 7070, 6060):
            tasks.start_soon(supersede, port)
    kept = await memory(bank, old.ref)
    assert ends.count(kept.superseded_by) == 1
    assert sum(f"was superseded by {kept.superseded_by} already" in str(end) for end in ends) == 2


async def test_two_drafts_of_one_batch_cannot_supersede_the_same(bank: MemoryBank) -> None:
    old = await established(bank)
    cited = await evidence(bank)
    said = ("open() needs encoding, else UnicodeEncodeError", "UnicodeEncodeError comes of open()")
    drafts = [Draft(text=text, evidence=cited, supersedes=old.ref) for text in said]
    with pytest.raises(GateRefused, match="a memory has one successor"):
        await bank.apply(drafts)
    assert (await memory(bank, old.ref)).state is State.LIVE


async def test_what_was_retired_is_flagged_and_no_procedure(bank: MemoryBank) -> None:
    fields = {"kind": MemoryKind.PROCEDURE, "when_to_use": "writing files"}
    old = await established(bank, **fields)
    said = 'pass encoding="utf-8" to open(), else UnicodeEncodeError'
    draft = Draft.model_validate({"text": said, "evidence": await evidence(bank)} | fields)
    await bank.apply([draft], retire=[old.ref])
    assert (await hits(bank))[old.ref].flags == ("retired",)
    made = await bank.runbook(Task(text="open() encoding UnicodeEncodeError writing files"))
    lines = {section.title: " ".join(section.lines) for section in made.sections}
    assert old.ref not in lines.get("Procedures", "")
    assert old.ref in lines["No longer holds"]
    again = await established(bank, **fields)
    assert not again.created


async def test_many_good_memories_are_not_collapsed_into_one_that_says_less(
    bank: MemoryBank,
) -> None:
    old = await established(bank)
    less = Draft(
        text="Files of the shop raise UnicodeEncodeError: see history.",
        evidence=await evidence(bank),
    )
    with pytest.raises(GateRefused, match="nothing that is kept says"):
        await bank.apply([less], retire=[old.ref])
    assert (await memory(bank, old.ref)).state is State.LIVE


async def test_a_successor_that_is_forgotten_names_what_it_leaves_behind(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    new = await bank.retain(Draft(text="the export listens on port 9090", supersedes=old.ref))
    done = await bank.delete([new.ref], mode="forget")
    assert done.notes == (f"{old.ref} was superseded by {new.ref}: mode=restore brings it back.",)
    await bank.delete([old.ref], mode="restore")
    kept = await memory(bank, old.ref)
    assert (kept.state, kept.superseded_by) == (State.LIVE, None)


async def test_a_batch_is_undone_once_until_that_is_undone(bank: MemoryBank) -> None:
    kept = await bank.retain(Draft(text="the export listens on port 8080"))
    undone = await bank.undo(kept.batch)
    with pytest.raises(InvalidInput, match=undone.batch):
        await bank.undo(kept.batch)
    await bank.undo(undone.batch or "")
    assert (await memory(bank, kept.ref)).state is State.LIVE
    assert (await bank.undo(kept.batch)).batch
