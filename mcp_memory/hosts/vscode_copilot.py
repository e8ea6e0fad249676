"""GitHub Copilot in VS Code: chat sessions in the editor's storage, a folder a workspace."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mcp_memory.hosts.places import editor_folders, files, workspaces

NAME = "VS Code Copilot"
RETENTION: timedelta | None = None
EDITORS = ("Code", "Code - Insiders", "VSCodium")
_ENDINGS = ("json", "jsonl")


def transcripts(project: str | None = None) -> Iterator[Path]:
    """Chats of every workspace, or of the project's, and of windows without a folder.

    Beside them lie the agent's own transcripts, for some the only store.
    """
    for user in editor_folders(*EDITORS):
        for workspace in workspaces(user / "workspaceStorage", project):
            for ending in _ENDINGS:
                yield from files(workspace, f"chatSessions/*.{ending}")
            yield from files(workspace, "GitHub.copilot-chat/transcripts/*.jsonl")
        for ending in _ENDINGS:
            yield from files(user, f"globalStorage/emptyWindowChatSessions/*.{ending}")
