"""fetch: what refs name, in little more bytes than it is long, and never more than was allowed."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Reading, Show
from mcp_memory.domain.errors import InvalidInput, PastTheEnd, UnknownRef
from mcp_memory.domain.models import Draft
from mcp_memory.server.answers import as_structure, as_text
from mcp_memory.settings import Settings


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = written(tmp_path)
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(paths)
        yield bank


async def session(bank: MemoryBank) -> str:
    return (await bank.listing("sessions"))[0].ref


@pytest.mark.parametrize("show", ["everything", "prose", "calls"])
@pytest.mark.parametrize("budget", [150, 300, 1_000])
async def test_text_and_json_stay_within_the_budget(
    bank: MemoryBank, show: Show, budget: int
) -> None:
    named = [each.ref for each in await bank.listing("sessions")]
    for asked in (named[:1], [*named, f"{named[0]}#2", f"e:{named[0][2:]}.1"]):
        found = await bank.fetch(
            Reading(refs=asked, show=show, budget_tokens=max(budget, 150 * len(asked)))
        )
        allowed = 4 * max(budget, 150 * len(asked))
        assert len(orjson.dumps(as_structure(found))) <= allowed
        assert len(as_text(found).encode()) <= allowed


async def test_the_folder_stands_once_and_paths_open_below_it(bank: MemoryBank) -> None:
    ref = await session(bank)
    found = await bank.fetch(Reading(refs=[f"{ref}#2", f"{ref}#3"]))
    assert found.folder is not None
    for item in found.items:
        file, _, line = (item.path or "").rpartition(":")
        steps = (Path(found.folder) / file).read_text(encoding="utf-8").splitlines()
        assert orjson.loads(steps[int(line) - 1])["ref"] == item.ref


async def test_json_has_no_empty_fields(bank: MemoryBank) -> None:
    told = as_structure(await bank.fetch(Reading(refs=[f"{await session(bank)}#2"])))
    assert set(told) == {"folder", "items"}
    (item,) = told["items"]  # type: ignore[misc]
    assert set(item) == {"ref", "text", "source", "path"}


async def test_a_step_is_read_on_from_where_it_was_cut(bank: MemoryBank) -> None:
    ref = f"{await session(bank)}#2"
    whole = (await bank.fetch(Reading(refs=[f"{ref}@0"]))).items[0].text
    read, at = "", f"{ref}@0"
    while at:
        (item,) = (await bank.fetch(Reading(refs=[at], budget_tokens=100))).items
        assert len(item.text) < len(whole)
        read += item.text
        at = item.next_ref or ""
    assert read == whole


async def test_an_episode_says_how_it_ended(bank: MemoryBank) -> None:
    ref = f"e:{(await session(bank))[2:]}.1"
    assert (await bank.fetch(Reading(refs=[ref]))).items[0].text.startswith(f"{ref} ended in ")


async def test_a_memory_too_long_is_read_on(bank: MemoryBank) -> None:
    kept = await bank.retain(Draft(text="The heron nests late. " * 60))
    short = (await bank.fetch(Reading(refs=[kept.ref], budget_tokens=150))).items[0]
    place = short.text.partition(" more: ")[2].partition(" ")[0]
    assert refs.parse(place).offset
    assert "The heron nests" in (await bank.fetch(Reading(refs=[place]))).items[0].text


async def test_wrong_and_gone_refs_are_named_and_the_rest_answered(bank: MemoryBank) -> None:
    ref = f"{await session(bank)}#2"
    found = await bank.fetch(
        Reading(refs=["walrus", ref, "t:000000000000#1", f"{ref.partition('#')[0]}#9999"])
    )
    assert [item.ref for item in found.items] == [ref]
    assert [each.partition("#")[2] for each in found.unknown] == ["", "1", "9999"]
    assert "walrus" in as_text(found)
    with pytest.raises(UnknownRef):
        await bank.fetch(Reading(refs=["t:000000000000#1"]))
    with pytest.raises(InvalidInput):
        await bank.fetch(Reading(refs=[]))


async def test_steps_past_the_end_are_told_where_the_session_ends(bank: MemoryBank) -> None:
    ref = await session(bank)
    with pytest.raises(PastTheEnd, match=rf"{ref} ends at #\d+: it has no steps 900-950"):
        await bank.fetch(Reading(refs=[f"{ref}#900-950"]))


async def test_equal_calls_give_equal_bytes(bank: MemoryBank) -> None:
    asked = [each.ref for each in await bank.listing("sessions")]
    once, again = [
        await bank.fetch(Reading(refs=asked, match="export", budget_tokens=300)) for _ in range(2)
    ]
    assert as_text(once) == as_text(again)
    assert orjson.dumps(as_structure(once)) == orjson.dumps(as_structure(again))
