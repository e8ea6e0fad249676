"""The closing words of `index`: five lines that a user wants to know, and more where asked for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from talks import kept, talk

from mcp_memory.cli import cli, ending

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def history(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    folder = tmp_path / "history"
    kept(folder / "one.jsonl", talk(ONE, "Fix the kettle", "Fixed it", cwd="/a/shop"))
    kept(folder / "two.jsonl", talk(TWO, "Fix the lamp", "It glows", cwd="/b/till"))
    with (folder / "two.jsonl").open("ab") as file:
        file.write(b'{"type":"user","sessionId":"' + TWO.encode() + b'","message":\n')
        file.write(b'{"type":"moonbeam","sessionId":"' + TWO.encode() + b'"}\n')
    (folder / "notes.json").write_text("[]", encoding="utf-8")
    return folder


def told(*words: str) -> list[str]:
    done = CliRunner().invoke(cli, ["index", *words])
    assert done.exit_code in {ending.ANSWERED, ending.PART}, done.output
    return [line for line in done.stdout.splitlines() if ": " in line]


def test_a_run_ends_with_what_a_user_wants_to_know(history: Path) -> None:
    read, bank, projects, refused = told(str(history))
    assert read.startswith("Read: 3 files: 2 indexed, 1 refused; 2 sessions, 4 steps")
    assert bank == "Bank: 2 sessions of Claude Code 2."
    assert projects == "Projects: shop 1, till 1, from 2026-08-01."
    assert refused.startswith("Refused: 2 pieces (")
    assert "notes.json: the file is of no known format" in refused
    assert "1 record of unknown types" in refused


def test_record_types_and_refused_pieces_are_named_where_asked_for(history: Path) -> None:
    assert not any("moonbeam" in line for line in told(str(history)))
    (history / "two.jsonl").touch()
    CliRunner().invoke(cli, ["index", str(history)])
    with (history / "two.jsonl").open("ab") as file:
        file.write(b'{"type":"moonbeam","sessionId":"' + TWO.encode() + b'"}\n')
    lines = told(str(history), "--verbose")
    assert any("moonbeam 2" in line for line in lines)
    assert any("two.jsonl line 3" in line for line in lines)


def test_without_paths_it_says_what_hosts_delete_next(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del history
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert told()[-1] == "Deleted next: nothing within a week."


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of Unix")
def test_an_interrupted_run_says_what_is_kept_and_goes_on_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(60):
        session = f"{number:08d}-1111-4111-8111-111111111111"
        kept(folder / f"{number}.jsonl", talk(session, *(f"word {number} {n}" for n in range(60))))
    env = {
        **os.environ,
        "MCP_MEMORY_HOME": str(tmp_path / "home"),
        "MCP_MEMORY_EMBEDDING_MODEL": "hash",
    }
    command = [sys.executable, "-m", "mcp_memory", "index", str(folder)]
    run = subprocess.Popen(
        command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    spool = tmp_path / "home" / "store"
    while run.poll() is None and not (spool / "sessions.lance").exists():
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=50)
    if run.returncode == 0:
        return  # it was done before the signal came
    assert run.returncode == 130
    assert "Stopped" in said
    assert "kept" in said
    again = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "60 sessions" in again.stdout
