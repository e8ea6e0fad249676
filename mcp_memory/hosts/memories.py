"""Memories of the hosts' own: instructions and notes that they load by themselves; read, never written."""

import os
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.hosts.places import (
    application_data,
    chosen,
    chosen_all,
    files,
    folders,
    linked_folders,
)

IN_PROJECTS = (
    "CLAUDE.md",
    "CLAUDE.local.md",
    ".claude/CLAUDE.md",
    "AGENTS.md",
    "AGENTS.override.md",
    "GEMINI.md",
)
"""What hosts load of the project that they are started in."""


def homes() -> list[Path]:
    """The folders in which Claude Code, Codex and Gemini CLI keep what is theirs."""
    config = application_data(Path.home(), "linux", os.environ)
    return [
        *chosen_all("CLAUDE_CONFIG_DIR", Path.home() / ".claude", config / "claude"),
        chosen("CODEX_HOME", Path.home() / ".codex"),
        chosen("GEMINI_CLI_HOME", Path.home()) / ".gemini",
    ]


def everywhere() -> Iterator[Path]:
    """Files that hosts load in every project."""
    for home in homes():
        for name in ("CLAUDE.md", "AGENTS.md", "GEMINI.md"):
            yield from files(home, name)
        yield from files(home, "memories/*.md")


def notes() -> Iterator[tuple[Path, str]]:
    """Folders of notes that Claude Code's agent keeps of a project, with the host's name for it."""
    for folder in linked_folders(*(home / "projects" for home in homes())):
        for found in folders(folder, "memory"):
            if (found / "MEMORY.md").is_file():
                yield found, folder.name


def of_project(root: Path) -> Iterator[Path]:
    """Files that hosts load in a project, from its repository."""
    for name in IN_PROJECTS:
        found = root / name
        if found.is_file() and not found.is_symlink():
            yield found


def is_own(path: Path) -> bool:
    """Whether a file lies in a host's own folder: its agent or its user wrote it."""
    place = path.absolute()
    return any(place.is_relative_to(home.absolute()) for home in homes())
