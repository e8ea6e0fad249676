"""The archive: the only writer of its files; atomic, inside its root, nothing rewritten in vain."""

import hashlib
import shutil
import time
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import OutsideRoot, of_system
from mcp_memory.domain.projects import USER
from mcp_memory.domain.replacing import FRESH, replace
from mcp_memory.trajectories.catalogues import catalogues, listed_projects
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.naming import project_folder
from mcp_memory.trajectories.rendering import Files

_ABANDONED_SECONDS = 600.0
"""A half-written file so old was left by a kill; a younger one may be another process at work."""
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
    """The folder of rendered sessions. Its methods block: call them in a worker thread.

    Files are replaced whole, so that a reader sees the old or the new one. They are not forced to
    disk: all of them are derived, and are written anew from the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def write_session(self, folder: str, files: Files) -> bool:
        """Write a session's files; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            OutsideRoot: the folder leaves the archive.
        """
        place = self._inside(folder, depth=2)
        texts = (files.summary.encode(), files.prose.encode(), files.steps)
        wrote = [
            self._replace(place / name, text)
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
        wrote = [self._replace(place / name, text.encode()) for name, text in texts.items()]
        return any(wrote)

    def write_indexes(self, by_project: Mapping[str, Iterable[Entry]]) -> None:
        """Write the indexes of these projects, without sessions none, and the list of all projects.

        Raises:
            StoreFull: the disk took no more; the older files are whole.
            OutsideRoot: a project's folder is a link that leaves the archive.
        """
        for project, entries in by_project.items():
            told = tuple(entries)
            if told:
                self.write_project(project, told)
            self.tidy(project_folder(project), indexed=bool(told))
        self.write_projects()

    def write_projects(self) -> bool:
        """Write PROJECTS.md from the heads of all INDEX.md; whether it changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
        """
        heads = {place.name: _head(place / "INDEX.md") for place in _folders(self.root)}
        text = listed_projects({name: head for name, head in heads.items() if head})
        return self._replace(self.root / PROJECTS, text.encode())

    def write_memories(self, texts: Mapping[str, str], *, all_there_are: bool = False) -> None:
        """Write MEMORIES.md of these projects, or remove it where the text is empty.

        `all_there_are`: that of any other project goes, as of one that was purged. What belongs
        to the user, and to no project, lies in the root.

        Raises:
            StoreFull: the disk took no more; the older files are whole.
            OutsideRoot: a project's folder is a link that leaves the archive.
        """
        for project, text in texts.items():
            folder = None if project == USER else project_folder(project)
            place = self._inside(folder, depth=1) if folder else self.root
            if text:
                self._replace(place / MEMORIES, text.encode())
            else:
                (place / MEMORIES).unlink(missing_ok=True)
                if folder:
                    _drop_empty(place)
        known = {project_folder(project) for project in texts}
        for left in sorted(self.root.glob(f"*/{MEMORIES}")) if all_there_are else ():
            if left.parent.name not in known:
                left.unlink(missing_ok=True)
                _drop_empty(left.parent)

    def is_current(self) -> bool:
        """Whether this version wrote the archive: another one has another README."""
        return _holds(self.root / README, _readme())

    def write_readme(self) -> bool:
        """Write how to use this folder; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
        """
        return self._replace(self.root / README, _readme())

    def path_of(self, folder: str, step: int) -> str:
        """`file:line` of a step: step N is line N."""
        return f"{self.root / PurePosixPath(folder) / 'steps.jsonl'}:{step}"

    def read_steps(self, folder: str, first: int, last: int) -> tuple[bytes, ...]:
        """Lines of a session's steps, both ends included; none where the file is not there.

        Raises:
            OutsideRoot: the folder leaves the archive.
        """
        file = self._inside(folder, depth=2) / "steps.jsonl"
        try:
            with file.open("rb") as lines:
                return tuple(islice(lines, max(0, first - 1), max(0, last)))
        except FileNotFoundError:
            return ()

    def folder_of(self, trajectory: str) -> str | None:
        """The folder of a session by its id, where the catalogue does not know it."""
        found = (folder for folder in self.folders() if folder.endswith(f"-{trajectory}"))
        return next(iter(sorted(found)), None) if trajectory.isalnum() else None

    def folders(self) -> frozenset[str]:
        """Session folders that are there, relative to the root; links are none."""
        return frozenset(
            f"{project.name}/{session.name}"
            for project in _folders(self.root)
            for session in _folders(project)
        )

    def orphans(self, known: Collection[str]) -> tuple[str, ...]:
        """Session folders that nobody knows, in order."""
        return tuple(sorted(self.folders() - frozenset(known)))

    def remove_session(self, folder: str) -> bool:
        """Remove a session's files; whether there were any.

        Raises:
            OutsideRoot: the folder leaves the archive, or is no session's.
        """
        place = self._inside(folder, depth=2)
        there = place.is_dir()
        if there:
            shutil.rmtree(place)
        return there

    def digest(self, path: str) -> tuple[int, str] | None:
        """Size and SHA-256 of a file by its path below the root; None where there is none.

        Raises:
            OutsideRoot: the path leaves the archive.
        """
        try:
            with self.place_of(path).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256")
                return stream.tell(), found.hexdigest()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def place_of(self, path: str) -> Path:
        """Where a file lies that is at most two folders below the root.

        Raises:
            OutsideRoot: the path leaves the archive, or its last name is a link.
        """
        folder, _, name = path.rpartition("/")
        place = self._inside(folder, depth=len(PurePosixPath(folder).parts)) / name
        plain = PureWindowsPath(name).name == name and name not in {"", ".", ".."}
        if not plain or folder.count("/") > 1 or place.is_symlink():
            raise OutsideRoot(path, self.root)
        return place

    def put(self, path: str, content: bytes) -> bool:
        """Write a file that another archive has, by its path below the root; whether it changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            OutsideRoot: the path leaves the archive.
        """
        return self._replace(self.place_of(path), content)

    def drop(self, path: str) -> bool:
        """Remove such a file, and the folders that it leaves empty; whether it was there.

        Raises:
            OutsideRoot: the path leaves the archive.
        """
        place = self.place_of(path)
        there = place.is_file()
        place.unlink(missing_ok=True)
        for folder in place.parents:
            if folder == self.root or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
        return there

    def sweep(self, projects: Collection[str]) -> None:
        """Remove what a kill left half-written, and the indexes of projects without sessions."""
        for project in _folders(self.root):
            self.tidy(project.name, indexed=project.name in projects)
        _drop_abandoned(self.root)

    def tidy(self, folder: str, *, indexed: bool) -> None:
        """The same in one project's folder; its indexes stay where it has sessions or is `indexed`."""
        project = self.root / folder
        sessions = _folders(project)
        for place in (project, *sessions):
            _drop_abandoned(place)
        if not (indexed or sessions):
            for name in INDEXES:
                (project / name).unlink(missing_ok=True)
            _drop_empty(project)

    def lacks(self, folder: str) -> bool:
        """Whether files of a session are missing, as they are where an older version wrote them."""
        return not all(
            (self.root / PurePosixPath(folder) / name).exists() for name in SESSION_FILES
        )

    def _inside(self, folder: str, *, depth: int) -> Path:
        """The place of a folder so many names below the root; no link on the way may leave it."""
        names = PurePosixPath(folder).parts
        plain = all(PureWindowsPath(name).name == name and name != ".." for name in names)
        place = self.root.joinpath(*names) if plain else self.root
        if len(names) != depth or not place.resolve().is_relative_to(self.root.resolve()):
            raise OutsideRoot(folder, self.root)
        if not plain:
            raise OutsideRoot(folder, self.root)
        return place

    def _replace(self, file: Path, content: bytes) -> bool:
        """Put bytes in place in one step; a file that holds them already is left alone."""
        if _holds(file, content):
            return False
        try:
            privacy.make(file.parent)
            replace(file, content)
        except OSError as error:
            raise of_system(error) from error
        return True


def _readme() -> bytes:
    return resources.files("mcp_memory.archive").joinpath("readme_for_agents.md").read_bytes()


def _holds(file: Path, content: bytes) -> bool:
    try:
        same_size = not file.is_symlink() and file.stat().st_size == len(content)
        return same_size and file.read_bytes() == content
    except FileNotFoundError:
        return False


def _folders(place: Path) -> list[Path]:
    """Folders in a folder, in order, links left out; none where it is not there."""
    if not place.is_dir():
        return []
    return sorted(each for each in place.iterdir() if each.is_dir() and not each.is_symlink())


def _drop_empty(place: Path) -> None:
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()


def _head(index: Path) -> tuple[str, ...]:
    """The first lines of an INDEX.md; none where there is no such file."""
    try:
        with index.open(encoding="utf-8") as lines:
            return tuple(line.rstrip("\n") for line in islice(lines, _HEAD_LINES))
    except FileNotFoundError:
        return ()


def _drop_abandoned(place: Path) -> None:
    for left in place.glob(f"{FRESH}*"):
        try:
            old = time.time() - left.lstat().st_mtime > _ABANDONED_SECONDS
        except FileNotFoundError:
            continue
        if old:
            left.unlink(missing_ok=True)
