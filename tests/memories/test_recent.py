"""Where work was left off: the newest sessions of people, what is open in them, without words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.server.answers import as_structure, as_text
from mcp_memory.settings import Settings

Line = tuple[str, Any]
"""Who, and the content of the message."""


def session(folder: Path, name: str, day: str, *lines: Line) -> Path:
    """A session of Claude Code in the project `shop`."""
    project = folder / "shop"
    (project / ".git").mkdir(parents=True, exist_ok=True)
    made = []
    for number, (who, content) in enumerate(lines):
        message = {"role": who, "content": content}
        if who == "assistant":
            message["id"] = f"msg_{name}_{number}"
        line: dict[str, Any] = {
            "sessionId": name,
            "cwd": project.as_posix(),
            "version": "2.1.330",
            "type": who,
            "uuid": f"{name}-{number}",
            "parentUuid": f"{name}-{number - 1}" if number else None,
            "timestamp": f"{day}T10:{number:02d}:00.000Z",
            "message": message,
        }
        made.append(line)
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in made), encoding="utf-8")
    return path


def use(number: int, tool: str, **given: object) -> Line:
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": given}
    return "assistant", [call]


def result(number: int, text: str, *, bad: bool = False) -> Line:
    seen = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": text}
    return "user", [seen | {"is_error": bad}]


def say(text: str) -> Line:
    return "assistant", [{"type": "text", "text": text}]


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    edit = {"file_path": f"{(tmp_path / 'shop').as_posix()}/src/tax.py"}
    paths = [
        session(
            tmp_path,
            "aaaaaaaa-0000-4000-8000-000000000001",
            "2026-03-01",
            ("user", "Add Greek letters to the invoice export of the shop"),
            say("Done, invoices export as UTF-8."),
        ),
        session(
            tmp_path,
            "aaaaaaaa-0000-4000-8000-000000000002",
            "2026-03-03",
            ("user", "Round the tax of each line half up, as the office asks"),
            use(1, "Edit", **edit, old_string="round(x)", new_string="half_up(x)"),
            result(1, "updated"),
            use(2, "Bash", command="pytest -q"),
            result(2, "Exit code 1\n1 failed", bad=True),
            say("The test of negative amounts fails. Shall I mend the test or the code?"),
        ),
        session(
            tmp_path,
            "aaaaaaaa-0000-4000-8000-000000000003",
            "2026-03-04",
            ("user", "continue where we left off"),
        ),
    ]
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(paths)
        yield bank


async def newest(bank: MemoryBank, *texts: str, **fields: Any) -> tuple[LeftOff, ...]:
    return (await bank.search(Query(texts=texts, **fields))).sessions


@pytest.mark.parametrize("texts", [(), ("continue where we left off",), ("what was I working on",)])
async def test_the_newest_session_comes_first_with_what_is_open(
    bank: MemoryBank, texts: tuple[str, ...]
) -> None:
    first, second = await newest(bank, *texts)
    assert first.goal.startswith("Round the tax of each line")
    assert first.when == "2026-03-03 10:00-10:05"
    assert second.goal.startswith("Add Greek letters")
    told = "\n".join(first.open)
    assert "failed: pytest -q → exit code 1" in told
    assert "agent asked: The test of negative amounts fails. Shall I mend" in told
    assert "edited, not committed: src/tax.py" in told


async def test_every_line_of_what_is_open_names_a_step_that_opens(bank: MemoryBank) -> None:
    first, *_ = await newest(bank)
    for line in first.open:
        step = line.partition(" ")[0]
        assert (await bank.fetch(Reading(refs=[first.ref + step]))).items


async def test_the_last_session_is_told_alone(bank: MemoryBank) -> None:
    (only,) = await newest(bank, "summarize the last session")
    assert only.said.endswith("Shall I mend the test or the code?")


async def test_a_time_narrows_and_one_without_sessions_is_said(bank: MemoryBank) -> None:
    (only,) = await newest(bank, "what did we do on 1 March 2026?")
    assert only.goal.startswith("Add Greek letters")
    found = await bank.search(Query(texts=("what did we do in May 2026?",)))
    assert not found.found
    assert found.sessions
    assert "No session between 2026-05-01 and 2026-05-31" in found.notes[0]


async def test_a_question_that_names_something_is_searched_for(bank: MemoryBank) -> None:
    found = await bank.search(Query(texts=("what did we do about the tax of each line",)))
    assert not found.sessions
    assert found.hits


async def test_a_project_without_history_says_so(bank: MemoryBank) -> None:
    found = await bank.search(Query(project="/nowhere"))
    assert not found.sessions
    assert "No history of /nowhere" in found.notes[0]


async def test_sessions_that_began_alike_are_told_once(bank: MemoryBank, tmp_path: Path) -> None:
    asked = "Review the code changes against the base branch main, with findings by severity"
    paths = [
        session(
            tmp_path,
            f"bbbbbbbb-0000-4000-8000-00000000000{n}",
            f"2026-03-0{n}",
            ("user", asked),
            say("ok."),
        )
        for n in (5, 6, 7)
    ]
    await bank.index(paths)
    first, *others = await newest(bank)
    assert (first.goal, first.alike) == (asked, 2)
    assert all(other.goal != asked for other in others)


@pytest.mark.parametrize("budget", [100, 200, 500, 2_000])
async def test_text_and_json_stay_within_the_budget(bank: MemoryBank, budget: int) -> None:
    found = await bank.search(Query(budget_tokens=budget))
    assert len(orjson.dumps(as_structure(found))) <= 4 * budget
    assert len(as_text(found).encode()) <= 4 * budget


async def test_equal_calls_give_equal_bytes(bank: MemoryBank) -> None:
    once, again = [await bank.search(Query()) for _ in range(2)]
    assert orjson.dumps(as_structure(once)) == orjson.dumps(as_structure(again))
    assert as_text(once) == as_text(again)


async def test_forgotten_sessions_are_not_told(bank: MemoryBank) -> None:
    first, *_ = await newest(bank)
    await bank.delete([first.ref], mode="forget")
    told = as_text(await bank.search(Query()))
    assert first.ref not in told
    assert "tax" not in told
