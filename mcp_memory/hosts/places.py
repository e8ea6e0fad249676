"""Places: the folders where programs keep their files, by platform, and the real files in them."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import orjson

from mcp_memory.domain.projects import project_of, pure_path
from mcp_memory.readers.opening import open_transcript

P = TypeVar("P", bound=PurePath)

_WILD = frozenset("*?[")
_LINE = 1 << 20
_SETTINGS = 16 << 20
_DRIVE = re.compile(r"/[A-Za-z]:")


def chosen(variable: str, default: Path) -> Path:
    """The path that an environment variable names, or the default."""
    told = os.environ.get(variable)
    return Path(told).expanduser() if told else default


def chosen_all(variable: str, *defaults: Path) -> list[Path]:
    """The paths that an environment variable names, one or several with commas, or the defaults."""
    told = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
    return [Path(name).expanduser() for name in told] or list(defaults)


def application_data(home: P, platform: str, told: Mapping[str, str]) -> P:
    """Where programs keep data and settings for a user of this platform.

    `home / path` is `path` itself where that is absolute, as an environment's paths are.
    """
    if platform == "win32":
        return home / (told.get("APPDATA") or "AppData/Roaming")
    if platform == "darwin":
        return home / "Library" / "Application Support"
    return home / (told.get("XDG_CONFIG_HOME") or ".config")


def local_data(home: P, platform: str, told: Mapping[str, str]) -> P:
    """As `application_data`, for what stays on one machine: another folder on Windows only."""
    if platform == "win32":
        return home / (told.get("LOCALAPPDATA") or "AppData/Local")
    return application_data(home, platform, told)


def editor_folders(*editors: str) -> Iterator[Path]:
    """`User` folders of VS Code and its kin; of a portable one first, where we run inside it."""
    portable = os.environ.get("VSCODE_PORTABLE")
    if portable:
        yield Path(portable) / "user-data" / "User"
    data = application_data(Path.home(), sys.platform, os.environ)
    for editor in editors:
        yield chosen("VSCODE_APPDATA", data) / editor / "User"


def files(root: Path, pattern: str) -> Iterator[Path]:
    """Real files under a folder by a pattern of names, in a stable order; `**` is any depth.

    Links below the folder are not followed; what cannot be listed is passed over.
    """
    *folders, last = pattern.split("/")
    level = [root]
    for name in folders:
        level = [found for folder in level for found in _folders(folder, name)]
    for folder in level:
        for found in _named(folder, last):
            if _real(found, found.is_file):
                yield found


def folders(root: Path, pattern: str = "*") -> Iterator[Path]:
    """Real folders in a folder, in a stable order."""
    yield from _folders(root, pattern)


def linked_folders(*roots: Path) -> Iterator[Path]:
    """Folders in a host's own folders, each place once, in a stable order.

    Only a host or its user can make a link there, to move a project to another disk or to share
    it between accounts: it is followed. Links further in are not.
    """
    seen: set[Path] = set()
    for root in roots:
        for found in _named(root, "*"):
            try:
                place = found.resolve(strict=True)
            except (OSError, RuntimeError):
                continue
            if place.is_dir() and place not in seen and not _holds(place, root):
                seen.add(place)
                yield found


def workspaces(storage: Path, project: str | None) -> Iterator[Path]:
    """Folders of an editor's workspace storage; of one project only what may be its."""
    for folder in folders(storage):
        opened = None if project is None else _opened(folder)
        if project is None or opened is None or within(str(opened), project):
            yield folder


def within(folder: str, project: str) -> bool:
    """Whether a folder lies in the project, as its platform compares paths, or is a worktree of it."""
    path, root = pure_path(folder), pure_path(project)
    inside = type(root) is type(path) and path.is_relative_to(root)
    return inside or project_of(folder) == project


def folder_of(uri: str) -> PurePath | None:
    """The folder that a `file` address names, on whichever platform; None for other addresses."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    return PureWindowsPath(path[1:]) if _DRIVE.match(path) else PurePosixPath(path)


def settings_of(file: Path) -> Mapping[str, object]:
    """The object in a host's JSON settings; empty where there is none that can be read."""
    try:
        with open_transcript(file) as stream:
            return _object(stream.read(_SETTINGS))
    except OSError:
        return {}


def first_record(file: Path) -> Mapping[str, object]:
    """The object in the first line of a transcript; empty where there is none that can be read."""
    try:
        with open_transcript(file) as stream:
            return _object(stream.readline(_LINE))
    except OSError:
        return {}


def _object(raw: bytes) -> Mapping[str, object]:
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _opened(storage: Path) -> PurePath | None:
    """The folder that a workspace's storage says it belongs to."""
    uri = settings_of(storage / "workspace.json").get("folder")
    return folder_of(uri) if isinstance(uri, str) else None


def _folders(folder: Path, name: str) -> Iterator[Path]:
    if name == "**":
        for place, below, _ in os.walk(folder):
            below.sort()
            yield Path(place)
        return
    for found in _named(folder, name):
        if _real(found, found.is_dir):
            yield found


def _named(folder: Path, name: str) -> list[Path]:
    if not _WILD & set(name):
        return [folder / name]
    try:
        return sorted(each for each in folder.iterdir() if fnmatchcase(each.name, name))
    except OSError:
        return []


def _holds(place: Path, root: Path) -> bool:
    """Whether a link leads back to what it lies in, or above."""
    return root.resolve().is_relative_to(place)


def _real(path: Path, kind: Callable[[], bool]) -> bool:
    try:
        return kind() and not path.is_symlink()
    except OSError:
        return False
