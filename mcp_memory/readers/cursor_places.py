"""Cursor's places: which folder a conversation of the database of all workspaces belongs to.

The editor keeps `workspaceStorage/<id>/` beside `globalStorage/`: in it `workspace.json` names the
folder, and the workspace's own database lists the conversations that were begun in it, by their
ids. Both from published descriptions.
"""

from pathlib import Path

import orjson

from mcp_memory.readers.cursor_store import Store
from mcp_memory.readers.database import DAMAGED, opened
from mcp_memory.readers.jsonl import Record, object_at, text_at
from mcp_memory.readers.vscode_calls import path_of

_LONGEST_WORKSPACE = 1 << 16
_MOST_WORKSPACES = 2_000


def workspace(folder: Path) -> str | None:
    """The folder that the editor wrote down in a workspace's own, where it is one."""
    try:
        with (folder / "workspace.json").open("rb") as stream:
            told = orjson.loads(stream.read(_LONGEST_WORKSPACE))
    except (OSError, orjson.JSONDecodeError):
        return None
    return path_of(text_at(told, "folder")) or None if isinstance(told, dict) else None


class Places:
    """Where the conversations of one database belong; workspaces are looked through once, if at all."""

    def __init__(self, database: Path) -> None:
        own = database.absolute().parent
        self._own = workspace(own)
        self._workspaces = own.parent / "workspaceStorage" if own.name == "globalStorage" else None
        self._listed: dict[str, str] | None = None

    def of(self, id_: str, facts: Record, said: str | None) -> str | None:
        """The folder of a conversation, by its workspace, by what was said, or by who lists it."""
        identifier = object_at(facts, "workspaceIdentifier")
        named = self._own or said or path_of(object_at(identifier, "uri"))
        return named or self._identified(text_at(identifier, "id")) or self._of_lists().get(id_)

    def _identified(self, id_: str) -> str | None:
        if self._workspaces is None or not id_.isalnum():
            return None
        return workspace(self._workspaces / id_)

    def _of_lists(self) -> dict[str, str]:
        """Conversation to folder, by what each workspace lists; one that two list is of neither."""
        if self._listed is None:
            self._listed = {}
            several: set[str] = set()
            for own, folder in self._all():
                for id_ in _listed(own):
                    if self._listed.setdefault(id_, folder) != folder:
                        several.add(id_)
            for id_ in several:
                del self._listed[id_]
        return self._listed

    def _all(self) -> list[tuple[Path, str]]:
        if self._workspaces is None or not self._workspaces.is_dir():
            return []
        found = sorted(each for each in self._workspaces.iterdir() if not each.is_symlink())
        told = ((each, workspace(each)) for each in found[:_MOST_WORKSPACES])
        return [(each, folder) for each, folder in told if folder]


def _listed(own: Path) -> list[str]:
    """Ids of the conversations that a workspace's database lists; none where it cannot be read."""
    try:
        with opened(own / "state.vscdb") as base:
            return Store(base, []).composers()
    except DAMAGED:
        return []
