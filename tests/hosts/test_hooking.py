"""Hooks in hosts' settings: ours in and out, the user's own untouched, the command one that starts."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mcp_memory.cli import cli
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing.changes import apply
from mcp_memory.hosts.installing.hooking import (
    HOOKED,
    PLUGGED,
    Hooked,
    hook_argv,
    plan_hooks,
    plan_no_hooks,
)
from mcp_memory.hosts.installing.launch import Launch, launch

LAUNCH = Launch(("/opt/own env/bin/mcp-memory", "serve"), {"MCP_MEMORY_HOME": "/my bank"})
THEIRS = {"hooks": [{"type": "command", "command": "notify-send hi"}]}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "MCP_MEMORY_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", "")
    return tmp_path


def write(hooked: Hooked, settings: Any) -> str:
    file = hooked.file()
    file.parent.mkdir(parents=True, exist_ok=True)
    text = settings if isinstance(settings, str) else json.dumps(settings, indent=4) + "\n"
    file.write_text(text, encoding="utf-8")
    return text


def commands(hooked: Hooked) -> list[str]:
    table = json.loads(hooked.file().read_text(encoding="utf-8"))["hooks"]
    groups = [group for found in table.values() for group in found]
    return [one["command"] for group in groups for one in group.get("hooks", [group])]


def theirs(hooked: Hooked) -> dict[str, Any]:
    return {"command": "notify-send hi"} if hooked.flat else THEIRS


@pytest.mark.parametrize("hooked", HOOKED, ids=lambda hooked: hooked.host)
class TestEveryHost:
    def test_each_event_is_called_once_by_an_absolute_quoted_command(self, hooked: Hooked) -> None:
        apply(plan_hooks(hooked, LAUNCH))
        events = [event for _, event, _ in hooked.events]
        assert {"session-start", "before-edit", "tool-failed", "before-compaction"} <= set(events)
        start = "'/opt/own env/bin/mcp-memory-hook' '--home=/my bank'"
        assert sorted(commands(hooked)) == sorted(
            f"{start} --host={hooked.host} {event}" for event in events
        )
        apply(plan_no_hooks(hooked))
        assert not hooked.file().exists()

    def test_the_users_own_stay_and_the_file_is_restored_to_the_byte(self, hooked: Hooked) -> None:
        native = hooked.events[0][0]
        was = write(
            hooked, {"model": "x", "hooks": {native: [theirs(hooked)], "Other": [theirs(hooked)]}}
        )
        change = plan_hooks(hooked, LAUNCH)
        apply(change)
        read = json.loads(hooked.file().read_text(encoding="utf-8"))
        assert read["hooks"][native][0] == theirs(hooked)
        assert len(read["hooks"][native]) == 2
        assert change.backup.read_text(encoding="utf-8") == was
        assert plan_hooks(hooked, LAUNCH).kind == "unchanged"
        apply(plan_no_hooks(hooked))
        assert hooked.file().read_text(encoding="utf-8") == was
        assert sorted(hooked.file().parent.iterdir()) == [hooked.file()]

    def test_a_moved_installation_is_followed_in_its_place(self, hooked: Hooked) -> None:
        native = hooked.events[0][0]
        apply(plan_hooks(hooked, LAUNCH))
        read = json.loads(hooked.file().read_text(encoding="utf-8"))
        read["hooks"][native].append(theirs(hooked))
        write(hooked, read)
        change = plan_hooks(hooked, Launch(("/new/mcp-memory", "serve"), {}))
        apply(change)
        assert change.kind == "updated"
        told = commands(hooked)
        assert told[1] == "notify-send hi"
        assert all(c.startswith("/new/mcp-memory-hook ") for c in told if c != "notify-send hi")
        apply(plan_no_hooks(hooked))
        left = json.loads(hooked.file().read_text(encoding="utf-8"))
        left.pop("version", None)
        assert left == {"hooks": {native: [theirs(hooked)]}}

    @pytest.mark.parametrize("text", ["{ broken", "[]", '{"hooks": 7}', '{"hooks": {"START": {}}}'])
    def test_a_file_that_is_not_understood_is_left_alone(self, hooked: Hooked, text: str) -> None:
        text = text.replace("START", hooked.events[0][0])
        write(hooked, text)
        with pytest.raises(InvalidInput, match="Nothing was changed"):
            plan_hooks(hooked, LAUNCH)
        assert hooked.file().read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("argv", "hook"),
    [
        (("/v/bin/mcp-memory", "serve"), ("/v/bin/mcp-memory-hook",)),
        (("C:\\v\\mcp-memory.exe", "serve"), ("C:/v/mcp-memory-hook.exe",)),
        (("/py", "-P", "-m", "mcp_memory", "serve"), ("/py", "-P", "-m", "mcp_memory.hooks.hook")),
        (
            ("/uvx", "--from", "git+x@1", "mcp-memory", "serve"),
            ("/uvx", "--from", "git+x@1", "mcp-memory-hook"),
        ),
    ],
)
def test_the_hook_is_that_of_the_same_installation(
    argv: tuple[str, ...], hook: tuple[str, ...]
) -> None:
    assert hook_argv(Launch(argv, {})) == hook


def test_the_command_that_is_written_really_starts(tmp_path: Path) -> None:
    argv = hook_argv(launch())
    note = json.dumps({"transcript_path": str(tmp_path / "t.jsonl"), "session_id": "s"})
    done = subprocess.run(
        [*argv, f"--home={tmp_path / 'bank'}", "session-end"],
        input=note.encode(), capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(list((tmp_path / "bank" / "spool").iterdir())) == 1


def test_install_puts_hooks_in_when_asked_and_uninstall_takes_both_away(home: Path) -> None:
    claude = HOOKED[0]
    gemini = HOOKED[2]
    was = write(gemini, {"theme": "x"})
    run = CliRunner()
    assert run.invoke(cli, ["install", "claude-code", "gemini-cli", "--no-check"]).exit_code == 0
    assert not claude.file().exists()
    shown = run.invoke(cli, ["install", "claude-code", "gemini-cli", "--hooks", "--no-check"])
    assert shown.exit_code == 0
    assert "✓ Claude Code: hooks into ~/.claude/settings.json" in shown.output
    assert (len(commands(claude)), len(commands(gemini))) == (8, 6)
    dry = run.invoke(cli, ["uninstall", "claude-code", "gemini-cli", "--dry-run"])
    assert "• Gemini CLI: hooks out of ~/.gemini/settings.json" in dry.output
    assert run.invoke(cli, ["uninstall", "claude-code", "gemini-cli"]).exit_code == 0
    assert not claude.file().exists()
    assert gemini.file().read_text(encoding="utf-8") == was


def test_opencode_gets_a_plugin_with_the_hooks_command_and_loses_only_that(home: Path) -> None:
    (opencode,) = PLUGGED
    change = plan_hooks(opencode, LAUNCH)
    apply(change)
    text = opencode.file().read_text(encoding="utf-8")
    assert '["/opt/own env/bin/mcp-memory-hook", "--home=/my bank"]' in text
    assert plan_hooks(opencode, LAUNCH).kind == "unchanged"
    moved = Launch(("/new/mcp-memory", "serve"), {})
    assert plan_hooks(opencode, moved).kind == "updated"
    apply(plan_no_hooks(opencode))
    assert not opencode.file().exists()
    assert plan_no_hooks(opencode).kind == "absent"
    opencode.file().write_text("export const Mine = 1\n", encoding="utf-8")
    for plan in (lambda: plan_hooks(opencode, LAUNCH), lambda: plan_no_hooks(opencode)):
        with pytest.raises(InvalidInput, match="another plugin"):
            plan()


def test_that_codex_wants_hooks_to_be_trusted_is_said_when_they_are_put_in(home: Path) -> None:
    shown = CliRunner().invoke(cli, ["install", "codex", "--hooks", "--no-check"])
    assert "Hooks need review" in shown.output
    again = CliRunner().invoke(cli, ["install", "codex", "--hooks", "--no-check"])
    assert "Hooks need review" not in again.output
