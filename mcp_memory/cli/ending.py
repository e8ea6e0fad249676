"""How a command ends, for scripts: answered, nothing found, or gone wrong; as grep does."""

import os
import sys
from typing import NoReturn

import click

ANSWERED, NOTHING, WRONG, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141
MEANINGS = {
    ANSWERED: "answered, or done",
    NOTHING: "nothing found: no hit, no such ref, no record that fits; `doctor`: not whole",
    WRONG: "wrong use, or it could not be done: one message says what, and what is safe",
    INTERRUPTED: "interrupted; what was acknowledged is kept",
    UNREAD: "whoever read the output stopped reading, as `head` does",
}
"""What each exit status says; the reference and the help page are made of it."""


class Failed(click.ClickException):
    """What could not be done."""

    exit_code = WRONG


class NotThere(click.ClickException):
    """What was asked for by a name that nothing has."""

    exit_code = NOTHING


def unread_if(error: OSError) -> None:
    """End quietly where it means that nobody reads on: what is still held for them goes nowhere."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)


def nothing() -> NoReturn:
    """End as grep does where it found nothing; the answer was printed."""
    raise click.exceptions.Exit(NOTHING)
