"""An answer holds no more hits than were asked for, in their order, chosen also by likeness."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_rows import evidence as stored
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.embedding.embedder import HashEmbedder
from mcp_memory.search import composing, showing, telling
from mcp_memory.search.candidates import Candidate
from mcp_memory.search.passages import Passage
from mcp_memory.server.answers import as_text
from mcp_memory.settings import Settings
from mcp_memory.trajectories import evidence


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


def ask(text: str, **fields: object) -> Query:
    return Query.model_validate({"texts": (text,), "project": "*", **fields})


@pytest.mark.parametrize("limit", [1, 2, 3, 8])
@pytest.mark.parametrize("tokens", [150, 500, 5_000])
async def test_no_more_hits_come_than_are_asked_for(
    bank: MemoryBank, limit: int, tokens: int
) -> None:
    query = ask("encoding of the export", limit=limit, budget_tokens=tokens)
    found = await bank.search(query)
    scores = [hit.score for hit in found.hits]
    assert 1 <= len(scores) <= limit
    assert scores == sorted(scores, reverse=True)
    assert 0 <= found.more <= limit - len(scores)
    if tokens > 150:  # of so little the two surest may take more: each has a line in any case
        assert composing.size(found) <= tokens * showing.BYTES_PER_TOKEN
    assert await bank.search(query) == found


def test_the_surest_hits_do_not_begin_with_the_same_passage() -> None:
    same, own = Passage("said", "the limit is 5"), Passage("said", "limits are soft")
    told = telling.tell(telling.sought("limit"), [[same], [same, own], [same]], [1.0, 0.9, 0.8])
    pinned = composing.pinned_of(told, range(3), 100)
    assert [(one.record, one.passage.text) for one in pinned] == [(0, same.text), (1, own.text)]


async def test_records_compete_only_where_room_is_scarce(bank: MemoryBank) -> None:
    assert showing.competing(bank.rooms, ask("encoding")) > 8
    assert showing.competing(bank.rooms, ask("encoding", limit=1)) == 1
    assert showing.competing(bank.rooms, ask("encoding", limit=30)) == 30
    assert showing.competing(bank.rooms, ask("encoding", budget_tokens=50_000)) == 8
    assert showing.competing(bank.rooms, ask("encoding", order="newest")) == 8
    assert showing.competing(bank.rooms, ask("encoding", match="utf")) == 8


async def test_likeness_is_asked_of_light_models_only(bank: MemoryBank) -> None:
    light = replace(bank.rooms, embedder=HashEmbedder())
    same, other = await light.likeness("heron", ["heron", "a bridge of stone"])
    assert same == pytest.approx(1.0)
    assert other < same
    heavy = HashEmbedder()
    heavy.light = False
    assert await replace(light, embedder=heavy).likeness("heron", ["heron"]) == [0.0]
    assert await replace(light, embedder=None).likeness("heron", ["heron"]) == [0.0]


async def test_other_wordings_find_more_but_silence_goes_by_the_question(bank: MemoryBank) -> None:
    found = await bank.search(ask("UnicodeEncodeError in the export"))
    absent = "walrus grpc ingress quota"
    both = Query(texts=(absent, "UnicodeEncodeError in the export"), project="*")
    assert found.found
    assert (await bank.search(both)).found, "two questions: one has an answer"
    silent = await bank.search(both.model_copy(update={"reworded": True}))
    assert not silent.found
    assert "Looked in 2 sessions." in silent.notes
    turned = Query(texts=tuple(reversed(both.texts)), project="*", reworded=True)
    assert (await bank.search(turned)).found


def test_an_answer_is_newest_where_nothing_that_was_found_is_later_by_a_minute() -> None:
    def at(minute: int | None) -> Candidate:
        when = datetime(2026, 5, 1, 12, minute, tzinfo=UTC) if minute is not None else None
        return Candidate(f"t:a#{minute}", stored(1, "heron", at=when), {}, 1.0, None)

    assert showing.newest([at(3), at(9)], [at(3), at(9), at(5), at(None)])
    assert not showing.newest([at(3), at(5)], [at(3), at(9)])
    assert not showing.newest([at(None)], [at(None)])


async def test_that_nothing_found_is_newer_is_told_beside_how_much_more_there_is(
    bank: MemoryBank,
) -> None:
    found = await bank.search(ask("encoding of the export", budget_tokens=150))
    assert found.more
    newest = found.model_copy(update={"none_newer": True})
    assert f"{found.more} more, none newer: ask" in as_text(newest)
    assert f"{found.more} more: ask" in as_text(newest.model_copy(update={"none_newer": False}))
    whole = await bank.search(ask("encoding of the export", budget_tokens=50_000))
    assert not whole.more
    assert not whole.none_newer


def test_why_nobody_knows_how_an_attempt_ended_is_not_told() -> None:
    def told(*lines: str, kind: str = "episode") -> str:
        return evidence.told_of(stored(1, "\n".join(lines), kind=kind))

    why = "unknown: step 7: `pytest` exit code 0, but files were changed after it (step 9)"
    assert told("mend the export", why, "Done.") == "mend the export\nDone."
    assert told("mend it", "unknown: no command that judges it ended") == "mend it\n"
    assert told("mend it", "success: step 7: `pytest` exit code 0").endswith("exit code 0")
    assert told("mend it", "unknown: the colour of the heron").endswith("heron")
    assert told(why, kind="step") == why
