"""Replacing: a file of ours is put in place whole or not at all, for its user alone."""

import os
from pathlib import Path

FRESH = ".mcp-memory-"
"""How the name of a file begins that is not in its place yet; what a kill leaves behind."""


def replace(file: Path, content: bytes) -> None:
    """Put content in a file's place; whoever opens it sees the former or the new, never a part.

    Raises:
        OSError: it cannot be written; the former one is still whole.
    """
    import tempfile  # costs more than the rest; a hook that only asks does without

    # mkstemp opens a name of its own, follows no link, and gives it to the user alone.
    handle, name = tempfile.mkstemp(prefix=FRESH, dir=file.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
