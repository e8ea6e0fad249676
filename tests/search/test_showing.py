"""An answer holds no more hits than were asked for, in their order, chosen also by likeness."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.embedding.embedder import HashEmbedder
from mcp_memory.search import composing, showing, telling
from mcp_memory.search.passages import Passage
from mcp_memory.settings import Settings


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
