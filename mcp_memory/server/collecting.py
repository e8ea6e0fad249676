"""Collecting: how often a server's own process looks for what refers to itself, and among what."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, OLDER, OLD = 10_000, 20, 20
"""After so many new objects the interpreter looks for what refers to itself, where it would after 700
look 14 times as often: 5 % of a search's processor, and of a call's under load."""
_seldom = False


@contextmanager
def put_off() -> Iterator[None]:
    """Look for nothing while modules load, nor among them later: they stay.

    To look through them again and again is 30 of the 520 ms of processor that `serve` takes until its
    tools are listed. Of its 92,000 objects 900 refer to nothing but themselves and stay, too: .4 MB.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looked:
            gc.enable()


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
