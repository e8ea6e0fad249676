"""The archive: the only writer of its files; atomic, never outside its root, nothing rewritten in vain."""

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path, PurePosixPath

from mcp_memory import rendering
from mcp_memory.catalogues import catalogues
from mcp_memory.errors import OutsideRoot, StoreFull
from mcp_memory.rendering import Entry, Files

_NEW = ".new"


class Archive:
    """The folder of rendered sessions. Its methods block: call them in a worker thread."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def write_session(self, folder: str, files: Files) -> bool:
        """Write a session's files; whether anything changed.

        Raises:
            StoreFull: the disk took no more; the older file is whole.
            OutsideRoot: the folder leaves the archive.
        """
        place = self._inside(folder)
        summary = self._replace(place / "SUMMARY.md", files.summary.encode())
        return self._replace(place / "steps.jsonl", files.steps) or summary

    def write_indexes(self, by_project: Mapping[str, Iterable[Entry]]) -> None:
        """Write the indexes of every project and the archive's README; drop what nobody names."""
        self._replace(self.root / "README.md", _readme())
        for project, entries in by_project.items():
            folder = self._inside(rendering.project_folder(project))
            for name, text in catalogues(project, entries).items():
                self._replace(folder / name, text.encode())
        self._sweep({rendering.project_folder(project) for project in by_project})

    def path_of(self, folder: str, step: int) -> str:
        """`file:line` of a step."""
        return f"{self.root / PurePosixPath(folder) / 'steps.jsonl'}:{step}"

    def folder_of(self, trajectory: str) -> str | None:
        """The folder of a session by its id, where the catalogue does not know it."""
        found = next(self.root.glob(f"*/*-{trajectory}"), None) if trajectory.isalnum() else None
        return found.relative_to(self.root).as_posix() if found else None

    def remove_session(self, folder: str) -> None:
        """Remove a session's files.

        Raises:
            OutsideRoot: the folder leaves the archive.
        """
        place = self._inside(folder)
        if place != self.root and place.is_dir():
            shutil.rmtree(place)

    def folders(self) -> set[str]:
        """Session folders that are there, relative to the root."""
        return {
            path.parent.relative_to(self.root).as_posix()
            for path in self.root.glob("*/*/steps.jsonl")
        }

    def _sweep(self, projects: set[str]) -> None:
        """Remove half-written files that a kill left, and projects that have no session any more."""
        if not self.root.is_dir():
            return
        for left in self.root.rglob(f"*{_NEW}"):
            left.unlink(missing_ok=True)
        for folder in self.root.iterdir():
            sessions = folder.is_dir() and any(each.is_dir() for each in folder.iterdir())
            if folder.is_dir() and folder.name not in projects and not sessions:
                shutil.rmtree(folder)

    def _inside(self, folder: str) -> Path:
        relative = PurePosixPath(folder)
        place = self.root / relative
        escapes = relative.is_absolute() or ".." in relative.parts
        if escapes or not place.resolve().is_relative_to(self.root.resolve()):
            raise OutsideRoot(folder, self.root)
        return place

    def _replace(self, file: Path, content: bytes) -> bool:
        """Put bytes in place in one step; a file that holds them already is left alone."""
        try:
            if file.exists() and file.read_bytes() == content:
                return False
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = file.with_name(file.name + _NEW)
            fresh.write_bytes(content)
            if os.name == "posix":
                fresh.chmod(0o600)
            fresh.replace(file)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise StoreFull(str(error)) from error
            raise
        return True


def _readme() -> bytes:
    return resources.files("mcp_memory").joinpath("data/archive_readme.md").read_bytes()
