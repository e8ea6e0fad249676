"""One history: copies, forks and second files of a session hold what is theirs; what goes stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from talks import Record, copied, kept, talk
from transcripts import write

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.models import Draft, Evidence, MemoryKind, Standing
from mcp_memory.settings import Settings
from mcp_memory.store.rows import SessionRow, Where

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SAID = (
    "Lock the vault door with the brass key",
    "The vault door is locked with the brass key now",
    "How long is the anchor chain",
    "The anchor chain is 40 m, says the manual",
)
PARENT = talk(ONE, *SAID)
FORK = copied(PARENT, TWO) + talk(TWO, "Rotate the alarm code", "The alarm code is new", first=5)


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings) as bank:
        yield bank


async def sessions(bank: MemoryBank) -> dict[str, SessionRow]:
    return {row.native_id: row for row in await bank.rooms.store.sessions()}


async def held(bank: MemoryBank, row: SessionRow) -> dict[int, str]:
    where = Where(trajectories=(row.id,), kinds=("step",))
    return {step.first: step.text for step in await bank.rooms.store.find("evidence", where)}


async def everything(bank: MemoryBank) -> list[str]:
    where = Where(kinds=("step",))
    return sorted(row.text for row in await bank.rooms.store.find("evidence", where))


def lines(bank: MemoryBank, row: SessionRow) -> list[bytes]:
    return (bank.rooms.archive.root / row.folder / "steps.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_steps_of_a_fork_and_its_parent_are_held_once_in_either_order(
    bank: MemoryBank, tmp_path: Path, order: tuple[int, int]
) -> None:
    paths = [kept(tmp_path / f"{ONE}.jsonl", PARENT + talk(ONE, "Thanks for the chain", first=5))]
    paths.append(kept(tmp_path / f"{TWO}.jsonl", FORK))
    for place in order:
        await bank.index([paths[place]])
    assert await everything(bank) == sorted(
        [*SAID, "Thanks for the chain", "Rotate the alarm code", "The alarm code is new"]
    )
    found = await sessions(bank)
    first, second = (found[(ONE, TWO)[place]] for place in order)
    assert second.origin == first.id
    assert [b'"same"' in line for line in lines(bank, second)[:4]] == [True] * 4


async def test_a_fork_asks_for_what_is_its_own(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index([kept(tmp_path / "a.jsonl", PARENT), kept(tmp_path / "b.jsonl", FORK)])
    fork = (await sessions(bank))[TWO]
    assert fork.goal == "Rotate the alarm code"
    assert list(await held(bank, fork)) == [5, 6]
    opened = await bank.fetch(Reading(refs=[f"t:{fork.id}#2"]))
    assert SAID[1] in opened.items[0].text


async def test_a_copy_that_adds_nothing_is_no_session(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index([kept(tmp_path / "a.jsonl", PARENT)])
    (report,) = await bank.index([kept(tmp_path / "b.jsonl", copied(PARENT, TWO))])
    assert report.status == "duplicate"
    assert list(await sessions(bank)) == [ONE]


async def test_an_original_and_its_fork_are_one_session_of_evidence(
    bank: MemoryBank, tmp_path: Path
) -> None:
    await bank.index([kept(tmp_path / "a.jsonl", PARENT), kept(tmp_path / "b.jsonl", FORK)])
    found = await sessions(bank)
    cited = (f"t:{found[ONE].id}#1-2", f"t:{found[TWO].id}#5-6")
    draft = Draft(
        text="The vault door has a lock.",
        kind=MemoryKind.FACT,
        evidence=tuple(Evidence(ref=ref) for ref in cited),
    )
    assert (await bank.retain(draft)).standing is Standing.CANDIDATE


def rollout(path: Path, id_: str, *records: tuple[str, str, str], parent: str = "") -> Path:
    """A rollout of Codex: each record with its second, its turn and its words."""
    head: Record = {"id": id_, "cwd": "/home/ada/shop", "timestamp": "2026-06-02T10:00:00.000Z"}
    lines: list[Record] = [
        {"type": "session_meta", "payload": head | ({"forked_from_id": parent} if parent else {})}
    ]
    if parent:
        lines.append({"type": "session_meta", "payload": head | {"id": parent}})
    for second, turn, said in records:
        at = f"2026-06-02T10:00:{second}.500Z"
        role = "user" if said.endswith("?") else "assistant"
        block = {"type": "input_text" if role == "user" else "output_text", "text": said}
        told = {"type": "message", "role": role, "content": [block]}
        context = {"turn_id": turn, "cwd": "/home/ada/shop", "model": "gpt-5.5"}
        lines.append({"timestamp": at, "type": "turn_context", "payload": context})
        lines.append({"timestamp": at, "type": "response_item", "payload": told})
    return write(path, *lines)


@pytest.mark.parametrize("turns", ["9", "f3aa0c11-2b1e-4c55-9a55-000000000000", ""])
async def test_a_fork_of_codex_is_told_by_what_it_repeats_and_not_by_its_turns(
    bank: MemoryBank, tmp_path: Path, turns: str
) -> None:
    parent, child = "019e8500-0001-7000-8000-000000000001", "019e9500-0001-7000-8000-000000000002"
    asked, told = "Is the walrus cache stale?", "The walrus cache is stale since the last deploy"
    first = rollout(tmp_path / "rollout-1.jsonl", parent, ("01", turns, asked), ("02", turns, told))
    second = rollout(
        tmp_path / "rollout-2.jsonl",
        child,
        ("30", turns, asked),
        ("30", turns, told),
        ("41", f"{turns}8", "Who fills it then?"),
        ("42", f"{turns}8", "The walrus fills it"),
        parent=parent,
    )
    await bank.index([first, second])
    assert await everything(bank) == sorted(
        [asked, told, "Who fills it then?", "The walrus fills it"]
    )


async def test_two_sessions_that_begin_with_the_same_words_stay_two(
    bank: MemoryBank, tmp_path: Path
) -> None:
    other = talk(TWO, "Lock the vault door with the brass key", "Which of the two brass keys is it")
    for record in other:
        record["timestamp"] = record["timestamp"].replace("2026-08-01", "2026-08-02")
    await bank.index([kept(tmp_path / "a.jsonl", PARENT), kept(tmp_path / "b.jsonl", other)])
    found = await sessions(bank)
    assert list(await held(bank, found[TWO])) == [1, 2]
    assert found[TWO].origin == ""


async def test_two_files_of_one_session_keep_what_each_has_alone(
    bank: MemoryBank, tmp_path: Path
) -> None:
    here = PARENT + talk(ONE, "Paint the mast", "The mast is painted", first=5)
    there = PARENT + talk(ONE, "Scrub the deck well", first=5)
    paths = [
        kept(tmp_path / "laptop" / "s.jsonl", here),
        kept(tmp_path / "desk" / "s.jsonl", there),
    ]
    await bank.index(paths)
    assert sorted({*await everything(bank)}) == sorted(
        {*SAID, "Paint the mast", "The mast is painted", "Scrub the deck well"}
    )
    assert len(await everything(bank)) == 7
    kept(paths[1], there + talk(ONE, "The deck is scrubbed", first=6))
    await bank.index(paths)
    assert len(await everything(bank)) == 8
    assert len(await sessions(bank)) == 2


async def test_a_longer_copy_of_a_session_takes_its_place(bank: MemoryBank, tmp_path: Path) -> None:
    await bank.index([kept(tmp_path / "a" / "s.jsonl", PARENT[:2])])
    await bank.index([kept(tmp_path / "b" / "s.jsonl", PARENT)])
    assert await everything(bank) == sorted(SAID)
    (report,) = await bank.index([kept(tmp_path / "c" / "s.jsonl", PARENT[:3])])
    assert report.status == "unchanged"


@pytest.mark.parametrize("left", [0, 1, 3])
async def test_what_a_host_takes_back_stays_and_is_marked(
    bank: MemoryBank, tmp_path: Path, left: int
) -> None:
    path = kept(tmp_path / "s.jsonl", PARENT)
    await bank.index([path])
    kept(path, PARENT[:left])
    (report,) = await bank.index([path])
    assert report.status in ("indexed", "unchanged")
    row = (await sessions(bank))[ONE]
    assert list((await held(bank, row)).values()) == list(SAID)
    found = await bank.search(Query(texts=("anchor chain 40 m",), project="*"))
    assert any("40 m" in hit.text for hit in found.hits)
    if left:
        marked = [b'"taken_back":true' in line for line in lines(bank, row)]
        assert marked == [False] * left + [True] * (4 - left)


async def test_numbers_of_what_was_taken_back_are_not_used_again(
    bank: MemoryBank, tmp_path: Path
) -> None:
    path = kept(tmp_path / "s.jsonl", PARENT)
    await bank.index([path])
    again = PARENT[:2] + talk(ONE, "How heavy is the anchor", "It weighs a ton", first=3)
    for grown in (again[:3], again):
        kept(path, grown)
        await bank.index([path])
    row = (await sessions(bank))[ONE]
    assert list((await held(bank, row)).values()) == [
        *SAID,
        "How heavy is the anchor",
        "It weighs a ton",
    ]
    kept(path, PARENT)
    await bank.index([path])
    assert [b"taken_back" in line for line in lines(bank, (await sessions(bank))[ONE])] == [
        False, False, False, False, True, True
    ]  # fmt: skip


async def test_a_shortened_output_leaves_the_whole_one(bank: MemoryBank, tmp_path: Path) -> None:
    long = "The tide table: " + " ".join(f"{hour}:15" for hour in range(200))
    path = kept(tmp_path / "s.jsonl", talk(ONE, "Read the tide table", long))
    await bank.index([path])
    cleared = talk(ONE, "Read the tide table", long)
    cleared[1]["message"]["content"][0]["text"] = "[cleared]"
    kept(path, cleared)
    await bank.index([path])
    assert long in (await held(bank, (await sessions(bank))[ONE]))[2]


async def test_a_file_that_is_gone_takes_nothing_with_it(bank: MemoryBank, tmp_path: Path) -> None:
    path = kept(tmp_path / "s.jsonl", PARENT)
    await bank.index([path])
    path.unlink()
    await bank.index([path])
    assert await everything(bank) == sorted(SAID)
    (listed,) = await bank.listing("sessions")
    assert "no longer its host's" in listed.marks


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
@trying(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_host_cuts_nothing_indexed_is_lost(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    whole: list[Record] = FORK
    seen: set[str] = set()
    async with open_bank(settings.model_copy(update={"home": folder / "home"})) as bank:
        path = folder / "s.jsonl"
        for cut in cuts:
            kept(path, whole[:cut])
            await bank.index([path])
            seen |= {
                str(said)
                for said in (*SAID, "Rotate the alarm code", "The alarm code is new")[:cut]
            }
            assert set(await everything(bank)) == seen
