"""The archive: the only writer of its files; atomic, inside its root, nothing rewritten in vain."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from pathlib import Path, PurePosixPath, PureWindowsPath

from mcp_memory.domain.errors import OutsideRoot
from mcp_memory.domain.projects import USER
from mcp_memory.store.shelf import FolderShelf, Shelf
from mcp_memory.trajectories.catalogues import catalogues, listed_projects
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.naming import project_folder
from mcp_memory.trajectories.rendering import Files

README = "README.md"
SESSION_FILES = ("SUMMARY.md", "prose.md", "steps.jsonl")
MEMORIES = "MEMORIES.md"
INDEXES = (
    "INDEX.md",
    "by-file.md",
    "by-command.md",
    "by-error.md",
    "by-decision.md",
    "by-change.md",
    "by-commit.md",
    "by-name.md",
)
PROJECT_FILES = (*INDEXES, MEMORIES)
PROJECTS = "PROJECTS.md"
_HEAD_LINES = 5
"""So many lines of an INDEX.md say what PROJECTS.md repeats."""


class Archive:
    """The files of rendered sessions, on whatever shelf. Its methods block: call them in a thread.

    Files are replaced whole, so that a reader sees the old or the new one. They are not forced to
    disk: all of them are derived, and are written anew from the store.
    """

    def __init__(self, shelf: Shelf | Path) -> None:
        self._shelf = FolderShelf(shelf) if isinstance(shelf, Path) else shelf

    @property
    def shelf(self) -> Shelf:
        """Where its files lie, for whoever looks whether they are whole."""
        return self._shelf

    @property
    def root(self) -> Path | None:
        """The folder, where programs of this machine can open and grep its files; else None."""
        return self._shelf.root

    def write_session(self, folder: str, files: Files) -> bool:
        """Write a session's files; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            OutsideRoot: the folder leaves the archive.
        """
        place = self._inside(folder, depth=2)
        texts = (files.summary.encode(), files.prose.encode(), files.steps)
        wrote = [
            self._shelf.put(f"{place}/{name}", text)
            for name, text in zip(SESSION_FILES, texts, strict=True)
        ]
        return any(wrote)

    def write_project(self, project: str, entries: Iterable[Entry]) -> bool:
        """Write the indexes of one project from all of its entries; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older files are whole.
            OutsideRoot: the project's folder is a link that leaves the archive.
        """
        place = self._inside(project_folder(project), depth=1)
        texts = catalogues(project, entries)
        wrote = [self._shelf.put(f"{place}/{name}", text.encode()) for name, text in texts.items()]
        return any(wrote)

    def write_indexes(self, by_project: Mapping[str, Iterable[Entry]]) -> None:
        """Write the indexes of these projects, without sessions none.

        Raises:
            StoreFull: the disk took no more; the older files are whole.
            OutsideRoot: a project's folder is a link that leaves the archive.
        """
        for project, entries in by_project.items():
            told = tuple(entries)
            if told:
                self.write_project(project, told)
            self.tidy(project_folder(project), indexed=bool(told))

    def write_projects(self) -> bool:
        """Write PROJECTS.md from the heads of all INDEX.md; whether it changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
        """
        heads = {name: self._head(f"{name}/INDEX.md") for name in self._shelf.folders()}
        text = listed_projects({name: head for name, head in heads.items() if head})
        return self._shelf.put(PROJECTS, text.encode())

    def write_memories(self, texts: Mapping[str, str], *, all_there_are: bool = False) -> None:
        """Write MEMORIES.md of these projects, or remove it where the text is empty.

        `all_there_are`: that of any other project goes, as of one that was purged. What belongs
        to the user, and to no project, lies in the root.

        Raises:
            StoreFull: the disk took no more; the older files are whole.
            OutsideRoot: a project's folder is a link that leaves the archive.
        """
        for project, text in texts.items():
            folder = "" if project == USER else self._inside(project_folder(project), depth=1)
            file = f"{folder}/{MEMORIES}" if folder else MEMORIES
            if text:
                self._shelf.put(file, text.encode())
            else:
                self._shelf.remove(file)
                if folder:
                    self._shelf.drop_empty(folder)
        known = {project_folder(project) for project in texts}
        for folder in self._shelf.folders() if all_there_are else ():
            if folder not in known and self._shelf.has(f"{folder}/{MEMORIES}"):
                self._shelf.remove(f"{folder}/{MEMORIES}")
                self._shelf.drop_empty(folder)

    def is_current(self) -> bool:
        """Whether this version wrote the archive: another one has another README."""
        try:
            return b"".join(self._shelf.pieces(README)) == _readme()
        except FileNotFoundError:
            return False

    def write_readme(self) -> bool:
        """Write how to use this folder; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
        """
        return self._shelf.put(README, _readme())

    def path_of(self, folder: str, step: int) -> str:
        """`file:line` of a step: step N is line N."""
        return f"{self._shelf.local(f'{folder}/steps.jsonl')}:{step}"

    def folder_of(self, trajectory: str) -> str | None:
        """The folder of a session by its id, where the catalogue does not know it."""
        found = (folder for folder in self.folders() if folder.endswith(f"-{trajectory}"))
        return next(iter(sorted(found)), None) if trajectory.isalnum() else None

    def folders(self) -> frozenset[str]:
        """Session folders that are there, relative to the root; links are none."""
        return frozenset(
            f"{project}/{session}"
            for project in self._shelf.folders()
            for session in self._shelf.folders(project)
        )

    def orphans(self, known: Collection[str]) -> tuple[str, ...]:
        """Session folders that nobody knows, in order."""
        return tuple(sorted(self.folders() - frozenset(known)))

    def remove_session(self, folder: str) -> bool:
        """Remove a session's files; whether there were any.

        Raises:
            OutsideRoot: the folder leaves the archive, or is no session's.
        """
        return self._shelf.drop(self._inside(folder, depth=2))

    def digest(self, path: str) -> tuple[int, str] | None:
        """Size and SHA-256 of a file by its path below the root; None where there is none.

        Raises:
            OutsideRoot: the path leaves the archive.
        """
        size, found = 0, hashlib.sha256()
        try:
            for piece in self._shelf.pieces(self._named(path)):
                size += len(piece)
                found.update(piece)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return size, found.hexdigest()

    def place_of(self, path: str) -> Path:
        """Where a file can be opened that is at most two folders below the root.

        Raises:
            OutsideRoot: the path leaves the archive, or its last name is a link.
            FileNotFoundError: an object store has none.
        """
        return self._shelf.local(self._named(path))

    def put(self, path: str, content: bytes) -> bool:
        """Write a file that another archive has, by its path below the root; whether it changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            OutsideRoot: the path leaves the archive.
        """
        return self._shelf.put(self._named(path), content)

    def drop(self, path: str) -> bool:
        """Remove such a file, and the folders that it leaves empty; whether it was there.

        Raises:
            OutsideRoot: the path leaves the archive.
        """
        there = self._shelf.remove(self._named(path))
        folder = path.rpartition("/")[0]
        while folder:
            self._shelf.drop_empty(folder)
            folder = folder.rpartition("/")[0]
        return there

    def sweep(self, projects: Collection[str]) -> None:
        """Remove what a kill left half-written, and the indexes of projects without sessions."""
        for project in self._shelf.folders():
            self.tidy(project, indexed=project in projects)
        self._shelf.drop_abandoned("")

    def tidy(self, folder: str, *, indexed: bool) -> None:
        """The same in one project's folder; its indexes stay where it has sessions or is `indexed`."""
        sessions = self._shelf.folders(folder)
        for place in (folder, *(f"{folder}/{name}" for name in sessions)):
            self._shelf.drop_abandoned(place)
        if not (indexed or sessions):
            for name in INDEXES:
                self._shelf.remove(f"{folder}/{name}")
            self._shelf.drop_empty(folder)

    def lacks(self, folder: str) -> bool:
        """Whether files of a session are missing, as they are where an older version wrote them."""
        return not all(self._shelf.has(f"{folder}/{name}") for name in SESSION_FILES)

    def _named(self, path: str) -> str:
        """The name of a file that is at most two folders below the root."""
        folder, _, name = path.rpartition("/")
        below = self._inside(folder, depth=len(PurePosixPath(folder).parts))
        plain = PureWindowsPath(name).name == name and name not in {"", ".", ".."}
        whole = f"{below}/{name}" if below else name
        if not plain or folder.count("/") > 1 or self._shelf.is_link(whole):
            raise OutsideRoot(path, self._shelf)
        return whole

    def _inside(self, folder: str, *, depth: int) -> str:
        """The name of a folder so many names below the root; no link on the way may leave it."""
        names = PurePosixPath(folder).parts
        plain = all(PureWindowsPath(name).name == name and name != ".." for name in names)
        if not plain or len(names) != depth or not self._shelf.contains("/".join(names)):
            raise OutsideRoot(folder, self._shelf)
        return "/".join(names)

    def _head(self, index: str) -> tuple[str, ...]:
        """The first lines of an INDEX.md; none where there is no such file."""
        lines = self._shelf.lines(index, 1, _HEAD_LINES)
        return tuple(line.decode("utf-8").rstrip("\r\n") for line in lines)


def _readme() -> bytes:
    return resources.files("mcp_memory.archive").joinpath("readme_for_agents.md").read_bytes()
