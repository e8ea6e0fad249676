"""Remotes: the repository that a clone, a worktree or a transcript says it is of."""

import re
from functools import lru_cache
from pathlib import Path

_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_URL = re.compile(r"\s*url\s*=\s*(.+?)\s*(?:[#;].*)?$", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^/:\s]{2,}):(?P<path>(?!//)\S.*)")
_MOST_CONFIG = 1 << 20


def normal(url: str) -> str:
    """`host/owner/name` of a remote's address however it is written; empty for a local folder."""
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    if separator:
        if scheme.lower() == "file":
            return ""
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2].partition(":")[0]
    else:
        found = _SCP.fullmatch(text)
        if found is None:
            return ""
        host, path = found["host"], found["path"]
    path = path.strip("/").removesuffix(".git").strip("/")
    return f"{host}/{path}".lower() if host and path else ""


@lru_cache(maxsize=1024)
def remote_of(root: str) -> str:
    """The remote that a repository on this disk names `origin`, else its only one; empty for none.

    Its settings are read as a file; no git is run.
    """
    try:
        with (Path(root) / ".git" / "config").open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(_MOST_CONFIG)
    except OSError:
        return ""
    found = _remotes(text)
    if "origin" in found:
        return found["origin"]
    return next(iter(found.values())) if len(found) == 1 else ""


def _remotes(text: str) -> dict[str, str]:
    """Remote to its normal address, of git's settings; the first address of each counts."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if section := _SECTION.match(line):
            name = (section[2] or "") if section[1].lower() == "remote" else ""
        elif name and (url := _URL.match(line)) and (address := normal(url[1].strip('"'))):
            found.setdefault(name, address)
    return found
