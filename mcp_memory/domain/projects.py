"""Projects: the git root of a session's folder, worktrees folded; and which projects may be read."""

import fnmatch
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

UNKNOWN = "unknown"
USER = "user"
EVERY = "*"
"""In place of a project: all of them."""
_GITDIR = "gitdir:"


@lru_cache(maxsize=4096)
def project_of(cwd: str | None) -> str:
    """The project that a folder belongs to, as an absolute path; the folder itself without git.

    A linked worktree (its `.git` is a file naming the main repository) counts as that repository.
    """
    if not cwd:
        return UNKNOWN
    folder = Path(cwd)
    for candidate in (folder, *folder.parents):
        marker = candidate / ".git"
        try:
            if marker.is_dir():
                return str(candidate)
            if marker.is_file():
                return str(_main_repository(marker) or candidate)
        except OSError:
            continue
    return cwd.rstrip("/\\") or cwd


def standing_in(cwd: str | None) -> str:
    """The project that a process stands in; a host that starts it in a file system's root, in none."""
    return EVERY if cwd and Path(cwd) == Path(Path(cwd).anchor) else project_of(cwd)


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


def resolve(asked: str, known: Iterable[str]) -> str | None:
    """The one known project that a spelling means: whole, or by its last folder; None if not one."""
    known = tuple(known)
    if asked in known:
        return asked
    ending = [name for name in known if pure_path(name).name == asked]
    return ending[0] if len(ending) == 1 else None


def pure_path(path: str) -> PurePath:
    """A path as the machine that wrote it would read it: backslashes or a drive mean Windows."""
    windows = "\\" in path and not path.startswith("/")
    return PureWindowsPath(path) if windows else PurePosixPath(path)
