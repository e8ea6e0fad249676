"""What a host itself says about our server, asked through the host's own command."""

import re
import shutil
import subprocess
from typing import Literal

from mcp_memory.hosts.installing.targets import Target

Standing = Literal["connected", "listed", "missing", "failed", "not asked"]
SECONDS = 60.0
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_GOOD = re.compile(r"✓|✔|\bconnected\b", re.IGNORECASE)
_BAD = re.compile(r"✗|✘|\bfailed\b|\bdisconnected\b|\bdisabled\b|\berror\b", re.IGNORECASE)


def standing(target: Target, server: str, seconds: float = SECONDS) -> Standing:
    """Whether the host lists our server, and connected; "not asked" where it has no command.

    The host's program is started without a shell and without input, for at most `seconds`.
    """
    program = shutil.which(target.program) if target.program and target.listing else None
    if program is None:
        return "not asked"
    try:
        run = subprocess.run(  # noqa: S603  the host's own program, fixed arguments
            [program, *target.listing],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "failed"
    return read_listing((run.stdout + b"\n" + run.stderr).decode("utf-8", "replace"), server)


def read_listing(text: str, server: str) -> Standing:
    """What a listing of any of the hosts says about one server."""
    named = re.compile(rf"(?<![\w./-]){re.escape(server)}(?![\w./-])")
    for line in _COLOUR.sub("", text).splitlines():
        if not named.search(line):
            continue
        if _BAD.search(line):
            return "failed"
        return "connected" if _GOOD.search(line) else "listed"
    return "missing"
