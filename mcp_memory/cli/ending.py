"""How a command ends, for scripts: answered, nothing found, gone wrong, as grep does; or done in part."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

import click

ANSWERED, NOTHING, WRONG, PART, INTERRUPTED, UNREAD = 0, 1, 2, 3, 130, 141
MEANINGS = {
    ANSWERED: "answered, or done",
    NOTHING: "nothing found: no hit, no such ref, no record that fits; `doctor`: not whole",
    WRONG: "wrong use, or it could not be done: one message says what, and what is safe",
    PART: "done in part: what was refused is counted and named, with why; all else was done",
    INTERRUPTED: "interrupted; what was acknowledged is kept",
    UNREAD: "whoever read the output stopped reading, as `head` does",
}
"""What each exit status says; the reference and the help page are made of it."""


PARTS: Mapping[str, str] = {
    "index": "a file, and a piece of one that was left out",
    "import": "a line of an export, or an item of another tool",
    "push": "a session or a file",
    "pull": "a file",
    "fetch": "a ref",
    "edit": "a memory's file",
    "export": "with `--skills`, a file that lies there and says something else",
    "undo": "with `--since`, a batch",
    "backup": "with `--restore`, what the check after it finds ill",
    "setup": "a host",
    "install": "a host",
    "uninstall": "a host, and with `--everything` a file of the bank",
}
"""What a part of the work is, by command; every other command does all that was asked, or nothing."""


class Failed(click.ClickException):
    """What could not be done."""

    exit_code = WRONG


class Partly(click.ClickException):
    """What was done but for a part."""

    exit_code = PART


class NotThere(click.ClickException):
    """What was asked for by a name that nothing has."""

    exit_code = NOTHING


def unread_if(error: OSError) -> None:
    """End quietly where it means that nobody reads on: what is still held for them goes nowhere."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)


def refused(parts: int, *, done: bool) -> None:
    """End so where parts were refused, which were named: in part, or wrong where nothing was done."""
    if parts:
        raise click.exceptions.Exit(PART if done else WRONG)


def nothing() -> NoReturn:
    """End as grep does where it found nothing; the answer was printed."""
    raise click.exceptions.Exit(NOTHING)
