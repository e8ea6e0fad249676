"""The hooks' ledger: what was injected, opened and used; refs and counts, never contents."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from failing_session import ERROR, gotcha, session

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli import cli
from mcp_memory.domain.asked import Inspection, Reading
from mcp_memory.domain.models import Draft, Evidence, Outcome
from mcp_memory.hooks import diary, hook, ledger
from mcp_memory.hooks.ledger import Book, Tally
from mcp_memory.settings import Settings

FAILED: Mapping[str, Any] = {
    "error": f"Exit code 1\n{ERROR}",
    "tool_input": {"command": "pytest"},
}
SESSION = "0c8a6e3e-0000-4000-8000-000000000009"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    path = session(tmp_path, "0c8a6e3e-0000-4000-8000-000000000001")
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([path])
        yield bank


def ask(bank: MemoryBank, tmp_path: Path, event: str, name: str, **more: Any) -> str:
    told = {"hook_event_name": name, "session_id": SESSION, "cwd": str(tmp_path / "shop"), **more}
    return hook.answer(event, told, bank.rooms.settings.home)


def say(home: Path, event: str, ref: str, words: int = 1, kind: str = "briefing") -> None:
    said = diary.now(kind, "word" * words, (ref,), session="s", project="/shop")
    ledger.said(home, event, said)


def tally(bank: MemoryBank, event: str) -> Tally:
    return ledger.summary(bank.rooms.settings.home)[event]


async def test_what_a_hook_told_counts_as_opened_once_when_it_is_fetched(
    bank: MemoryBank, tmp_path: Path
) -> None:
    ask(bank, tmp_path, "tool-failed", "PostToolUseFailure", **FAILED)
    (listed,) = await bank.listing("sessions")
    assert tally(bank, "tool-failed").opened == 0
    await bank.fetch(Reading(refs=[f"{listed.ref}#3"]))
    await bank.inspect(listed.ref, Inspection())
    counted = tally(bank, "tool-failed")
    assert (counted.calls, counted.injected, counted.opened, counted.used) == (1, 1, 1, 0)


async def test_what_nobody_was_told_is_not_noted_when_it_is_fetched(bank: MemoryBank) -> None:
    (listed,) = await bank.listing("sessions")
    await bank.fetch(Reading(refs=[listed.ref]))
    assert not (bank.rooms.settings.home / "hooks" / ledger.NAME).exists()


@pytest.mark.parametrize("by", ["feedback", "evidence"])
async def test_feedback_and_a_memory_that_cites_it_count_as_use(
    bank: MemoryBank, tmp_path: Path, by: str
) -> None:
    ref = await gotcha(bank)
    (listed,) = await bank.listing("sessions")
    if by == "feedback":
        assert ref in ask(bank, tmp_path, "session-start", "SessionStart")
        await bank.feedback([ref], Outcome.SUCCESS)
        assert tally(bank, "session-start").used == 1
    else:
        ask(bank, tmp_path, "tool-failed", "PostToolUseFailure", **FAILED)
        cites = (Evidence(ref=f"{listed.ref}#3", quote=""),)
        await bank.retain(Draft(text="flask is needed", evidence=cites))
        assert tally(bank, "tool-failed").used == 1


async def test_an_agent_that_names_what_its_session_was_told_has_used_it(
    bank: MemoryBank, tmp_path: Path
) -> None:
    ref = await gotcha(bank)
    assert ref in ask(bank, tmp_path, "session-start", "SessionStart")
    path = session(tmp_path, SESSION, asked=f"what does {ref} say?")
    await bank.index([path])
    assert tally(bank, "session-start").used == 0, "only the user named it"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = {**lines[1], "uuid": "last", "parentUuid": lines[-1]["uuid"]}
    said = [{"type": "text", "text": f"As {ref} says, I take the lock first."}]
    last["message"] = {"id": "msg_last", "role": "assistant", "content": said}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(last) + "\n")
    await bank.index([path])
    assert tally(bank, "session-start").used == 1


async def test_the_ledger_holds_no_words_and_no_session_ids(
    bank: MemoryBank, tmp_path: Path
) -> None:
    await gotcha(bank)
    ask(bank, tmp_path, "session-start", "SessionStart")
    ask(bank, tmp_path, "prompt", "UserPromptSubmit", prompt="violet heron")
    file = bank.rooms.settings.home / "hooks" / ledger.NAME
    told = file.read_text(encoding="utf-8")
    assert len(told.splitlines()) == 2
    for word in ("heron", "lock", SESSION, str(tmp_path)):
        assert word not in told
    assert file.stat().st_mode & 0o077 == 0


def test_a_torn_line_and_a_foreign_one_are_passed_over(home: Path) -> None:
    say(home, "prompt", "m:a", words=7)
    file = home / "hooks" / ledger.NAME
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"e":"prompt","r"\n[]\n{"e":"prompt","r":7}\n{"e":5}\n')
    ledger.called(home, "prompt", session="s")
    counted = ledger.summary(home)["prompt"]
    assert (counted.calls, counted.injected, counted.silent, counted.tokens) == (2, 1, 1, 7)


def test_a_book_follows_what_other_processes_append_and_a_ledger_begun_anew(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(home)
    book.note("opened", ["m:a"])
    say(home, "prompt", "m:a")
    book.note("opened", ["m:a", "m:b"])
    assert ledger.summary(home)["prompt"].opened == 1
    monkeypatch.setattr(ledger, "MOST_BYTES", 10)
    say(home, "prompt", "m:c")
    assert not (home / "hooks" / ledger.NAME).exists()
    monkeypatch.undo()
    say(home, "prompt", "m:d")
    book.note("used", ["m:d"])
    counted = ledger.summary(home)["prompt"]
    assert (counted.injected, counted.opened, counted.used) == (3, 1, 1)


def test_stats_show_every_event_and_the_sum(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", os.fspath(home))
    say(home, "prompt", "m:a", words=120)
    ledger.called(home, "before-edit", session="s")
    Book(home).note("opened", ["m:a"])
    shown = CliRunner().invoke(cli, ["stats", "--json"])
    rows = {row.pop("event"): row for row in json.loads(shown.stdout) if "event" in row}
    assert rows["prompt"] == {
        "calls": 1, "silent": 0, "injected": 1, "opened": 1, "used": 0, "followed": 0,
        "tokens": 120
    }  # fmt: skip
    assert rows["all"]["silent"] == 1
    plain = CliRunner().invoke(cli, ["stats"]).stdout
    assert plain.splitlines()[-1].split() == ["all", "1", "0", "1", "1", "0", "0", "120"]


def test_what_was_said_can_be_read_afterwards_by_kind_and_session(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", os.fspath(home))
    say(home, "session-start", "m:a")
    for name in ("x", "y"):
        said = diary.now("error", f"mended {name}", ("t:b#1",), session=name, project="/shop")
        ledger.said(home, "tool-failed", said)
    shown = CliRunner().invoke(cli, ["said", "--kind", "error", "--session", "y", "--json"])
    (one,) = json.loads(shown.stdout)
    assert (one["text"], one["project"], one["refs"]) == ("mended y", "/shop", ["t:b#1"])
    plain = CliRunner().invoke(cli, ["said"]).stdout
    assert plain.index("briefing · /shop") < plain.index("mended x") < plain.index("mended y")


def test_of_a_kind_that_nobody_uses_silence_is_proposed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", os.fspath(home))
    for _ in range(ledger.UNUSED):
        say(home, "tool-failed", "t:b", kind="error")
        say(home, "before-command", "t:c", kind="command")
    ledger.followed(home, "s", ["command"])
    rows = json.loads(CliRunner().invoke(cli, ["stats", "--json"]).stdout)
    followed = {row["kind"]: row["followed"] for row in rows if "kind" in row}
    assert (followed["command"], followed["error"]) == (1, 0)
    plain = CliRunner().invoke(cli, ["stats"]).stdout
    assert "mcp-memory unasked off --kind error" in plain
    assert "--kind command" not in plain
