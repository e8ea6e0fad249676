"""The door for hooks: a socket that only this user can open, and only with the token beside it."""

import hmac
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.domain.replacing import replace
from mcp_memory.hooks import ready

logger = logging.getLogger(__name__)

LONGEST = 20_000
"""Bytes of a question: the refs of one digest."""
SECONDS = 2.0
"""How long a caller may take to ask."""
LONGEST_PATH = 100
"""A socket's name must fit into the system's own field of about so many bytes."""
_PREFIX, _ELSEWHERE = "door-", "mcp-memory-door-"

Check = Callable[[tuple[str, ...]], Awaitable[bool]]


async def answer_hooks(home: Path, still_holds: Check) -> None:
    """Tell hooks of this user, until cancelled, whether what they are about to say still holds.

    Where the system has no such sockets hooks go by the ready files alone.
    """
    if os.name != "posix":
        return
    token = secrets.token_hex(32)
    try:
        await anyio.to_thread.run_sync(_sweep, ready.folder(home))
        address = await anyio.to_thread.run_sync(_address, ready.folder(home))
        listener = await anyio.create_unix_listener(address, mode=0o600)
    except OSError as error:
        logger.warning("hooks go by the ready files: %s", error)
        return
    note = ready.folder(home) / "server.json"
    try:
        async with listener:
            await anyio.to_thread.run_sync(_announce, note, str(address), token)
            await listener.serve(lambda line: _serve(line, token, still_holds))
    finally:
        address.unlink(missing_ok=True)
        if address.parent.name.startswith(_ELSEWHERE):
            address.parent.rmdir()
        _withdraw(note, token)


def _address(folder: Path) -> Path:
    """In the home, or in a private temporary folder where the home's path is too long."""
    address = folder / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(3)}.sock"
    if len(os.fsencode(address)) <= LONGEST_PATH:
        return address
    return Path(tempfile.mkdtemp(prefix=_ELSEWHERE)) / "s.sock"


async def _serve(line: SocketStream, token: str, still_holds: Check) -> None:
    """One question, one answer; whoever does not know the token gets none."""
    async with line:
        try:
            with anyio.fail_after(SECONDS):
                asked = await BufferedByteReceiveStream(line).receive_until(b"\n", LONGEST)
                refs = _refs(json.loads(asked), token)
                if refs is not None:
                    await line.send(b"yes\n" if await still_holds(refs) else b"no\n")
        except (
            MemoryBankError,
            TimeoutError,
            ValueError,
            LookupError,
            TypeError,
            OSError,
        ) as error:
            logger.debug("a hook was not answered: %s", type(error).__name__)
        except (anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError):
            logger.debug("a hook went away")


def _refs(asked: Any, token: str) -> tuple[str, ...] | None:
    """What is asked about; None from one who does not know the token."""
    if not hmac.compare_digest(str(asked["token"]).encode(), token.encode()):
        return None
    return tuple(map(str, asked["refs"]))


def _announce(note: Path, address: str, token: str) -> None:
    note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(note, json.dumps({"address": address, "token": token}).encode())


def _withdraw(note: Path, token: str) -> None:
    """Take the note away, unless a server that came later has put its own there."""
    try:
        if json.loads(note.read_bytes())["token"] == token:
            note.unlink()
    except (OSError, ValueError, LookupError, TypeError):
        return


def _sweep(folder: Path) -> None:
    """Take away the sockets of servers that were killed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in folder.glob(f"{_PREFIX}*.sock"):
        number = file.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not _alive(int(number)):
            file.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
