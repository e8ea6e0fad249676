"""Citing says how the attempt went that a span is of, and when it was made."""

from pathlib import Path

from failing_session import session

from mcp_memory.bank import open_bank
from mcp_memory.domain.models import Draft, Evidence, Outcome
from mcp_memory.memories.citing import cite
from mcp_memory.settings import Settings


async def test_what_is_cited_says_how_it_ended_and_when(settings: Settings, tmp_path: Path) -> None:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([session(tmp_path, "0c8a6e3e-0000-4000-8000-000000000001")])
        (listed,) = await bank.listing("sessions")
        refs = (f"{listed.ref}#2-4", f"{listed.ref}#99")
        draft = Draft(text="pytest -q needs flask", evidence=tuple(Evidence(ref=r) for r in refs))
        made, gone = await cite(bank.rooms, draft)
    assert (made.outcome, made.live, gone.live) == (Outcome.SUCCESS, True, False)
    assert made.first_at is not None
    assert made.last_at is not None
    assert made.first_at < made.last_at
