"""What its user took back soon after is told with what a session tells; its steps stand together."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from transcripts import talked

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import SourceClass
from mcp_memory.search import composing, sequel
from mcp_memory.search.composing import Record
from mcp_memory.search.passages import Passage
from mcp_memory.settings import Settings

FIX = "I wrote a guard: a prefix without a letter is no hash, so issue numbers are not rewritten."
TURNS = (
    ("user", "Plain issue numbers in commit messages are rewritten as hashes, please look."),
    ("assistant", FIX),
    ("user", "Thanks. Does the guard slow the converter of commit messages down?"),
    ("assistant", "No, the guard is one look at each prefix of a commit message."),
    ("user", "can you revert this change?"),
    ("assistant", "Done. The guard is gone and the finding stays open for now."),
)


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    cwd = tmp_path / "converter"
    (cwd / ".git").mkdir(parents=True)
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index([talked(tmp_path / "a.jsonl", cwd, TURNS)])
        yield bank


ASKED = Query(texts=("which guard keeps issue numbers from being rewritten as hashes",))


async def test_what_was_taken_back_two_requests_later_is_told_with_it(bank: MemoryBank) -> None:
    found = await bank.search(ASKED)
    assert found.hits[0].later == (
        "#5 user: can you revert this change?",
        "#6 agent: The guard is gone and the finding stays open for now.",
    )
    assert await bank.search(ASKED) == found


async def test_what_nobody_took_back_has_no_sequel(settings: Settings, tmp_path: Path) -> None:
    cwd = tmp_path / "converter"
    (cwd / ".git").mkdir(parents=True)
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index([talked(tmp_path / "a.jsonl", cwd, TURNS[:4])])
        assert (await bank.search(ASKED)).hits[0].later == ()


async def test_what_the_user_bore_out_at_once_is_told_with_it(
    settings: Settings, tmp_path: Path
) -> None:
    cwd = tmp_path / "converter"
    (cwd / ".git").mkdir(parents=True)
    borne = (*TURNS[:2], ("user", "ha, that's it! thanks"), *TURNS[2:4])
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index([talked(tmp_path / "a.jsonl", cwd, borne)])
        assert (await bank.search(ASKED)).hits[0].later == ("#3 user: ha, that's it! thanks",)


@pytest.mark.parametrize(
    "words",
    [
        "omg that's it",
        "Great, works now.",
        "it works!",
        "ok, fixed",
        f"wow, it works. Now {'a' * 90} b?",
    ],
)
def test_a_request_that_begins_so_bears_out(words: str) -> None:
    assert sequel.bears_out(words)


@pytest.mark.parametrize(
    "words",
    [
        "does it work now?",
        "it works, but only once",
        "make sure that it works",
        "fixed it myself, don't commit",
        "that's it for the tests; now the docs",
        "fix it",
        "",
    ],
)
def test_a_question_a_doubt_or_an_order_bears_nothing_out(words: str) -> None:
    assert not sequel.bears_out(words)


async def test_steps_of_a_session_are_one_hit_where_room_is_scarce(bank: MemoryBank) -> None:
    scarce = await bank.search(ASKED)
    assert len(scarce.hits) == 1
    assert "\n#" in scarce.hits[0].text
    plenty = await bank.search(ASKED.model_copy(update={"budget_tokens": 5_000}))
    assert len(plenty.hits) > 1


def record(step: int, score: float, source: SourceClass, *flags: str) -> Record:
    hit = Hit(ref=f"t:s#{step}", text="", score=score, source=source, flags=flags)
    return Record(hit, [Passage("said", f"words of {step}")], "s", f"#{step}")


def test_the_surest_names_the_hit_and_the_least_trusted_says_how_far_it_is_trusted() -> None:
    records = [
        record(9, 0.9, SourceClass.AGENT),
        record(30, 0.7, SourceClass.TOOL, "held:x"),
        record(4, 0.5, SourceClass.USER),
    ]
    made = {
        place: one.hit.model_copy(update={"text": one.cut[0].text})
        for place, one in enumerate(records)
    }
    (hit,) = composing.joined(made, records)
    assert (hit.ref, hit.score, hit.source) == ("t:s#9", 0.9, SourceClass.TOOL)
    assert hit.text == "words of 9\n#4 words of 4\n#30 words of 30"
    assert hit.flags == ("held:x",)


def test_what_a_later_step_of_the_hit_tells_anew_is_not_said_to_be_overtaken() -> None:
    records = [record(9, 0.9, SourceClass.AGENT), record(30, 0.7, SourceClass.AGENT)]
    texts = ("limit = 20", "limit = 5")
    later = ("t:s#12 limit = 10", "t:s#12 depth = 3", "t:x#2 limit = 10")
    made = {
        place: one.hit.model_copy(update={"text": text, "later": later})
        for place, (one, text) in enumerate(zip(records, texts, strict=True))
    }
    (hit,) = composing.joined(made, records)
    assert hit.later == later[1:], "the limit of step 30 is newer than that of step 12"


def test_memories_and_records_without_a_session_stand_by_themselves() -> None:
    alone = [
        Record(Hit(ref=f"m:{name}", text=name, score=0.5, source=SourceClass.USER), [])
        for name in "ab"
    ]
    made = dict(enumerate(one.hit for one in alone))
    assert [hit.ref for hit in composing.joined(made, alone)] == ["m:a", "m:b"]


ASKS = (
    ("user", "The heron times of the converter are compared as text, which breaks by zone."),
    ("assistant", "Heron times: either store them as numbers, or as UTC text. Which one shall I?"),
    ("user", "numbers, text forgets its zone again"),
    ("assistant", "Heron times are numbers now, and the tests of the converter pass."),
)


@pytest.mark.parametrize("asks", [True, False])
async def test_what_an_agent_asks_is_told_with_its_users_answer(
    settings: Settings,
    tmp_path: Path,
    asks: bool,  # noqa: FBT001 a case
) -> None:
    cwd = tmp_path / "converter"
    (cwd / ".git").mkdir(parents=True)
    turns = [
        (kind, text if asks else text.replace(" Which one shall I?", "")) for kind, text in ASKS
    ]
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index([talked(tmp_path / "a.jsonl", cwd, turns)])
        found = await bank.search(
            Query(texts=("are heron times stored as numbers or as UTC text",))
        )
    told = ("#3 user: numbers, text forgets its zone again",) if asks else ()
    assert found.hits[0].later == told


def test_of_a_long_request_the_sentence_is_told_that_takes_something_back() -> None:
    words = (
        "I looked at what you have built there for the herons of the north basin today. Revert it."
    )
    assert sequel._bearing(words) == "Revert it."
    assert sequel._bearing("Revert it. " + words) == "Revert it. " + words
