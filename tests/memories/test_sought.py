"""What is searched for again and again is proposed first; what a plan itself names is not searched for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from failing_session import session

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.memories.experience import Known
from mcp_memory.memories.planning import LEAST_WORTH, MOST_SOUGHT, SOUGHT
from mcp_memory.settings import Settings
from mcp_memory.store import counts


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        for n in (1, 2):
            name = f"0c8a6e3e-0000-4000-8000-00000000000{n}"
            await bank.index([session(tmp_path, name, f"make them pass, {n}", f"2026-03-0{n}")])
        yield bank


async def test_steps_that_a_search_found_and_somebody_opened_count(bank: MemoryBank) -> None:
    (group,) = (await bank.plan()).groups
    await bank.fetch(Reading(refs=group.refs))
    await bank.fetch(Reading(refs=group.refs, match=group.match))
    assert (await bank.plan()).groups[0].support.sought == 0, "a plan's own reading is no search"
    found = await bank.search(Query(texts=("No module named flask",), kinds=("step",)))
    step = next(hit.ref for hit in found.hits if hit.ref.endswith(("#2", "#4", "#3")))
    for _ in range(3):
        await bank.fetch(Reading(refs=[step]))
    assert (await bank.plan()).groups[0].support.sought == 3
    whole = step.partition("#")[0]
    await bank.fetch(Reading(refs=[whole]))
    assert (await bank.plan()).groups[0].support.sought == 3, (
        "a whole session says nothing of a step"
    )


def test_they_lift_a_proposal_by_no_more_than_two_sessions() -> None:
    assert SOUGHT * MOST_SOUGHT == 2
    assert LEAST_WORTH > SOUGHT * 2, "a search or two make nothing of what nobody met twice"
    assert Known().sought == {}


def test_what_is_kept_of_searches_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "FOLDED_BYTES", 1_000)
    monkeypatch.setattr(counts, "MOST_SOUGHT", 5)
    for number in range(200):
        counts.note(tmp_path, "sought", [f"t:abc#{number % 20}", "t:abc#7"])
    told = counts.read(tmp_path)["sought"]
    assert told["t:abc#7"] > 100
    assert len(told) < 40
