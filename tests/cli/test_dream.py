"""A dream sends the user's agent once, within its budget, and reports the one batch that the gate let in."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result
from failing_session import session

from mcp_memory.bank import open_bank
from mcp_memory.cli import COMMANDS, cli
from mcp_memory.domain.models import State
from mcp_memory.hosts import headless
from mcp_memory.hosts.headless import Errand
from mcp_memory.search import spans
from mcp_memory.settings import Settings

SENT = Path(__file__).parent.parent / "support" / "sent_host.py"


@pytest.fixture
def shop(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project in which one error was met and mended in two sessions, and a host on the PATH."""

    async def filled() -> None:
        async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
            for number in (1, 2):
                name = f"0c8a6e3e-0000-4000-8000-00000000000{number}"
                told = session(
                    tmp_path, name, f"make the tests pass, {number}", f"2026-03-0{number}"
                )
                await bank.index([told])

    anyio.run(filled)
    programs = tmp_path / "programs"
    programs.mkdir()
    script = programs / "claude"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {SENT} "$@"\n', "utf-8")
    script.chmod(0o755)
    for name in [name for name in os.environ if name.startswith(("CLAUDE", "CODEX", "AI_AGENT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MCP_MEMORY_HOME", str(settings.home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "none")
    monkeypatch.setenv("MCP_MEMORY_INDEX_AUTO", "false")
    monkeypatch.setenv("SENT_HOST_SAW", str(tmp_path / "saw.json"))
    monkeypatch.chdir(tmp_path / "shop")
    yield tmp_path
    assert list(settings.dreams_dir.iterdir()) == [] if settings.dreams_dir.is_dir() else True


def dreamt(*given: str) -> Result:
    return CliRunner().invoke(cli, ["dream", "--host", "claude-code", *given])


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of a shell")
def test_a_dream_keeps_one_batch_that_passed_the_gate_and_can_be_undone(
    shop: Path, settings: Settings
) -> None:
    done = dreamt("--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    saw = json.loads((shop / "saw.json").read_text("utf-8"))
    assert saw["tools"] == ["consolidate", "fetch", "search"]
    assert "no module named 'flask'" in saw["plan"].casefold()
    assert "pip install flask" in saw["read"]
    assert "occurs nowhere in the evidence" in saw["refused"] or "sessions" in saw["refused"]
    assert "this dream has its batch" in saw["again"]
    assert not any("flask" in word for word in saw["argv"]), "others may read a command"
    assert Path(saw["cwd"]).parent == settings.dreams_dir
    assert told["refused"] == 1
    assert 0 < told["tokens"] < 40_000
    (kept,) = told["memories"]
    assert (kept["standing"], told["batch"] in saw["kept"]) == ("established", True)

    async def undone() -> State:
        async with open_bank(settings, cwd=str(shop / "shop")) as bank:
            await bank.undo(told["batch"])
            return (await spans.current(bank.rooms, kept["ref"])).state

    assert anyio.run(undone) is State.FORGOTTEN


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of a shell")
def test_a_dream_that_nothing_came_of_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENT_HOST", "gives up")
    done = dreamt("--tokens", "1000")
    assert "No batch passed the gate: nothing was changed." in done.output
    assert "the gate said no 1 time" in done.output


def test_a_dry_run_starts_nothing_and_says_what_it_would(shop: Path) -> None:
    done = dreamt("--dry-run", "--proposals", "3", "--model", "sonnet")
    assert done.exit_code == 0, done.output
    assert "No module named 'flask'" in done.output
    assert "--strict-mcp-config --tools '' --allowedTools" in done.output
    assert "3 memories and 40,000 tokens" in done.output
    assert not (shop / "saw.json").exists()


def test_no_agent_sends_another_and_a_program_that_is_not_there_is_named(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "is not on the PATH. Nothing was started." in dreamt().output
    monkeypatch.setenv("CLAUDECODE", "1")
    assert "only the user may send an agent to dream" in dreamt().output
    assert not (shop / "saw.json").exists()


def test_nothing_but_the_command_starts_a_host() -> None:
    package = Path(headless.__file__).parent.parent
    users = [p.relative_to(package).as_posix() for p in package.rglob("*.py")
             if "import headless" in p.read_text("utf-8")]  # fmt: skip
    assert users == ["cli/dream.py"]
    assert "dream" in COMMANDS


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of a shell")
def test_a_host_that_does_not_end_is_ended_with_what_it_began(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {told}; echo thinking; wait"
    start = headless.Start((shutil.which("sh") or "sh", "-c", script))
    ended = headless.run(start, tmp_path, 0.5)
    assert (ended.code, ended.said) == (None, "thinking")
    until = time.monotonic() + 10
    while _runs(int(told.read_text())) and time.monotonic() < until:
        pass
    assert not _runs(int(told.read_text()))


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().split()[2]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("host", headless.HOSTS)
def test_every_host_is_given_our_server_for_this_once_and_the_model_that_is_named(
    host: str, tmp_path: Path
) -> None:
    errand = Errand("what to do", ("/bin/ours", "dream", "--serve", "x"), {"A": 'b"c'},
                    ("search", "fetch"), tmp_path, "small")  # fmt: skip
    start = headless.HOSTS[host](errand)
    everything = "\n".join((*start.argv, *start.environment.values(), *start.files.values()))
    assert errand.prompt in start.argv
    assert "small" in start.argv
    assert "/bin/ours" in everything
    assert 'b\\"c' in everything or start.environment["A"] == 'b"c'
    assert not any('b"c' in word or 'b\\"c' in word for word in start.argv)


def test_what_a_sent_host_writes_is_no_history(settings: Settings, tmp_path: Path) -> None:
    folder = settings.dreams_dir / "dream-1"
    path = session(tmp_path, "0c8a6e3e-0000-4000-8000-000000000009")
    inside = path.read_text("utf-8").replace((tmp_path / "shop").as_posix(), folder.as_posix())
    path.write_text(inside, "utf-8")

    async def reported() -> list[str]:
        async with open_bank(settings, cwd=str(tmp_path)) as bank:
            return [report.status for report in await bank.index([path])]

    assert anyio.run(reported) == ["excluded"]
