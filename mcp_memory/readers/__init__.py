"""Readers: one module a transcript format, with FORMAT, VERSION, recognize(path), read(path)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import Trajectory
from mcp_memory.readers import (
    aider,
    amp,
    antigravity,
    atif,
    chatgpt,
    claude_code,
    claude_prompts,
    claude_web,
    cline,
    codex,
    codex_prompts,
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
    longmemeval_v2,
    mini_swe_agent,
    mistral_vibe,
    opencode,
    openhands,
    pi,
    qwen_code,
    roger_roger,
    specstory,
    swe_agent,
    vscode_copilot,
    windsurf,
    zed,
)
from mcp_memory.readers.companions import companions, is_aside, owner_of
from mcp_memory.readers.jsonl import one_head
from mcp_memory.readers.opening import open_transcript

__all__ = [
    "READERS",
    "Reader",
    "companions",
    "detect",
    "is_aside",
    "open_transcript",
    "owner_of",
    "versions",
]


class Reader(Protocol):
    """What every reader module offers; `VERSION` rises whenever its reading changes."""

    FORMAT: str
    VERSION: int

    def recognize(self, path: Path) -> bool:
        """Whether the file is of this format, by content, from its first megabyte.

        Raises:
            OSError: it cannot be opened.
        """
        ...

    def read(self, path: Path) -> Iterator[Trajectory]:
        """The sessions of a file, the main one first; bad content is named in `refusals`.

        Step numbers of a file that only grows never change, wherever it is cut.

        Raises:
            OSError: it cannot be opened.
        """
        ...


READERS: tuple[Reader, ...] = (
    aider,
    amp,
    antigravity,
    atif,
    chatgpt,
    claude_code,
    claude_prompts,
    claude_web,
    cline,
    codex,
    codex_prompts,
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
    longmemeval_v2,
    mini_swe_agent,
    mistral_vibe,
    opencode,
    openhands,
    pi,
    qwen_code,
    roger_roger,
    specstory,
    swe_agent,
    vscode_copilot,
    windsurf,
    zed,
)


def versions() -> list[tuple[str, int]]:
    """Every format with the version of its reading, in order."""
    return sorted((reader.FORMAT, reader.VERSION) for reader in READERS)


def detect(path: Path) -> Reader:
    """The one reader that recognises a file.

    Raises:
        UnknownTranscript: none does, or more than one; those that do are named.
        OSError: it cannot be opened.
    """
    with one_head(path):
        found = [reader for reader in READERS if reader.recognize(path)]
    if len(found) != 1:
        raise UnknownTranscript(path, [reader.FORMAT for reader in found])
    return found[0]
