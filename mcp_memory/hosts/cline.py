"""Cline, Roo Code and Kilo Code: tasks in an editor's storage, and sessions under `~/.cline`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import chosen, editor_folders, files, settings_of, within

NAME = "Cline"
RETENTION: timedelta | None = None
EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
EXTENSIONS = ("saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code")
SERVERS = (".vscode-server", ".cursor-server")
"""Where extensions keep their storage on a machine that an editor works on from afar."""
_TASK = "tasks/*/api_conversation_history.json"


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Every task, and every session; of one project only sessions that do not name another.

    The layout does not tell of which project a task is.
    """
    users = [*editor_folders(*EDITORS)]
    users += [Path.home() / server / "data" / "User" for server in SERVERS]
    for user in users:
        for extension in EXTENSIONS:
            yield from files(user, f"globalStorage/{extension}/{_TASK}")
    yield from files(Path.home() / ".kilocode" / "cli" / "global", _TASK)
    home = chosen("CLINE_DIR", Path.home() / ".cline")
    data = chosen("CLINE_DATA_DIR", home / "data")
    yield from files(data, _TASK)
    sessions = chosen("CLINE_SESSION_DATA_DIR", data / "sessions")
    for found in files(sessions, "*/*.messages.json"):
        if project is None or _may_be(found, project):
            yield found


def _may_be(messages: Path, project: str) -> bool:
    session = messages.with_name(messages.name.removesuffix(".messages.json") + ".json")
    cwd = settings_of(session).get("cwd")
    return not isinstance(cwd, str) or within(cwd, project)
