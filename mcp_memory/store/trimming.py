"""Trimming: memory that was used and is free again goes back to the system, where it would be kept."""

import ctypes
import sys
from functools import cache
from typing import Any

_ARENA_MAX = -8
_ARENAS = 2
"""glibc gives each thread an arena of its own, up to eight a core, and returns none of them."""


@cache
def _glibc() -> Any:
    """The C library where it is glibc; None elsewhere, where nothing of this is needed or known."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def few_arenas() -> None:
    """Let threads that are still to come share two arenas."""
    library = _glibc()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)


def trim() -> None:
    """Give back what is free, of the C library's and of Arrow's; a few milliseconds, blocking."""
    import pyarrow as pa  # heavy: only once a store is open

    pa.default_memory_pool().release_unused()
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
