"""Feedback counts for what was said of it, and can be taken back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Draft, Evidence, Outcome
from mcp_memory.settings import Settings

LEARNED = "open() without encoding raises UnicodeEncodeError"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


async def test_counters_belong_to_the_words_and_outlive_a_new_version(bank: MemoryBank) -> None:
    kept = await bank.retain(Draft(text=LEARNED))
    await bank.feedback([kept.ref], Outcome.SUCCESS)
    session = (await bank.listing("sessions"))[0].ref
    again = await bank.retain(Draft(text=LEARNED, evidence=(Evidence(ref=f"{session}#1-6"),)))
    assert (again.ref, again.version) == (kept.ref, 2)
    await bank.feedback([kept.ref], Outcome.FAILURE)
    assert await bank.rooms.usage() == {kept.ref: (2, 1)}


async def test_a_use_of_unknown_outcome_is_no_failure(bank: MemoryBank) -> None:
    kept = await bank.retain(Draft(text=LEARNED))
    for _ in range(5):
        await bank.feedback([kept.ref], Outcome.UNKNOWN)
    assert await bank.rooms.usage() == {}
    assert not any(group.reason == "unhelpful" for group in (await bank.plan()).groups)


async def test_feedback_is_undone_once_and_given_back(bank: MemoryBank) -> None:
    kept = await bank.retain(Draft(text=LEARNED))
    given = await bank.feedback([kept.ref], Outcome.FAILURE)
    undone = await bank.undo(given.batch)
    assert await bank.rooms.usage() == {}
    with pytest.raises(InvalidInput, match="already"):
        await bank.undo(given.batch)
    await bank.undo(undone.batch or "")
    assert await bank.rooms.usage() == {kept.ref: (1, 0)}
