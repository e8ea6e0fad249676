"""Setting up: one screen, agreed to once, all of it done; and all of it taken back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tour_sessions import written

from mcp_memory.cli import cli, ending
from mcp_memory.hosts.installing import hooking

Run = Callable[..., Result]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with three hosts, each with settings of the user's own, and two sessions."""
    home = tmp_path / "ada"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home / "bank"))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    monkeypatch.setenv("PATH", str(home / "bin"))
    for path in written(tmp_path):
        target = home / ".claude" / "projects" / "shop" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text('model = "gpt-5"\n')
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text('{"theme": "dark"}\n')
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def run(machine: Path) -> Run:
    runner = CliRunner()
    return lambda *words, **more: runner.invoke(cli, list(words), **more)


def files(machine: Path) -> dict[str, bytes]:
    """All that is there, but what programs keep for themselves."""
    return {
        path.relative_to(machine).as_posix(): path.read_bytes()
        for path in machine.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


def test_one_screen_says_what_will_be_done_and_does_nothing(run: Run, machine: Path) -> None:
    before = files(machine)
    told = run("setup", "--dry-run")
    assert told.exit_code == 0, told.output
    for line in ("Claude Code", "2 transcripts", "~/.claude.json", "Codex", "Gemini CLI", "hooks"):
        assert line in told.output
    assert "mcp-memory uninstall --everything" in told.output
    assert len(told.output.splitlines()) < 30
    assert files(machine) == before


def test_nothing_is_done_without_a_word(run: Run, machine: Path) -> None:
    before = files(machine)
    told = run("setup")
    assert told.exit_code == ending.WRONG
    assert "--yes" in told.output
    assert files(machine) == before


def test_all_is_done_and_the_first_is_told_that_was_learned(run: Run, machine: Path) -> None:
    told = run("setup", "--yes")
    assert told.exit_code == 0, told.output
    assert "2 sessions of 1 project since March 2026" in told.output
    assert "Errors that came back" in told.output
    assert "UnicodeEncodeError" in told.output
    assert "mended in t:" in told.output
    entry = json.loads((machine / ".claude.json").read_text())["mcpServers"]["memory"]
    assert entry["env"]["MCP_MEMORY_HOME"] == str(machine / "bank")
    gemini = json.loads((machine / ".gemini" / "settings.json").read_text())
    assert gemini["theme"] == "dark"
    assert set(gemini) == {"theme", "mcpServers", "hooks"}
    assert "memory" in (machine / ".codex" / "config.toml").read_text()
    assert "Hooks need review" in told.output, "what Codex asks before it runs any"
    assert "<recalled" in run("search", "euro", "--project", "*").output


def test_twice_is_as_good_as_once(run: Run, machine: Path) -> None:
    run("setup", "--yes")
    before = {name: text for name, text in files(machine).items() if "bank/" not in name}
    again = run("setup", "--yes")
    assert again.exit_code == 0
    assert "set up already" in again.output
    assert {n: text for n, text in files(machine).items() if "bank/" not in n} == before


def test_hosts_and_parts_can_be_chosen(run: Run, machine: Path) -> None:
    told = run("setup", "codex", "--yes", "--no-hooks", "--no-index")
    assert told.exit_code == 0, told.output
    assert not (machine / "bank").exists()
    assert not (machine / ".codex" / "hooks.json").exists()
    assert not (machine / ".claude.json").exists()


def test_everything_is_taken_back(run: Run, machine: Path) -> None:
    before = files(machine)
    run("setup", "--yes")
    told = run("uninstall", "--everything", "--yes")
    assert told.exit_code == 0, told.output
    assert "Gone." in told.output
    assert "pip uninstall" in told.output
    assert files(machine) == before
    assert "Nothing of it is on this machine" in run("uninstall", "--everything").output


def test_everything_is_previewed_and_asked_for(run: Run, machine: Path) -> None:
    run("setup", "--yes")
    before = files(machine)
    for words in (("--dry-run",), ()):
        told = run("uninstall", "--everything", *words)
        assert "the bank in ~/bank: 2 sessions" in told.output
        assert files(machine) == before
    assert told.exit_code == ending.WRONG


def test_what_is_not_the_banks_stays_in_its_folder(run: Run, machine: Path) -> None:
    run("setup", "--yes")
    (machine / "bank" / "my notes.txt").write_text("mine")
    told = run("uninstall", "--everything", "--yes")
    assert "left there: my notes.txt" in told.output
    assert [each.name for each in (machine / "bank").iterdir()] == ["my notes.txt"]


def test_a_folder_that_is_no_bank_is_not_deleted(
    run: Run, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(machine))
    (machine / "store").mkdir()
    before = files(machine)
    told = run("uninstall", "--everything", "--yes")
    assert "Nothing of it is on this machine" in told.output
    assert files(machine) == before


def test_settings_that_cannot_be_edited_do_not_keep_others_from_theirs(
    run: Run, machine: Path
) -> None:
    (machine / ".gemini" / "settings.json").write_text("{ not json")
    told = run("setup", "--yes", "--no-index")
    assert "Gemini CLI" in told.output
    assert (machine / ".claude.json").exists()
    assert (machine / ".gemini" / "settings.json").read_text() == "{ not json"


def test_an_empty_machine_is_told_what_to_do(
    run: Run, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".claude", ".codex", ".gemini"):
        shutil.rmtree(machine / name)
    told = run("setup")
    assert told.exit_code == 0
    assert "mcp-memory tour" in told.output
    assert hooking.HOOKED
