"""What a memory rests on comes back with a restore, and two of three sessions are enough."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.models import Draft, Evidence, Memory, Standing, State
from mcp_memory.search import spans
from mcp_memory.settings import Settings

LEARNED = "The till opens on port 8080."


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = [
        kept(
            tmp_path / f"{n}.jsonl",
            talk(str(n) * 8, f"Open the till, day {n}.", f"Opened the till on port 8080, {n}."),
        )
        for n in range(1, 4)
    ]
    async with open_bank(settings, cwd="/home/ada/shop") as bank:
        await bank.index(paths)
        yield bank


async def learned(bank: MemoryBank, sessions: list[str]) -> str:
    cited = tuple(Evidence(ref=f"{ref}#1-2") for ref in sessions)
    made = await bank.retain(Draft(text=LEARNED, evidence=cited))
    assert made.standing is Standing.ESTABLISHED
    return made.ref


async def sessions(bank: MemoryBank) -> list[str]:
    return [each.ref for each in await bank.listing("sessions")]


async def memory(bank: MemoryBank, ref: str) -> Memory:
    return await spans.current(bank.rooms, ref)


@pytest.mark.parametrize("part", ["", "#2"])
async def test_restoring_gives_evidence_and_standing_back(bank: MemoryBank, part: str) -> None:
    found = (await sessions(bank))[:2]
    ref = await learned(bank, found)
    before = await memory(bank, ref)
    await bank.delete([found[0] + part], mode="forget")
    assert (await memory(bank, ref)).standing is Standing.CANDIDATE
    await bank.delete([found[0] + part], mode="restore")
    after = await memory(bank, ref)
    assert after.standing is Standing.ESTABLISHED
    assert {each.ref for each in after.evidence} == {each.ref for each in before.evidence}


async def test_restoring_brings_back_what_went_with_its_evidence(bank: MemoryBank) -> None:
    found = (await sessions(bank))[:1]
    cited = (Evidence(ref=f"{found[0]}#1-2"),)
    ref = (await bank.retain(Draft(text=LEARNED, evidence=cited))).ref
    await bank.delete(found, mode="forget")
    assert (await memory(bank, ref)).state is State.FORGOTTEN
    await bank.delete(found, mode="restore")
    after = await memory(bank, ref)
    assert (after.state, after.evidence) == (State.LIVE, cited)


async def test_two_of_three_sessions_still_are_a_quorum(bank: MemoryBank) -> None:
    found = await sessions(bank)
    ref = await learned(bank, found)
    await bank.delete(found[:1], mode="forget")
    assert (await memory(bank, ref)).standing is Standing.ESTABLISHED
    assert len((await memory(bank, ref)).evidence) == 2
    await bank.delete(found[1:2], mode="forget")
    assert (await memory(bank, ref)).standing is Standing.CANDIDATE


async def test_a_purge_of_one_of_three_leaves_it_standing(bank: MemoryBank) -> None:
    found = await sessions(bank)
    ref = await learned(bank, found)
    preview = await bank.delete(found[:1])
    await bank.delete(found[:1], mode="purge", confirm=preview.confirm or "")
    assert (await memory(bank, ref)).standing is Standing.ESTABLISHED


async def test_a_memory_forgotten_alone_does_not_come_back_with_a_session(bank: MemoryBank) -> None:
    found = (await sessions(bank))[:2]
    ref = await learned(bank, found)
    await bank.delete([ref], mode="forget")
    await bank.delete(found[:1], mode="forget")
    await bank.delete(found[:1], mode="restore")
    assert (await memory(bank, ref)).state is State.FORGOTTEN
    await bank.delete([ref], mode="restore")
    assert (await memory(bank, ref)).state is State.LIVE
