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
    assert [each["change"] for each in planned["changes"] if each["what"] == "Cursor"] == ["added"]
    done = told(run("install", "cursor", "--no-check", "--json"))
    (change,) = done["changes"]
    assert (change["host"], change["change"]) == ("cursor", "added")
    assert Path(change["file"]).is_file()
    would = told(run("uninstall", "--everything", "--dry-run", "--json"))
    assert would["done"] is False
    assert [each["host"] for each in would["changes"]] == ["cursor"]
    gone = told(run("uninstall", "cursor", "--json"))
    assert [each["change"] for each in gone["changes"]] in (["removed"], ["restored"])
