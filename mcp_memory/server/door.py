"""The door for hooks and commands: a socket for this user alone, and only with the token beside it."""

import hmac
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel

from mcp_memory.domain import privacy
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.domain.replacing import replace
from mcp_memory.hooks import ready

logger = logging.getLogger(__name__)

NOTE = "server.json"
"""Where to knock, and with which token."""
LONGEST = 100_000
"""Bytes of a question: the refs of one digest, or the output that a mend is wanted for."""
SECONDS = 2.0
"""How long a caller may take to ask."""
LONGEST_PATH = 100
"""A socket's name must fit into the system's own field of about so many bytes."""
_PREFIX, _ELSEWHERE = "door-", "mcp-memory-door-"

ANSWER_SECONDS = 10.0
"""How long a command waits for a server's answer before it opens the bank itself."""

Check = Callable[[tuple[str, ...]], Awaitable[bool]]
Read = Callable[[str, dict[str, Any]], Awaitable[BaseModel]]
"""Answers a reading question, by its name and its parts."""
Told = TypeVar("Told", bound=BaseModel)


async def answer_at_door(home: Path, still_holds: Check, read: Read) -> None:
    """Tell hooks of this user whether what they are about to say still holds, and read for commands.

    Until cancelled. Where the system has no such sockets hooks go by the ready files alone, and
    commands open the bank themselves.

    Raises:
        OSError: the home takes no socket, or no note of where it is.
    """
    if os.name != "posix":
        return
    token = secrets.token_hex(32)
    await anyio.to_thread.run_sync(_sweep, ready.folder(home))
    address = await anyio.to_thread.run_sync(_address, ready.folder(home))
    note = ready.folder(home) / NOTE
    try:
        async with await anyio.create_unix_listener(address, mode=0o600) as listener:
            await anyio.to_thread.run_sync(_announce, note, str(address), token)
            await listener.serve(lambda line: _serve(line, token, still_holds, read))
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


async def ask_server(home: Path, name: str, asked: dict[str, Any], told: type[Told]) -> Told | None:
    """What a running server answers; None where none is at the door, or it cannot tell.

    The question's project must be named: a server was started in a project of its own.
    """
    try:
        note = await anyio.Path(ready.folder(home) / NOTE).read_bytes()
        door = json.loads(note)
        question = json.dumps({"token": door["token"], "read": name, "asked": asked}).encode()
        if len(question) >= LONGEST:
            return None
        with anyio.fail_after(ANSWER_SECONDS):
            async with await anyio.connect_unix(str(door["address"])) as line:
                await line.send(question + b"\n")
                answer = b"".join([part async for part in line])
        return told.model_validate_json(answer)
    except (OSError, TimeoutError, ValueError, LookupError, TypeError, AttributeError):
        return None
    except anyio.BrokenResourceError:
        return None


async def _serve(line: SocketStream, token: str, still_holds: Check, read: Read) -> None:
    """One question, one answer; whoever does not know the token gets none."""
    async with line:
        try:
            with anyio.fail_after(SECONDS):
                asked = await BufferedByteReceiveStream(line).receive_until(b"\n", LONGEST)
            told = _known(json.loads(asked), token)
            if "read" in told:
                found = await read(told["read"], told["asked"])
                await line.send(found.model_dump_json().encode())
            elif told:
                held = await still_holds(tuple(map(str, told["refs"])))
                await line.send(b"yes\n" if held else b"no\n")
        except (
            MemoryBankError,
            TimeoutError,
            ValueError,
            LookupError,
            TypeError,
            OSError,
        ) as error:
            logger.debug("nobody was answered: %s", type(error).__name__)
        except (anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError):
            logger.debug("who asked went away")


def _known(asked: Any, token: str) -> dict[str, Any]:
    """What is asked; nothing from one who does not know the token."""
    if not hmac.compare_digest(str(asked["token"]).encode(), token.encode()):
        return {}
    return dict(asked)


def _announce(note: Path, address: str, token: str) -> None:
    privacy.make(note.parent)
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
    privacy.make(folder)
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
