"""The command line and what the README says of it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from tour_sessions import written

from mcp_memory import VERSION
from mcp_memory.cli import COMMANDS, cli, ending
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path):
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "none"))
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, list(words))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()[2].strip()) > 10


def test_a_history_is_indexed_listed_searched_and_inspected(run, tmp_path: Path) -> None:
    paths = [str(path) for path in written(tmp_path)]
    indexed = run("index", *paths)
    assert "2 files: 2 indexed" in indexed.output
    assert "2 sessions" in indexed.output
    listed = run("list", "sessions").output
    ref = re.search(r"t:\w{12}", listed)
    assert ref is not None
    assert "exit 1" in run("inspect", ref.group(), "--commands").output
    assert "#5 agent" in run("inspect", ref.group(), "--span", "5:5").output
    found = run("search", "UnicodeEncodeError charmap", "--project", "*")
    assert "<recalled " in found.output
    assert "2 sessions" in run("status").output
    assert run("doctor", "--rebuild").exit_code == 0


def test_what_hooks_handed_over_is_indexed_wherever_it_lies_and_its_notes_go(
    run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
    for path in written(tmp_path):
        spool.leave(home / "spool", str(path), "s")
    assert "2 files: 2 indexed" in run("index").output
    assert spool.waiting(home / "spool") == []
    assert "2 sessions" in run("status").output


def test_a_change_is_listed_and_undone(run) -> None:
    kept = run("retain", "the export listens on port 8080")
    batch = re.search(r"b:\w{12}", kept.output)
    assert batch is not None
    assert batch.group() in run("list", "changes").output
    assert run("undo", batch.group()).exit_code == 0


def test_an_error_is_one_message_and_a_status(run) -> None:
    result = run("fetch", "m:000000000000")
    assert result.exit_code == 1
    assert "Nothing is known by the ref" in result.output


@pytest.mark.parametrize("command", ["settings", "serve", "status"])
def test_a_setting_of_the_wrong_kind_is_one_message(
    run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_FLOOR", "abc")
    result = run(command)
    assert result.exit_code == 2
    assert result.output.startswith("Error: MCP_MEMORY_FLOOR='abc': ")
    assert "Traceback" not in result.output


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_EMBEDING_MODEL", "hash")
    monkeypatch.setenv("MCP_MEMORY_REMOTE_TOKEN", "mcpm_of_the_bridge")
    told = run("settings").stderr
    assert told == (
        "MCP_MEMORY_EMBEDING_MODEL is no setting and was ignored; "
        "did you mean MCP_MEMORY_EMBEDDING_MODEL?\n"
    )


def test_index_ends_with_an_error_where_all_that_was_named_is_refused_and_in_part_where_some(
    run, tmp_path: Path
) -> None:
    strange = tmp_path / "notes.jsonl"
    strange.write_text('{"a": 1}\n')
    refused = run("index", str(strange))
    assert refused.exit_code == ending.WRONG
    assert "notes.jsonl" in refused.output
    strange.write_text('{"a": 12}\n')
    both = run("index", str(strange), *(str(path) for path in written(tmp_path)))
    assert both.exit_code == ending.PART
    again = run("index", str(strange))
    assert again.exit_code == 0, "it did not change, and is not read again"


def test_a_filter_that_fits_nothing_says_so_in_words(run) -> None:
    result = run("delete", "--in-project", "nowhere")
    assert result.exit_code == 1
    assert "No record fits project nowhere." in result.output


def test_a_batch_that_is_none_is_looked_for_among_the_changes(run) -> None:
    assert "a listing of changes" in run("undo", "b:000000000000").output


def test_a_preview_says_how_the_command_line_carries_it_out(run) -> None:
    kept = run("retain", "the export listens on port 8080")
    ref = re.search(r"m:\w{12}", kept.output)
    assert ref is not None
    seen = run("delete", ref.group()).output
    assert "preview: 1 record: " in seen
    confirm = re.search(r"--confirm (\w+)", seen)
    assert confirm is not None
    done = run("delete", ref.group(), "--mode", "purge", "--confirm", confirm.group(1))
    assert done.exit_code == 0, done.output


def test_what_the_bank_holds_moves_by_a_file(run, tmp_path: Path) -> None:
    run("index", *(str(path) for path in written(tmp_path)))
    assert run("export", str(tmp_path / "bank.jsonl")).exit_code == 0
    assert "nothing taken, 2 were there" in run("import", str(tmp_path / "bank.jsonl")).output
    (tmp_path / "other.txt").write_text("no export")
    assert "nothing that can be imported" in run("import", str(tmp_path / "other.txt")).output


def test_every_setting_has_a_sentence() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_version_is_the_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION


def test_the_distribution_is_never_installed_by_a_strangers_name() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not re.search(r"(pip|uv|pipx|uvx)\s+(tool )?(install |run )?mcp-memory\b", readme)


@pytest.mark.timeout(120)
def test_the_tour_walks_through_all_six_tools_and_leaves_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "tour"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for title in ("index", "search", "fetch", "runbook", "retain", "consolidate", "delete"):
        assert f"── {title}" in done.stdout
    assert ", 0 after" in done.stdout
    assert "still there" not in done.stdout
    first, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-3:]
    assert first == "In March an agent mended the same crash twice, in two files."
    assert last[0].split()[:2] == ["mcp-memory", "setup"]
    page = done.stdout[done.stdout.index("── runbook") : done.stdout.index("── search: what")]
    for wanted in ("nowhere in recorded history", "Name the encoding when opening files", "became"):
        assert wanted in page, page
    folder = re.search(r"lie in (\S+?)/claude", done.stdout)
    assert folder is not None
    assert not Path(folder.group(1)).exists()


def test_the_first_words_of_the_tour_come_before_the_server() -> None:
    probe = (
        "import sys, mcp_memory.cli.tour;"
        "print([m for m in ('mcp', 'lancedb', 'mcp_memory.bank') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_formats_are_told_by_the_name_to_type_and_by_the_agents_own(run) -> None:
    lines = run("index", "--formats").output.splitlines()
    assert any(re.fullmatch(r"claude_code +Claude Code", line) for line in lines)
    assert len({line.split()[0] for line in lines}) == len(lines)
