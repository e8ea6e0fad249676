"""A terminal of a chosen size: runs a command in it and says what came out of it, and when."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def played(
    command: Sequence[str], *, columns: int, rows: int = 200, env: Mapping[str, str] | None = None
) -> Iterator[tuple[float, str]]:
    """Seconds since the start, and what was written then; raises RuntimeError where it failed to start."""
    pid, handle = pty.fork()
    if pid == 0:
        kept = {**os.environ, "TERM": "xterm-256color", "PAGER": "cat", **(env or {})}
        kept = {name: value for name, value in kept.items() if name not in ("COLUMNS", "LINES")}
        try:
            os.execvpe(command[0], list(command), kept)
        except OSError as error:
            print(error)
        finally:
            os._exit(127)
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    began = time.monotonic()
    try:
        while True:
            ready, _, _ = select.select([handle], [], [], 120)
            if not ready:
                raise RuntimeError(f"{command[0]} said nothing for two minutes")
            try:
                told = os.read(handle, 65_536)
            except OSError:  # how a terminal ends on Linux
                return
            if not told:
                return
            yield time.monotonic() - began, told.decode("utf-8", "replace")
    finally:
        os.close(handle)
        os.waitpid(pid, 0)


def screen(command: Sequence[str], *, columns: int, env: Mapping[str, str] | None = None) -> str:
    """What a person sees in the end, without colours."""
    text = "".join(told for _, told in played(command, columns=columns, env=env))
    plain = ANSI.sub("", text.replace("\r\n", "\n"))
    # What was written over is not seen; an empty rest after a return erased the line.
    return "\n".join(line.split("\r")[-1].rstrip() for line in plain.split("\n")).rstrip("\n")
