"""Memories are counted where they are shown and opened, and judged by how later sessions ended."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.access import acting
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.models import Draft, MemoryKind, Outcome
from mcp_memory.search import uses
from mcp_memory.settings import Settings

LEARNED = "open() without encoding raises UnicodeEncodeError in shop/customers.py"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        yield bank


def met(folder: Path, name: str, ref: str, *, tool: str = "search", bad: bool = False) -> Path:
    """A session that was shown a memory and then ran the tests."""
    lines: list[dict[str, Any]] = []

    def line(kind: str, content: object, **more: object) -> None:
        at = f"2026-03-01T10:{crc32(name.encode()) % 60:02d}:{len(lines):02d}.000Z"
        lines.append({
            "sessionId": name, "cwd": (folder / "shop").as_posix(), "version": "2.1.330", "type": kind,
            "uuid": f"{name}-{len(lines)}", "timestamp": at,
            "message": {"role": kind, "content": content, "id": f"msg_{len(lines)}"}, **more,
        })  # fmt: skip

    def ran(id_: str, called: str, given: dict[str, str], result: str, *, failed: bool) -> None:
        line("assistant", [{"type": "tool_use", "id": id_, "name": called, "input": given}])
        seen = {"type": "tool_result", "tool_use_id": id_, "content": result, "is_error": failed}
        line(
            "user",
            [seen],
            **({} if failed else {"toolUseResult": {"stdout": result, "stderr": ""}}),
        )

    line("user", f"mend the customers of {name}")
    shown = f"{ref} gotcha of {name}: use utf-8"
    ran(
        "a",
        f"mcp__memory__{tool}",
        {"query": f"encoding of {name}"},
        shown,
        failed=False,
    )
    ran(
        "b",
        "Bash",
        {"command": "pytest -q"},
        "Exit code 1\nboom" if bad else f"3 passed of {name}",
        failed=bad,
    )
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


async def use_of(bank: MemoryBank, ref: str) -> tuple[int, ...]:
    use = (await uses.of(bank.rooms, (ref,)))[ref]
    return use.shown, use.opened, use.went_well, use.went_badly


async def test_shown_and_opened_are_counted_for_the_words(bank: MemoryBank) -> None:
    ref = (await bank.retain(Draft(text=LEARNED, kind=MemoryKind.GOTCHA))).ref
    await bank.search(Query(texts=("UnicodeEncodeError customers encoding",)))
    await bank.runbook(Task(text="UnicodeEncodeError in shop/customers.py encoding"))
    await bank.fetch(Reading(refs=[ref]))
    assert await use_of(bank, ref) == (2, 1, 0, 0)
    page = (await bank.fetch(Reading(refs=[ref]))).items[0].text
    assert "Use: shown 2 · opened 1" in page
    (listed,) = await bank.listing("memories")
    assert listed.marks[-2:] == ("shown 2", "opened 2")


async def test_sessions_in_which_it_was_met_say_how_it_went(
    bank: MemoryBank, tmp_path: Path
) -> None:
    ref = (await bank.retain(Draft(text=LEARNED))).ref
    assert await use_of(bank, ref) == (0, 0, 0, 0)
    paths = [
        met(tmp_path, "one", ref),
        met(tmp_path, "two", ref),
        met(tmp_path, "bad", ref, bad=True),
    ]
    await bank.index([*paths, met(tmp_path, "made", ref, tool="retain")])
    assert await use_of(bank, ref) == (0, 0, 2, 1)
    await bank.feedback([ref], Outcome.SUCCESS)
    use = (await uses.of(bank.rooms, (ref,)))[ref]
    assert use.weights == (1.5, 0.25)


async def test_what_went_badly_ranks_lower_within_bounds_and_is_still_found(
    bank: MemoryBank,
) -> None:
    ref = (await bank.retain(Draft(text="The till opens with the blue key."))).ref
    asked = Query(texts=("till opens key",), explain=True)
    assert "reinforcement" not in (await bank.search(asked)).hits[0].why
    for caller in range(30):
        marked = acting.set(f"caller {caller}")
        await bank.feedback([ref], Outcome.FAILURE)
        acting.reset(marked)
    (hit,) = (await bank.search(asked)).hits
    assert 0.85 <= hit.why["reinforcement"] < 0.9


async def test_who_says_thirty_times_that_it_went_well_says_it_once(bank: MemoryBank) -> None:
    ref = (await bank.retain(Draft(text="The till opens with the red key."))).ref
    await bank.feedback([ref], Outcome.SUCCESS)
    once = (await uses.of(bank.rooms, (ref,)))[ref]
    for _ in range(29):
        await bank.feedback([ref], Outcome.SUCCESS)
    use = (await uses.of(bank.rooms, (ref,)))[ref]
    assert (use.well, use.weights) == (30, once.weights)
    (hit,) = (await bank.search(Query(texts=("till opens key",), explain=True))).hits
    assert 1.0 < hit.why["reinforcement"] <= 1.02


async def test_counting_changes_no_search(bank: MemoryBank) -> None:
    await bank.retain(Draft(text=LEARNED))
    asked = Query(texts=("UnicodeEncodeError customers",))
    before = (await bank.search(asked)).model_dump()
    for _ in range(5):
        await bank.search(asked)
    assert (await bank.search(asked)).model_dump() == before
