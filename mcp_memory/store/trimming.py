"""Trimming: memory that was used and is free again goes back to the system, where it would be kept."""

import ctypes
import sys
from functools import cache
from typing import Any

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
_ARENAS = 2
"""glibc gives each thread an arena of its own, up to eight a core, and returns none of them."""
_LARGE = 256 << 10
"""Larger pieces are mapped, and go back when they are let go. Left to itself glibc raises this to 32
MB with what it sees, and pieces that are in use keep the heap between them: building the indexes
of 22,123 rows took 175 MB, with this 96.
"""


@cache
def _glibc() -> Any:
    """The C library where it is glibc; None elsewhere, where nothing of this is needed or known."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def spare() -> None:
    """Let threads that are still to come share two arenas, and large pieces go back at once."""
    library = _glibc()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)


def trim() -> None:
    """Give back what is free, of the C library's and of Arrow's; a few milliseconds, blocking."""
    import pyarrow as pa  # heavy: only once a store is open

    pa.default_memory_pool().release_unused()
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)
