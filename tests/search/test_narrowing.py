"""Search within a session, a folder, a time or an expression, with words and without."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.server.answers import as_structure, as_text
from mcp_memory.settings import Settings


def ask(*texts: str, **fields: object) -> Query:
    return Query.model_validate({"texts": texts, "project": "*", **fields})


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


async def test_a_session_and_an_episode_bound_what_answers(bank: MemoryBank) -> None:
    first, second = [each.ref for each in await bank.listing("sessions")]
    for session in (first, second):
        found = await bank.search(ask("UnicodeEncodeError encoding", within=session))
        assert found.hits
        assert {hit.ref[2:14] for hit in found.hits} == {session[2:14]}
    episode = f"e:{first[2:]}.1"
    assert (await bank.search(ask("encoding", within=episode))).hits
    with pytest.raises(UnknownRef):
        await bank.search(ask("encoding", within="t:000000000000"))
    with pytest.raises(InvalidInput, match="neither a session nor an episode"):
        await bank.search(ask("encoding", within="m:000000000000"))


async def test_a_folder_finds_edits_below_it_and_commands_that_name_it(bank: MemoryBank) -> None:
    found = await bank.search(ask(path="shop", limit=50, budget_tokens=5_000))
    told = as_text(found)
    assert found.hits
    assert "shop/export.py" in told
    assert not (await bank.search(ask(path="nowhere/shop"))).found
    ran = await bank.search(ask(path="shop.invoice", limit=50))
    assert all(hit.kind == "step" for hit in ran.hits)


async def test_an_expression_shows_the_lines_that_match(bank: MemoryBank) -> None:
    found = await bank.search(ask(match=r"encod\w+=.utf-8"))
    assert found.hits
    assert all("utf-8" in hit.text for hit in found.hits)
    assert not (await bank.search(ask(match="no such words anywhere"))).found


async def test_a_time_without_words_answers_with_what_happened_then(bank: MemoryBank) -> None:
    march = await bank.search(ask(since="2026-03-01", until="2026-04-01"))
    assert march.found
    assert {hit.kind for hit in march.hits} == {"episode"}
    days = [hit.at for hit in march.hits]
    assert days == sorted(days, reverse=True)
    assert (await bank.search(ask("what did I do in March 2026"))).sessions
    assert not (await bank.search(ask("what did I do in March 2019"))).found


async def test_newest_first_on_request(bank: MemoryBank) -> None:
    found = await bank.search(ask("UnicodeEncodeError encoding", order="newest"))
    days = [hit.at for hit in found.hits]
    assert days == sorted(days, reverse=True)


async def test_equal_calls_give_equal_bytes_within_the_budget(bank: MemoryBank) -> None:
    query = ask("UnicodeEncodeError charmap", explain=True)
    answers = [await bank.search(query) for _ in range(3)]
    assert len({str(as_structure(one)) + as_text(one) for one in answers}) == 1
    for budget in (150, 300, 500):
        found = await bank.search(ask("UnicodeEncodeError charmap", budget_tokens=budget))
        assert len(as_text(found).encode()) <= 4 * budget


async def test_a_silence_says_which_filter_hides_an_answer(bank: MemoryBank) -> None:
    hidden = await bank.search(ask("UnicodeEncodeError in the export", since="2026-04-01"))
    assert not hidden.found
    assert hidden.notes[0].startswith("Found without since: ")
    assert hidden.notes[0].endswith(" of 2026-03-02.") or "2026-03-19" in hidden.notes[0]
    both = await bank.search(ask("UnicodeEncodeError", since="2026-04-01", path="no/such.py"))
    assert both.notes[0].startswith("Found without since, path: ")
    absent = await bank.search(ask("walrus grpc ingress quota", since="2026-04-01"))
    assert not absent.found
    assert not any("Found without" in note for note in absent.notes)
