"""Projects: the git root of a session's folder, worktrees folded; and which projects may be read."""

import fnmatch
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from mcp_memory.domain.spelling import folded, is_windows, mount_of, mounted, spelled

UNKNOWN = "unknown"
USER = "user"
EVERY = "*"
"""In place of a project: all of them."""
HASHED = "sha256:"
"""How the project of a host begins that tells no folder but the hash of one."""
_GITDIR = "gitdir:"
_ASIDE = re.compile(
    r"(?P<root>.+?)[\\/](?:\.claude[\\/]worktrees|\.worktrees|\.git[\\/]worktrees)[\\/][^\\/]+.*"
)
"""A worktree that tools keep inside its repository."""
_MOST_SIBLINGS = 200
_MOST_NAMED = 10
"""How many projects an error names."""


@lru_cache(maxsize=4096)
def project_of(cwd: str | None) -> str:
    """The project that a folder belongs to, as an absolute path; the folder itself without git.

    A linked worktree (its `.git` is a file naming the main repository) counts as that repository;
    so does one that is gone, where its place or the repository still tells. Another system's path
    is never looked for below the folder that one happens to stand in.
    """
    name = spelled(cwd or "")
    if name.startswith("~/"):
        name = str(Path(name).expanduser())
    if name in ("", ".", "..", "~"):
        return UNKNOWN
    local = _local(name)
    if local is not None:
        root = _root(local) or _vanished(local)
        if root is not None:
            return _named(str(root), name)
    inside = _ASIDE.fullmatch(name)
    return _named(inside["root"] if inside else name, name)


def is_root(project: str) -> bool:
    """Whether a project is a repository on this disk, and no worktree of another."""
    local = _local(project)
    try:
        return local is not None and (local / ".git").is_dir()
    except OSError:
        return False


def _local(name: str) -> Path | None:
    """The folder on this disk; None where no such path can be."""
    if sys.platform == "win32":
        return Path(name) if is_windows(name) else None
    mount = mount_of(name)
    if mount is not None:
        # On WSL a Windows folder is to be found; elsewhere nothing lies there.
        return Path(mount) if Path(mount[:6]).is_dir() else None
    return Path(name) if name.startswith("/") else None


def _named(root: str, cwd: str) -> str:
    """A root as its project is called: what lies on a drive of Windows is named as there."""
    drive = None if sys.platform == "win32" else mounted(root)
    if drive is None:
        return root
    return drive if mount_of(cwd) or _is_wsl() or not Path(root).exists() else root


@lru_cache(maxsize=1)
def _is_wsl() -> bool:
    try:
        told = Path("/proc/version").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "microsoft" in told.lower()


def _root(folder: Path) -> Path | None:
    """The repository that a folder lies in, by what is on this disk."""
    for candidate in (folder, *folder.parents):
        marker = candidate / ".git"
        try:
            if marker.is_dir():
                return candidate
            if marker.is_file():
                return _main_repository(marker) or candidate
        except OSError:
            continue
    return None


def _vanished(folder: Path) -> Path | None:
    """The repository that a folder was a worktree of that is gone.

    Told by the repository, which remembers its worktrees until they are pruned, or by the other
    worktrees beside it, where all that lies there is of one repository.
    """
    try:
        if folder.exists():
            return None
        above = next(place for place in folder.parents if place.is_dir())
        return _remembered(folder, above) or _beside(above)
    except (OSError, StopIteration):
        return None


def _remembered(folder: Path, above: Path) -> Path | None:
    for place in (above, above.parent):
        for repository in _some(place):
            for told in (repository / ".git" / "worktrees").glob("*/gitdir"):
                worktree = Path(told.read_text(encoding="utf-8", errors="replace").strip()).parent
                if folder == worktree or worktree in folder.parents:
                    return repository
    return None


def _beside(above: Path) -> Path | None:
    markers = [place / ".git" for place in _some(above)]
    linked = [marker for marker in markers if marker.is_file()]
    mains = {_main_repository(marker) for marker in linked}
    main = mains.pop() if len(mains) == 1 else None
    if main is None or any(marker.is_dir() for marker in markers):
        return None
    # One worktree alone may lie beside anything, unless the folder is named for worktrees.
    told = "worktree" in above.name.lower() or above.name.startswith(main.name)
    return main if told or len(linked) > 1 else None


def _some(place: Path) -> Iterator[Path]:
    """The first folders of a place by their names; its entries are sorted as names, not as paths."""
    with os.scandir(place) as entries:
        first = sorted(entries, key=lambda each: each.name)[:_MOST_SIBLINGS]
    for each in first:
        if each.is_dir(follow_symlinks=False):
            yield Path(each.path)


def standing_in(cwd: str | None) -> str:
    """The project that a process stands in; a host that starts it in a file system's root, in none."""
    return EVERY if cwd and Path(cwd) == Path(Path(cwd).anchor) else project_of(cwd)


def git_folder(marker: Path) -> Path:
    """Where git keeps what is a checkout's own: its `.git`, or the folder that a worktree's file names.

    Raises:
        OSError: the file cannot be read.
    """
    if marker.is_dir():
        return marker
    told = marker.read_text("utf-8", "replace").strip()
    return marker.parent / told.removeprefix(_GITDIR).strip()


def _main_repository(marker: Path) -> Path | None:
    text = marker.read_text(encoding="utf-8", errors="replace").strip()
    if not text.startswith(_GITDIR):
        return None
    gitdir = (marker.parent / text.removeprefix(_GITDIR).strip()).resolve()
    for parent in gitdir.parents:
        if parent.name == ".git":
            return parent.parent
    return None


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path, or a folder above it, matches one of the patterns (`~` and `*` allowed)."""
    pure = pure_path(path)
    spellings = [str(pure), *map(str, pure.parents)]
    wanted = [str(Path(pattern).expanduser()) for pattern in patterns]
    return any(
        fnmatch.fnmatchcase(spelling, pattern) for spelling in spellings for pattern in wanted
    )


def allowed(path: str, *, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Whether the user's include and exclude patterns let this path be read."""
    include = tuple(include)
    return (not include or matches(path, include)) and not matches(path, exclude)


def folder_of(project: str) -> str:
    """The name of a project's own folder, by which it may be asked for."""
    return project.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def candidates(asked: str, known: Iterable[str]) -> list[str]:
    """The known projects that a spelling may mean: whole, or by its last folders."""
    wanted = folded(spelled(asked))
    known = tuple(known)
    whole = [name for name in known if name == asked or folded(name) == wanted]
    if whole:
        return whole[:1]
    parts = _parts(wanted)
    return [name for name in known if parts and _parts(folded(name))[-len(parts) :] == parts]


def resolve(asked: str, known: Iterable[str]) -> str | None:
    """The one known project that a spelling means: whole, or by its last folders; None if not one."""
    found = candidates(asked, known)
    return found[0] if len(found) == 1 else None


def ambiguity(asked: str, sizes: Mapping[str, int]) -> str:
    """The projects that a name may mean, with their sessions, as a sentence; empty for less than two."""
    found = candidates(asked, sizes)
    if len(found) <= 1:
        return ""
    told = _sized(found, sizes)
    return f"{asked!r} may be any of {len(found)} projects: {told}. Name one by its whole path."


def answering(asked: str, sizes: Mapping[str, int], here: str) -> tuple[tuple[str, ...], str]:
    """The projects that answer to a name, and what is to be said of the choice; none for an unknown.

    Where it may be several, the one that the caller stands in, else all of them.
    """
    found = tuple(candidates(asked, sizes))
    if len(found) <= 1:
        return found, ""
    # Short, as it stands in every answer: what it takes is taken from what was found.
    largest = min(found, key=lambda name: (-sizes[name], name))
    which = f"{here} was asked" if here in found else f"all were asked, {largest} the largest"
    chosen = (here,) if here in found else found
    return chosen, f"{asked!r} names {len(found)} projects; {which}."


def _sized(found: Iterable[str], sizes: Mapping[str, int]) -> str:
    ordered = sorted(found, key=lambda name: (-sizes[name], name))
    told = ", ".join(f"{name} ({sizes[name]} sessions)" for name in ordered[:_MOST_NAMED])
    more = f" and {len(ordered) - _MOST_NAMED} more" if len(ordered) > _MOST_NAMED else ""
    return f"{told}{more}"


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[/\\]", path) if part)


def pure_path(path: str) -> PurePath:
    """A path as the machine that wrote it would read it: backslashes or a drive mean Windows."""
    return PureWindowsPath(path) if is_windows(path) else PurePosixPath(path)
