"""A bank lent to a dream: read within a budget, one batch, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import GateRefused, InvalidInput, NotAllowed
from mcp_memory.domain.models import Draft, Evidence, Outcome
from mcp_memory.server import dreaming
from mcp_memory.server.dreaming import Budget, Dream
from mcp_memory.settings import Settings


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


def budget(tmp_path: Path, **told: int) -> Budget:
    return Budget.model_validate(
        {"id": "dream 1", "proposals": 2, "tokens": 2_000, "note": tmp_path / "spent.json"} | told
    )


async def draft(bank: MemoryBank, text: str) -> Draft:
    cited = tuple(Evidence(ref=f"{s.ref}#1-6") for s in await bank.listing("sessions"))
    return Draft(text=text, evidence=cited)


async def test_reading_ends_with_the_budget_and_what_was_read_can_still_be_applied(
    bank: MemoryBank, tmp_path: Path
) -> None:
    dream = Dream(budget(tmp_path))
    lent = dream.over(bank)
    refs = [one.ref for one in await bank.listing("sessions")]
    with pytest.raises(InvalidInput, match="budget of 2,000 tokens is read"):
        for _ in range(40):
            await lent.fetch(Reading(refs=refs))
    with pytest.raises(InvalidInput, match="is read"):
        await lent.search(Query(texts=("export",)))
    assert dream.spent.tokens < 2_600, "the last answer was cut to what was left"
    text = 'open() without encoding raises UnicodeEncodeError; pass encoding="utf-8"'
    kept = await lent.apply([await draft(bank, text)])
    assert dreaming.spent(dream.budget.note).batch == kept.batch
    changes = await bank.listing("changes")
    assert any("dream 1" in mark for mark in (changes[0].title, *changes[0].marks))


async def test_one_batch_is_taken_and_no_more_than_was_allowed(
    bank: MemoryBank, tmp_path: Path
) -> None:
    lent = Dream(budget(tmp_path)).over(bank)
    good = await draft(
        bank, 'open() without encoding raises UnicodeEncodeError; pass encoding="utf-8"'
    )
    with pytest.raises(InvalidInput, match="more than the 2"):
        await lent.apply([good] * 3)
    with pytest.raises(GateRefused):
        await lent.apply([await draft(bank, "Kubernetes 1.31 is what the export needs.")])
    await lent.apply([good])
    with pytest.raises(NotAllowed, match="has its batch"):
        await lent.apply([good])
    assert lent._dream.spent.refused == 1


async def test_a_dream_deletes_undoes_and_claims_nothing(bank: MemoryBank, tmp_path: Path) -> None:
    lent = Dream(budget(tmp_path)).over(bank)
    kept = await bank.retain(Draft(text="the export listens on port 8080"))
    for call in (
        lent.undo(kept.batch),
        lent.delete([kept.ref], mode="forget"),
        lent.retain(Draft(text="the export listens on port 9090")),
        lent.feedback([kept.ref], Outcome.SUCCESS),
    ):
        with pytest.raises(NotAllowed):
            await call
