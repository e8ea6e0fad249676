"""Spelling: one folder written in one way, whichever system, editor or shell wrote its name."""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/]|$)")
_MOUNTED = re.compile(
    r"(?:/mnt/(?P<drive>[A-Za-z])(?P<rest>/.*)?|/(?P<bash>[A-Za-z])(?P<home>/Users/.+))"
)
"""A Windows drive as WSL (`/mnt/c/…`) and Git for Windows (`/c/Users/…`) show it."""
_SHARED = re.compile(r"//wsl(?:\$|\.localhost)/[^/]+(?P<path>/.*)?", re.IGNORECASE)
"""WSL's own files as Windows shows them."""
_HEXED = re.compile(r"dev-container\+(?P<told>(?:7b|7B)(?:[0-9a-fA-F]{2})+)")
_HOST_PATH = re.compile(r'"hostPath"\s*:\s*"((?:[^"\\]|\\.)+)"')
_WORKSPACE = ".code-workspace"


@lru_cache(maxsize=4096)
def spelled(path: str) -> str:
    """A folder's name as the machine spells it that holds the folder.

    Windows: the drive in capitals, backslashes. Windows' view of WSL's files is their path there.
    Addresses of editors (`file:`, `vscode-remote:`) are the folders that they mean, whatever host
    they are on: agents that run there write no host. A workspace file is the folder it lies in.
    """
    name = path.strip()
    if "://" in name:
        name = _addressed(name)
    slashed = name.replace("\\", "/")
    if shared := _SHARED.fullmatch(slashed):
        return _folder(shared["path"] or "/")
    if _DRIVE.match(slashed.lstrip("/")) and not slashed.startswith("//"):
        return _folder(_windows(slashed.lstrip("/")))
    if name.startswith("/"):
        return _folder(name)
    return _folder(slashed.replace("/", "\\") if "\\" in name else name)


def mounted(path: str) -> str | None:
    """The Windows folder that a path names as WSL or Git for Windows spell it; None for others."""
    found = _MOUNTED.fullmatch(path)
    if found is None:
        return None
    drive, rest = found["drive"] or found["bash"], found["rest"] or found["home"] or "/"
    return _folder(_windows(f"{drive}:{rest}"))


def mount_of(path: str) -> str | None:
    """Where WSL shows a folder of a Windows drive; None for other paths."""
    if not _DRIVE.match(path):
        return None
    return f"/mnt/{path[0].lower()}{path[2:].replace(chr(92), '/')}".rstrip("/")


def folded(path: str) -> str:
    """By what two spellings of one folder are compared: Windows knows no case."""
    return path.casefold() if is_windows(path) else path


def is_windows(path: str) -> bool:
    """Whether a path is one of Windows: a drive, or backslashes without a leading slash."""
    return bool(_DRIVE.match(path)) or ("\\" in path and not path.startswith("/"))


def _addressed(address: str) -> str:
    """The folder that an address means; the address itself where it is none that we know."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    path, host = unquote(parts.path), unquote(parts.netloc)
    if parts.scheme == "file":
        return f"//{host}{path}" if host not in ("", "localhost") else path
    if parts.scheme not in ("vscode-remote", "ssh", "sftp") or not path:
        return address
    container = _HEXED.match(host)
    told = bytes.fromhex(container["told"]).decode("utf-8", "replace") if container else ""
    outside = _HOST_PATH.search(told)
    return outside[1].replace("\\\\", "\\") if outside else path


def _windows(slashed: str) -> str:
    return f"{slashed[0].upper()}{slashed[1:]}".replace("/", "\\")


def _folder(name: str) -> str:
    """Without a workspace file's name and closing slashes; a root stays one."""
    slash = "\\" if is_windows(name) else "/"
    if name.endswith(_WORKSPACE):
        name = name.rpartition(slash)[0] or slash
    bare = name.rstrip("/\\")
    if not bare and name:
        return slash
    return f"{bare}\\" if bare.endswith(":") and _DRIVE.fullmatch(bare) else bare
