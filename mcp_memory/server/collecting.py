"""Collecting: how often a server's own process looks for what refers to itself, and among what."""

import gc

YOUNG, OLDER, OLD = 10_000, 20, 20
"""After so many new objects the interpreter looks for what refers to itself, where it would after 700
look 14 times as often: 5 % of a search's processor, and of a call's under load."""
_seldom = False


def begin() -> None:
    """Look less often from now on: for a process that is a server's alone."""
    global _seldom  # noqa: PLW0603 one collector of one process
    _seldom = True
    gc.set_threshold(YOUNG, OLDER, OLD)


def opened() -> None:
    """Leave out what is loaded once a bank is open, and stays: to look through it takes 80 ms.

    In that time no call is answered. A process that did not `begin` is another's to arrange.
    """
    if _seldom:
        gc.freeze()
