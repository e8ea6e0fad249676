"""Hosts: one module an agent host; where its transcripts lie and when it deletes them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from mcp_memory.hosts import (
    aider,
    amp,
    antigravity,
    claude_code,
    cline,
    codex,
    continue_dev,
    copilot_cli,
    crush,
    cursor,
    factory_droid,
    gemini_cli,
    goose,
    hermes,
    kimi_cli,
    kiro_cli,
    mini_swe_agent,
    mistral_vibe,
    opencode,
    openhands,
    pi,
    qwen_code,
    specstory,
    swe_agent,
    vscode_copilot,
    windsurf,
    zed,
)


class Host(Protocol):
    """What a host module offers; it is named as the format that its transcripts are read by."""

    NAME: str
    RETENTION: timedelta | None
    """How long the host keeps a transcript unless it is told otherwise; None where it keeps them."""

    def transcripts(self, project: str | None = None) -> Iterator[Path]:
        """Files that may hold transcripts (of a project); none where the host is not used.

        In a stable order; links are not followed. Where the layout does not tell the project,
        all are named: the session's own folder decides.
        """
        ...


HOSTS: tuple[Host, ...] = (
    aider,
    amp,
    antigravity,
    claude_code,
    cline,
    codex,
    continue_dev,
    copilot_cli,
    crush,
    cursor,
    factory_droid,
    gemini_cli,
    goose,
    hermes,
    kimi_cli,
    kiro_cli,
    mini_swe_agent,
    mistral_vibe,
    opencode,
    openhands,
    pi,
    qwen_code,
    specstory,
    swe_agent,
    vscode_copilot,
    windsurf,
    zed,
)

_TOLD: dict[str, Callable[[], timedelta | None]] = {
    claude_code.NAME: claude_code.retention,
    gemini_cli.NAME: gemini_cli.retention,
}


def retention(host: Host) -> timedelta | None:
    """How long a host keeps a transcript, as its user set it; None where it keeps them."""
    told = _TOLD.get(host.NAME)
    return told() if told else host.RETENTION


def format_of(host: Host) -> str:
    """The format that the host's transcripts are read by: the module's own name."""
    return str(vars(host)["__name__"]).rpartition(".")[2]


def named(format_: str) -> str:
    """An agent's own name by its format, such as `Claude Code`; the format where no host has it."""
    return next((host.NAME for host in HOSTS if format_of(host) == format_), format_)


def prompts() -> Iterator[Path]:
    """Histories of what was typed, of the hosts that keep one when a transcript is gone."""
    yield from claude_code.prompts()
    yield from codex.prompts()
