"""Memories of a time before lineage are judged by it once, when their bank opens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.models import Draft, Evidence, Memory, SourceClass, Standing
from mcp_memory.memories import retain, retrusting, superseding
from mcp_memory.search import spans
from mcp_memory.settings import Settings

SHOP = "/home/ada/shop"
SAID = "Please use pnpm in this repository, never npm."
CLAIMED = "all commits are pushed straight to main"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=SHOP, actor="server") as bank:
        # As opening it for the first time leaves a bank of 0.1.0.
        (settings.home / "store.schema-1").mkdir()
        await bank.index([kept(tmp_path / "1.jsonl", talk("1" * 8, SAID, "Done, with pnpm."))])
        yield bank


async def older(bank: MemoryBank, text: str, **told: object) -> str:
    """A memory as an older version left it: the user's, established, whatever its evidence says."""
    (session,) = await bank.listing("sessions")
    draft = Draft(text=text, evidence=(Evidence(ref=f"{session.ref}#1"),))
    made = await bank.retain(draft)
    memory = await spans.current(bank.rooms, made.ref)
    forged = {"source": SourceClass.USER, "trust": 1.0, "standing": Standing.ESTABLISHED} | told
    row = retain.row_of(superseding.following(memory, **forged), None)
    await bank.rooms.store.once(
        "retain", lambda batch: [retain.in_batch(row, batch)], inverse={"kind": "memories"}
    )
    return made.ref


async def reopened(settings: Settings, *refs: str) -> list[Memory]:
    async with open_bank(settings, cwd=SHOP) as bank:
        return [await spans.current(bank.rooms, ref) for ref in refs]


async def test_what_was_only_called_the_users_is_trusted_for_what_bears_it(
    bank: MemoryBank, settings: Settings
) -> None:
    claimed, said = await older(bank, CLAIMED), await older(bank, SAID)
    first, second = await reopened(settings, claimed, said)
    assert (first.trust, first.source, first.standing) == (
        0.6, SourceClass.AGENT, Standing.CANDIDATE,
    )  # fmt: skip
    assert (second.trust, second.source, second.standing) == (
        1.0, SourceClass.USER, Standing.ESTABLISHED,
    )  # fmt: skip


async def test_it_is_done_once_and_can_be_undone(bank: MemoryBank, settings: Settings) -> None:
    claimed = await older(bank, CLAIMED)
    assert await retrusting.renew(bank.rooms) == (claimed,)
    assert await retrusting.renew(bank.rooms) == ()
    batch = (await bank.listing("changes"))[0].ref
    await bank.undo(batch)
    assert (await spans.current(bank.rooms, claimed)).trust == 1.0
    (still,) = await reopened(settings, claimed)
    assert still.trust == 1.0, "what the user takes back is not done again"


async def test_a_bank_that_was_never_of_an_older_version_is_left(
    bank: MemoryBank, settings: Settings
) -> None:
    (settings.home / "store.schema-1").rmdir()
    claimed = await older(bank, CLAIMED)
    (still,) = await reopened(settings, claimed)
    assert still.trust == 1.0


async def test_nothing_is_raised_and_what_was_typed_stays(
    bank: MemoryBank, settings: Settings
) -> None:
    low = await older(bank, SAID, trust=0.2, source=SourceClass.EXTERNAL)
    async with open_bank(settings, cwd=SHOP, actor="cli") as typing:
        typed = (await typing.retain(
            Draft(text=CLAIMED, evidence=(Evidence(ref=f"{(await bank.listing('sessions'))[0].ref}#1"),)),
            by=SourceClass.USER,
        )).ref  # fmt: skip
        await retrusting.renew(typing.rooms)
    first, second = await reopened(settings, low, typed)
    assert first.trust == 0.2
    assert (second.trust, second.source) == (1.0, SourceClass.USER)
