"""The command that really starts this server again, however it was installed."""

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mcp_memory.domain.errors import InvalidInput

DISTRIBUTION = "mcp-memory-evidence"
_PASSING = {"archive-v0", "builds-v0", "environments-v2"}
"""Folders in which `uvx` and `uv run` keep environments that they may throw away."""
_CACHES = {".cache", "cache", "caches"}


@dataclass(frozen=True, slots=True)
class Launch:
    """What a host runs to start the server: no shell, no search path, no package index."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def program(self) -> str:
        """The program, as an absolute path."""
        return self.argv[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the program is given."""
        return self.argv[1:]


def launch() -> Launch:
    """The command for the installation that is running, carrying the bank's folder if one is set.

    Raises InvalidInput where the environment will be thrown away and no pinned source is known.
    """
    home = os.environ.get("MCP_MEMORY_HOME")
    environment = {"MCP_MEMORY_HOME": str(Path(home).expanduser().absolute())} if home else {}
    return Launch((*_program(Path(sys.prefix)), "serve"), environment)


def is_ours(argv: Sequence[object]) -> bool:
    """Whether a command in a host's settings starts this server, of this or another installation."""
    words = [str(word) for word in argv]
    if not words or words[-1] != "serve":
        return False
    # A path of Windows is read as such on every platform.
    names = [word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe") for word in words]
    return "mcp-memory" in names or "mcp_memory" in names


def _program(prefix: Path) -> tuple[str, ...]:
    if _PASSING & set(prefix.parts) or _run_by_pipx(prefix):
        return _pinned(prefix)
    suffix = ".exe" if sys.platform == "win32" else ""
    script = Path(sysconfig.get_path("scripts")) / f"mcp-memory{suffix}"
    if script.is_file():
        return (str(script),)
    # -P: the folder that a host starts us in must not lend us its modules.
    return (sys.executable, "-P", "-m", "mcp_memory")


def _run_by_pipx(prefix: Path) -> bool:
    """Whether an environment is one of `pipx run`, in its cache, and not of `pipx install`."""
    folders = {part.lower() for part in prefix.parts}
    return "pipx" in folders and "venvs" not in folders and bool(_CACHES & folders)


def _pinned(prefix: Path) -> tuple[str, ...]:
    source = _source()
    uvx = shutil.which("uvx") if not _run_by_pipx(prefix) else None
    if uvx and source:
        return (str(Path(uvx).absolute()), "--from", source, "mcp-memory")
    pipx = shutil.which("pipx")
    if pipx and source:
        return (str(Path(pipx).absolute()), "run", "--spec", source, "mcp-memory")
    raise InvalidInput(
        f"This runs from {prefix}, which its tool may throw away, and its source is not pinned.",
        next_step="Install it for good (`uv tool install`, `pipx install` or pip in an "
        "environment of your own, from the checkout or a git URL) and run `install` from there.",
    )


def _source() -> str | None:
    """Where this was installed from, with its commit; None for an index, whose names are anyone's."""
    try:
        told = distribution(DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    origin = json.loads(told) if told else {}
    commit = origin.get("vcs_info", {}).get("commit_id")
    if commit:
        return f"git+{origin['url']}@{commit}"
    url = str(origin.get("url", ""))
    return url if url.startswith("file:") and "archive_info" in origin else None
