"""Paths: a file named by its place in a project, whichever system wrote the name."""

import re
from collections.abc import Sequence
from functools import lru_cache

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@lru_cache(maxsize=4096)
def relative(path: str, roots: tuple[str, ...]) -> str:
    """A path with forward slashes, relative to the first root it lies in; empty for a root itself.

    Windows paths are told by a drive or a backslash and compared without regard to case.
    """
    name = _slashed(path)
    for root in roots:
        top = _slashed(root)
        if "/" not in top or not _starts(name, top):
            continue
        rest = name[len(top) :]
        if rest[:1] in {"", "/"}:
            return rest.lstrip("/")
    return name


def gathered(paths: Sequence[str | None]) -> tuple[str, list[str | None]]:
    """The first folder of paths that share it, or none, and each path below it."""
    first = {path.partition("/")[0] for path in paths if path}
    if len(first) != 1:
        return "", list(paths)
    top = f"{first.pop()}/"
    return top[:-1], [path and path.removeprefix(top) for path in paths]


def _slashed(path: str) -> str:
    windows = _DRIVE.match(path) or ("\\" in path and not path.startswith("/"))
    name = path.replace("\\", "/") if windows else path
    return name.removeprefix("./").rstrip("/")


def _starts(name: str, top: str) -> bool:
    if _DRIVE.match(top):
        return name[: len(top)].lower() == top.lower()
    return name.startswith(top)
