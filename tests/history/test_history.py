"""`history`: what hosts keep, what of it is indexed, and what they will delete when."""

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli import cli
from mcp_memory.history import keeping
from mcp_memory.history.keeping import History, Kept
from mcp_memory.hosts import claude_code, gemini_cli
from mcp_memory.settings import Settings

NOW = datetime(2026, 3, 31, tzinfo=UTC)
OVERRIDES = ("CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "VSCODE_PORTABLE")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with nothing but Claude Code in it."""
    user = tmp_path / "u"
    user.mkdir()
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(user / ".claude"))
    for name in OVERRIDES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(user)
    return user


@pytest.fixture
def kept(user: Path, tmp_path: Path) -> list[Path]:
    """Two transcripts in the host's own folder, touched ten days ago."""
    folder = user / ".claude" / "projects" / "-shop"
    folder.mkdir(parents=True)
    return [aged(p.rename(folder / p.name), NOW - timedelta(days=10)) for p in written(tmp_path)]


@pytest.fixture
async def bank(settings: Settings, user: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(user), now=lambda: NOW) as bank:
        yield bank


def aged(path: Path, moment: datetime) -> Path:
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


async def looked(bank: MemoryBank) -> History:
    return await keeping.history(bank.rooms)


async def only(bank: MemoryBank) -> Kept:
    (kept,) = (await looked(bank)).hosts
    return kept


async def test_a_machine_without_agents_has_no_history(bank: MemoryBank) -> None:
    told = await looked(bank)
    assert told.hosts == ()
    assert "Claude Code" in told.unused
    assert told.next_step == "Nothing is new or changed."


async def test_what_was_given_by_path_is_read_again_by_path(
    bank: MemoryBank, tmp_path: Path, kept: list[Path]
) -> None:
    away = kept[1].rename(tmp_path / "away.jsonl")
    await bank.index([kept[0], away])
    away.write_bytes(away.read_bytes() + b"\n")
    told = (await looked(bank)).next_step
    assert told == (
        "Of the files once given by path 1 changed: `mcp-memory index PATH` reads them."
    )


async def test_new_files_are_counted_and_the_next_step_named(
    bank: MemoryBank, kept: list[Path]
) -> None:
    found = await only(bank)
    assert (found.host, found.found, found.new, found.indexed) == ("Claude Code", 2, 2, 0)
    assert (await looked(bank)).next_step.startswith("Run `mcp-memory index` to read the 2 files")


async def test_indexed_changed_and_gone_files_are_told_apart(
    bank: MemoryBank, kept: list[Path]
) -> None:
    await bank.index(kept)
    found = await only(bank)
    assert (found.found, found.indexed, found.new) == (2, 2, 0)
    with kept[0].open("a", encoding="utf-8") as file:
        file.write("\n")
    kept[1].unlink()
    found = await only(bank)
    assert (found.found, found.indexed, found.changed, found.gone) == (1, 0, 1, 1)


async def test_every_file_is_counted_once_under_one_heading(
    bank: MemoryBank, kept: list[Path], tmp_path: Path
) -> None:
    await bank.index(written(tmp_path))
    told = {found.host: found for found in (await looked(bank)).hosts}
    assert (told["Claude Code"].found, told["Claude Code"].new) == (2, 2)
    assert (told[keeping.OTHER].found, told[keeping.OTHER].indexed) == (2, 2)


async def test_what_the_host_will_delete_is_told_with_its_date(
    bank: MemoryBank, kept: list[Path]
) -> None:
    aged(kept[0], NOW - timedelta(days=29))
    await bank.index(kept[:1])
    aged(kept[1], NOW - timedelta(days=25))
    found = await only(bank)
    assert (found.keeps_days, found.soon, found.at_risk) == (30, 2, 1)
    assert found.next_deletion == NOW + timedelta(days=1)


async def test_the_users_own_period_counts(bank: MemoryBank, kept: list[Path], user: Path) -> None:
    (user / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 99}', encoding="utf-8")
    found = await only(bank)
    assert (found.keeps_days, found.soon) == (99, 0)
    assert found.next_deletion == NOW + timedelta(days=89)


async def test_files_that_were_read_for_nothing_are_not_new(
    bank: MemoryBank, kept: list[Path]
) -> None:
    aged(kept[0], NOW - timedelta(days=29))
    for path in kept:
        path.write_text("no transcript", encoding="utf-8")
    await bank.index(kept)
    found = await only(bank)
    assert (found.found, found.new, found.left_out, found.at_risk) == (2, 0, 2, 0)
    kept[0].write_text("another", encoding="utf-8")
    found = await only(bank)
    assert (found.new, found.left_out) == (1, 1)


async def test_a_host_that_deletes_nothing_has_no_date(bank: MemoryBank, user: Path) -> None:
    rollout = user / ".codex" / "sessions" / "2026" / "rollout-a.jsonl"
    rollout.parent.mkdir(parents=True)
    rollout.write_text("{}", encoding="utf-8")
    found = await only(bank)
    assert (found.keeps_days, found.next_deletion, found.soon) == (None, None, 0)


async def test_no_transcript_is_opened(
    bank: MemoryBank, kept: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    await bank.index(kept)
    opened = []

    def refuse(self: Path, *words: object, **options: object) -> None:
        opened.append(self)
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    assert (await only(bank)).indexed == 2
    assert not set(opened) & set(kept)


async def test_a_history_of_prompts_is_no_transcript(bank: MemoryBank, user: Path) -> None:
    (user / ".claude").mkdir()
    (user / ".claude" / "history.jsonl").write_text("{}\n", encoding="utf-8")
    assert (await looked(bank)).hosts == ()


async def test_sessions_known_by_their_prompts_only_are_counted(
    bank: MemoryBank, user: Path
) -> None:
    typed = {"display": "fix it", "timestamp": 1, "project": str(user), "sessionId": "a"}
    (user / ".claude").mkdir()
    path = user / ".claude" / "history.jsonl"
    path.write_text(json.dumps(typed) + "\n", encoding="utf-8")
    await bank.index([path])
    told = await looked(bank)
    assert (told.hosts, told.recovered) == ((), 1)


async def test_a_file_that_goes_while_we_look_is_not_counted(
    bank: MemoryBank, kept: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claude_code, "transcripts", lambda _=None: iter([*kept, Path("/no/file")]))
    assert (await only(bank)).found == 2


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, home: Path, user: Path):
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    return lambda *words: CliRunner().invoke(cli, list(words), catch_exceptions=False)


def test_the_command_prints_a_table_and_what_to_run_next(run, kept: list[Path]) -> None:
    recent = datetime.now(UTC) - timedelta(days=26)
    for path in kept:
        aged(path, recent)
    output = run("history").output.splitlines()
    assert output[0].split() == ["host", "found", "new", "kept", "for", "next", "deletion"]
    assert output[1].split() == [
        "Claude", "Code", "2", "2", "30", "days",
        (recent + timedelta(days=30)).date().isoformat(),
    ]  # fmt: skip
    assert "Claude Code will delete 2 within a week, 2 of them new or changed." in output
    assert "mcp-memory index" in output[-1]


def test_after_indexing_the_command_says_so_and_counts_what_went(run, kept: list[Path]) -> None:
    run("index", *map(str, kept))
    kept[0].unlink()
    output = run("history").output
    assert "1 gone from where they were indexed; the archive keeps them." in output
    assert "Nothing is new or changed." in output


def test_the_command_answers_programs(run, kept: list[Path]) -> None:
    told = json.loads(run("history", "--json").output)
    assert told["hosts"][0]["host"] == "Claude Code"
    assert told["hosts"][0]["gone"] == 0
    assert gemini_cli.NAME in told["unused"]
