"""Every command that answers does so in JSON too, and nothing else is on standard output then."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tour_sessions import written

from mcp_memory.cli import COMMANDS, cli

Run = Callable[..., Result]
NOT_ANSWERING = {"serve", "bridge", "view", "tour", "eval"}
"""They speak to a host, a browser, or a person who watches; of `eval` the single tasks have it."""


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nobody")
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, list(words))


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - NOT_ANSWERING))
def test_every_command_that_answers_has_json(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    held = command.commands.values() if isinstance(command, click.Group) else [command]
    for one in held:
        assert "--json" in {option for each in one.params for option in each.opts}, one.name


def test_a_bank_is_checked_written_out_and_brought_back(run: Run, tmp_path: Path) -> None:
    paths = [str(path) for path in written(tmp_path)]
    assert told(run("index", *paths, "--json"))
    found = told(run("doctor", "--json"))
    assert found["done"] == []
    assert all(each["good"] for each in found["findings"])
    assert told(run("doctor", "--rebuild", "--json"))["done"] == ["2 sessions written anew"]
    assert told(run("doctor", "--stale", "--json")) == []
    out = tmp_path / "out.jsonl"
    written_out = told(run("export", str(out), "--json"))
    assert written_out == {"file": str(out), "what": "record", "written": written_out["written"]}
    (back,) = told(run("import", str(out), "--json"))
    assert (back["path"], back["sessions"], back["refused"]) == (str(out), 0, [])
    kept = told(run("backup", str(tmp_path / "bank.zip"), "--json"))
    assert kept["file"] == str(tmp_path / "bank.zip")
    assert kept["bytes"] > 0
    again = told(run("backup", str(tmp_path / "bank.zip"), "--restore", "--replace", "--json"))
    assert again["findings"] == []
    assert Path(again["former"]).is_dir()
    assert told(run("edit", "--json")) == {
        "edited": [], "added": [], "forgotten": [], "broken": [], "notes": [],
    }  # fmt: skip


def test_hosts_are_set_up_and_left_again(run: Run, tmp_path: Path) -> None:
    asked = run("setup", "cursor", "--no-index", "--json")
    assert asked.exit_code != 0
    assert "--yes or --dry-run" in asked.output
    planned = told(run("setup", "cursor", "--no-index", "--dry-run", "--json"))
    assert planned["done"] is False
    assert [(each["what"], each["change"]) for each in planned["changes"]] == [
        ("server", "added"), ("hooks", "added"),
    ]  # fmt: skip
    (change,) = told(run("install", "cursor", "--no-check", "--json"))["changes"]
    assert (change["host"], change["what"], change["change"]) == ("cursor", "server", "added")
    assert Path(change["file"]).is_file()
    would = told(run("uninstall", "--everything", "--dry-run", "--json"))
    assert would["done"] is False
    assert [each["host"] for each in would["changes"]] == ["cursor"]
    gone = told(run("uninstall", "cursor", "--json"))
    assert [each["change"] for each in gone["changes"]] in (["removed"], ["restored"])


def test_a_change_to_a_hosts_settings_is_told_alike_by_every_command(
    run: Run, tmp_path: Path
) -> None:
    settings = tmp_path / "nobody" / ".cursor" / "mcp.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("{}")
    said = {"host": "cursor", "what": "server", "change": "added", "file": str(settings)}
    said["backup"] = f"{settings}.before-mcp-memory"
    setup = told(run("setup", "cursor", "--no-hooks", "--no-index", "--dry-run", "--json"))
    install = told(run("install", "cursor", "--dry-run", "--json"))
    assert setup["changes"] == install["changes"] == [said]
    done = told(run("setup", "cursor", "--no-hooks", "--no-index", "--yes", "--json"))
    assert (done["done"], done["changes"]) == (True, [said])
    leaves = [("uninstall", "cursor"), ("uninstall", "--everything")]
    one, every = (told(run(*words, "--dry-run", "--json"))["changes"] for words in leaves)
    assert one == every
    settings.write_text("{ broken")
    for words in (("setup", "cursor", "--no-hooks", "--no-index"), ("install", "cursor")):
        result = run(*words, "--dry-run", "--json")
        (refused,) = json.loads(result.stdout)["changes"]
        assert refused["host"] == "cursor"
        assert "Nothing was changed" in refused["refused"]
        assert "change" not in refused
