"""Gemini CLI: chats under `~/.gemini/tmp`, a folder a project; deleted by the host after 30 days."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, files, linked_folders, settings_of, within

NAME = "Gemini CLI"
RETENTION: timedelta | None = timedelta(days=30)
_PATTERNS = ("chats/**/*.json", "chats/**/*.jsonl")
_HASHED = re.compile(r"[0-9a-f]{64}")
_AGE = re.compile(r"(\d{1,4})([hdwm])")
_UNITS = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "m": timedelta(days=30),
}


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every chat; of one project only what lies in a folder that may be its."""
    for folder in linked_folders(_home() / "tmp"):
        if project is None or _may_be(folder, project):
            for pattern in _PATTERNS:
                yield from files(folder, pattern)


def retention() -> timedelta | None:
    """How long chats are kept by the user's own settings."""
    general = settings_of(_home() / "settings.json").get("general")
    told = general.get("sessionRetention") if isinstance(general, Mapping) else None
    if not isinstance(told, Mapping):
        return RETENTION
    if told.get("enabled") is False:
        return None
    age = _AGE.fullmatch(str(told.get("maxAge")))
    return int(age[1]) * _UNITS[age[2]] if age else RETENTION


def _home() -> Path:
    return chosen("GEMINI_CLI_HOME", Path.home()) / ".gemini"


def _may_be(folder: Path, project: str) -> bool:
    """Whether a project's folder; it is named by a hash of the path, or holds the path in a file."""
    if _HASHED.fullmatch(folder.name):
        return folder.name == hashlib.sha256(project.encode()).hexdigest()
    try:
        told = (folder / ".project_root").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return True
    return not told or within(told, project)
