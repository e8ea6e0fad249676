"""Vacancy: a file that a person names is written over only where they said so."""

from pathlib import Path

from mcp_memory.domain.errors import InvalidInput


def must_be_vacant(file: Path, *, force: bool = False) -> None:
    """Leave what lies in a file's place as it is, unless it may be overwritten.

    Raises:
        InvalidInput: something is there.
    """
    if force or not (file.exists() or file.is_symlink()):
        return
    what = "is a folder" if file.is_dir() else "exists"
    raise InvalidInput(
        f"{file} {what} and was left as it is.",
        next_step="Name another file"
        + ("." if file.is_dir() else ", or give --force to overwrite it."),
    )
