"""Knocking: a running server asked whether what is about to be said still holds; no libraries."""

import json
from collections.abc import Sequence
from pathlib import Path

from mcp_memory.hooks.ready import folder

SERVER_SECONDS = 0.05
"""How long a running server may take to answer."""


def still_holds(refs: Sequence[str], home: Path) -> bool:
    """What a running server says, which knows what was forgotten a moment ago; yes without one."""
    try:
        door = json.loads((folder(home) / "server.json").read_bytes())
        address, token = str(door["address"]), str(door["token"])
    except (OSError, ValueError, LookupError, TypeError):
        return True
    import socket  # only where somebody listens

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(SERVER_SECONDS)
            line.connect(address)
            line.sendall(json.dumps({"token": token, "refs": refs}).encode() + b"\n")
            return line.recv(64) != b"no\n"
    except (OSError, AttributeError):
        return True
