"""Headless: each host's command for one errand without its user, with tools of ours and nothing else."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVER = "memory"
WAITS_MS = "120000"
"""How long a host waits for our server, in milliseconds."""
MOST_SAID = 4_000
"""Characters of what a host printed that are kept to say what went wrong."""
_POSIX = sys.platform != "win32"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a host is to do."""

    prompt: str
    argv: tuple[str, ...]
    """The command that serves the tools."""
    environment: Mapping[str, str]
    """What that command needs."""
    tools: tuple[str, ...]
    folder: Path
    """An empty folder of ours that it is started in."""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """How a host is started."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to the user's own."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name in the folder to what stands in it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended."""

    code: int | None
    """None where its time was up, and it was stopped."""
    said: str
    """The end of what it printed."""


def _claude_code(errand: Errand) -> Start:
    server = {"type": "stdio", "command": errand.argv[0], "args": list(errand.argv[1:]),
              "env": dict(errand.environment)}  # fmt: skip
    file = "mcp.json"
    allowed = ",".join(f"mcp__{SERVER}__{tool}" for tool in errand.tools)
    argv = ("claude", "-p", errand.prompt, "--mcp-config", str(errand.folder / file),
            "--strict-mcp-config", "--tools", "", "--allowedTools", allowed,
            "--no-session-persistence", *_named("--model", errand))  # fmt: skip
    # On a busy machine it would ask its model before the tools are there, and be done.
    waits = {"MCP_CONNECTION_NONBLOCKING": "false", "MCP_TIMEOUT": WAITS_MS,
             "MCP_CONNECT_TIMEOUT_MS": WAITS_MS}  # fmt: skip
    servers = {SERVER: {**server, "alwaysLoad": True}}
    return Start(argv, environment=waits, files={file: json.dumps({"mcpServers": servers})})


def _codex(errand: Errand) -> Start:
    # What the server needs is handed on by name: others may read a command.
    table = (
        f"{{command={json.dumps(errand.argv[0])}, args={json.dumps(list(errand.argv[1:]))}, "
        f"env_vars={json.dumps(list(errand.environment))}, required=true, "
        f"enabled_tools={json.dumps(list(errand.tools))}, startup_timeout_sec=120}}"
    )
    argv = ("codex", "exec", "--skip-git-repo-check", "--ephemeral", "--sandbox", "read-only",
            "--disable", "shell_tool", "--disable", "apps", "--disable", "goals",
            "-c", 'web_search="disabled"', "-c", f"mcp_servers.{SERVER}={table}",
            *_named("-m", errand), errand.prompt)  # fmt: skip
    return Start(argv, environment=errand.environment)


_GEMINIS_OWN = (
    "list_directory", "read_file", "read_many_files", "grep_search", "glob", "google_web_search",
    "web_fetch", "enter_plan_mode", "invoke_agent", "run_shell_command", "write_file", "replace",
    "save_memory", "write_todos", "activate_skill", "ask_user",
)  # fmt: skip
"""To allow no tool of its own denies ours as well: each is named."""


def _gemini_cli(errand: Errand) -> Start:
    server = {"command": errand.argv[0], "args": list(errand.argv[1:]),
              "env": dict(errand.environment), "trust": True,
              "includeTools": list(errand.tools)}  # fmt: skip
    argv = ("gemini", "-p", errand.prompt, "--allowed-mcp-server-names", SERVER, "--skip-trust",
            *_named("-m", errand))  # fmt: skip
    # What the folder's own settings say goes before what the user's say.
    told = {"mcpServers": {SERVER: server}, "tools": {"exclude": list(_GEMINIS_OWN)}}
    return Start(argv, files={".gemini/settings.json": json.dumps(told)})


def _opencode(errand: Errand) -> Start:
    server = {"type": "local", "command": list(errand.argv), "enabled": True,
              "environment": dict(errand.environment)}  # fmt: skip
    denied = dict.fromkeys(("edit", "bash", "webfetch", "external_directory"), "deny")
    told: dict[str, Any] = {"mcp": {SERVER: server}, "permission": denied, "share": "disabled",
                            "tools": {"*": False, f"{SERVER}_*": True}}  # fmt: skip
    argv = ("opencode", "run", *_named("-m", errand), errand.prompt)
    return Start(argv, environment={"OPENCODE_CONFIG_CONTENT": json.dumps(told)})


def _named(option: str, errand: Errand) -> tuple[str, ...]:
    return (option, errand.model) if errand.model else ()


HOSTS: Mapping[str, Callable[[Errand], Start]] = {
    "claude-code": _claude_code,
    "codex": _codex,
    "gemini-cli": _gemini_cli,
    "opencode": _opencode,
}
"""The hosts that can be sent; each is given our server for this once, whatever its settings say."""


def run(start: Start, folder: Path, seconds: float) -> Ended:
    """Start a host in the folder and wait for its end, or end it with all that it began; blocking.

    Without a shell and without input; `start.argv[0]` is a path.

    Raises:
        OSError: it cannot be started.
    """
    for name, text in start.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with (folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(  # noqa: S603  the host's own program, a list of arguments
            start.argv, cwd=folder, env={**os.environ, **start.environment},
            stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            start_new_session=_POSIX,
        )  # fmt: skip
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return Ended(code, text[-MOST_SAID:].strip())


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing that it began goes on without it."""
    if _POSIX:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        subprocess.run(  # noqa: S603
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607
            capture_output=True, check=False,
        )  # fmt: skip
    process.wait()
