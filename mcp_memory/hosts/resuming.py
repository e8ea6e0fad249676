"""Resuming: the command of each host that goes on with one of its past sessions."""

from collections.abc import Mapping, Sequence

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "claude_code": ("claude", "--resume", "{id}"),
    "codex": ("codex", "resume", "{id}"),
    "gemini_cli": ("gemini", "--resume", "{id}"),
    "opencode": ("opencode", "--session", "{id}"),
    "copilot_cli": ("copilot", "--resume", "{id}"),
    "qwen_code": ("qwen", "--resume", "{id}"),
    "kimi_cli": ("kimi", "--session", "{id}"),
    "goose": ("goose", "session", "--resume", "--session-id", "{id}"),
    "amp": ("amp", "threads", "continue", "{id}"),
    "openhands": ("openhands", "--resume", "{id}"),
    "pi": ("pi", "--session", "{file}"),
}
"""A transcript's format to its host's command, as the host's own pages say it.

Hosts that resume by a picker only, or that have no command, are not here.
"""


def resumed_by(format_: str, native_id: str, file: str) -> Sequence[str]:
    """The command that goes on with a session; empty where its host has none that is known."""
    return [part.format(id=native_id, file=file) for part in COMMANDS.get(format_, ())]
