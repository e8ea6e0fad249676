"""How a command ends, for scripts: answered, nothing found, or gone wrong; as grep does."""

from typing import NoReturn

import click

ANSWERED, NOTHING, WRONG, INTERRUPTED = 0, 1, 2, 130
MEANINGS = {
    ANSWERED: "answered, or done",
    NOTHING: "nothing found: no hit, no such ref, no record that fits; `doctor`: not whole",
    WRONG: "wrong use, or it could not be done: one message says what, and what is safe",
    INTERRUPTED: "interrupted; what was acknowledged is kept",
}
"""What each exit status says; the reference and the help page are made of it."""


class Failed(click.ClickException):
    """What could not be done."""

    exit_code = WRONG


class NotThere(click.ClickException):
    """What was asked for by a name that nothing has."""

    exit_code = NOTHING


def nothing() -> NoReturn:
    """End as grep does where it found nothing; the answer was printed."""
    raise click.exceptions.Exit(NOTHING)
