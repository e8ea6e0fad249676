"""The hosts that can be given our server: where each keeps its settings, and in which form."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mcp_memory.hosts.installing import jsonc, toml_text, yaml_text
from mcp_memory.hosts.installing.launch import Launch
from mcp_memory.hosts.places import application_data, chosen

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One host: its settings file, the table in it that names servers, and an entry's form."""

    name: str
    title: str
    file: Callable[[], Path]
    table: str
    entry: Callable[[Launch], Entry]
    form: ModuleType = jsonc
    program: str | None = None
    """The host's own command, if it has one."""
    listing: tuple[str, ...] = ()
    """What that command is given to list its servers."""
    server: str = "memory"
    """What our server is called there."""
    next_step: str = "Restart it to load the server."

    def found(self) -> bool:
        """Whether this host's settings, or the folder it keeps them in, are on this machine."""
        file = self.file()
        own = file.parent if file.parent != Path.home() else Path.home() / f".{self.program}"
        return file.is_file() or own.is_dir()


def command_of(entry: Mapping[str, Any]) -> Sequence[object]:
    """The whole command that an entry of any host starts; empty where it starts none."""
    program = entry.get("command", entry.get("cmd"))
    if isinstance(program, list):
        return program
    arguments = entry.get("args")
    return [program, *(arguments if isinstance(arguments, list) else [])] if program else []


def _plain(launch: Launch) -> Entry:
    entry: Entry = {"command": launch.program, "args": list(launch.arguments)}
    return {**entry, "env": dict(launch.environment)} if launch.environment else entry


def _typed(launch: Launch) -> Entry:
    return {"type": "stdio", **_plain(launch)}


def _opencode(launch: Launch) -> Entry:
    entry: Entry = {"type": "local", "command": list(launch.argv), "enabled": True}
    return {**entry, "environment": dict(launch.environment)} if launch.environment else entry


def _goose(launch: Launch) -> Entry:
    return {
        "type": "stdio",
        "name": "mcp-memory",
        "description": "Long-term memory: past sessions as searchable evidence",
        "cmd": launch.program,
        "args": list(launch.arguments),
        "envs": dict(launch.environment),
        "enabled": True,
        "timeout": 300,
    }


def _data() -> Path:
    return application_data(Path.home(), sys.platform, os.environ)


def _dot_config() -> Path:
    """Where programs that follow XDG on every platform but Windows keep their settings."""
    return chosen("XDG_CONFIG_HOME", Path.home() / ".config")


def _claude_code() -> Path:
    return chosen("CLAUDE_CONFIG_DIR", Path.home()) / ".claude.json"


def _opencode_file() -> Path:
    folder = chosen("OPENCODE_CONFIG_DIR", _dot_config() / "opencode")
    commented = folder / "opencode.jsonc"
    return commented if commented.is_file() else folder / "opencode.json"


def _goose_file() -> Path:
    if sys.platform == "win32":
        return _data() / "Block" / "goose" / "config" / "config.yaml"
    return _dot_config() / "goose" / "config.yaml"


def _zed_file() -> Path:
    folder = _data() / "Zed" if sys.platform == "win32" else _dot_config() / "zed"
    return folder / "settings.json"


TARGETS: tuple[Target, ...] = (
    Target("claude-code", "Claude Code", _claude_code, "mcpServers", _typed,
           program="claude", listing=("mcp", "list"), next_step="Start a new session."),
    Target("codex", "Codex", lambda: chosen("CODEX_HOME", Path.home() / ".codex") / "config.toml",
           "mcp_servers", _plain, form=toml_text, program="codex", listing=("mcp", "list"),
           next_step="Start a new session."),
    Target("gemini-cli", "Gemini CLI", lambda: Path.home() / ".gemini" / "settings.json",
           "mcpServers", _plain, program="gemini", listing=("mcp", "list"),
           next_step="Start a new session in a trusted folder."),
    Target("cursor", "Cursor", lambda: Path.home() / ".cursor" / "mcp.json", "mcpServers", _plain,
           next_step="Switch the server on in Cursor's settings if it asks."),
    Target("vscode", "VS Code", lambda: _data() / "Code" / "User" / "mcp.json", "servers", _typed,
           next_step="Start the server from VS Code's list of MCP servers if it asks."),
    Target("claude-desktop", "Claude Desktop",
           lambda: _data() / "Claude" / "claude_desktop_config.json", "mcpServers", _plain),
    Target("opencode", "opencode", _opencode_file, "mcp", _opencode, program="opencode",
           listing=("mcp", "list"), next_step="Start a new session."),
    Target("windsurf", "Windsurf", lambda: Path.home() / ".codeium" / "windsurf" / "mcp_config.json",
           "mcpServers", _plain, next_step="Refresh the list of MCP servers in Windsurf."),
    Target("zed", "Zed", _zed_file, "context_servers", _plain, next_step="Zed loads it at once."),
    # `memory` is the name of an extension that Goose itself brings.
    Target("goose", "Goose", _goose_file, "extensions", _goose, form=yaml_text,
           server="mcp-memory", next_step="Start a new session."),
)  # fmt: skip
"""Every host, in the order in which they are listed."""
