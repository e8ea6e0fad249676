"""Items: what an importer finds in another tool's file: drafts with their day, and what it could not read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from mcp_memory.domain.models import Draft, Refusal, SourceClass


class Item(NamedTuple):
    """A memory as another tool kept it."""

    draft: Draft
    where: str
    """Its place in the file, for reports: a line, an id or a heading."""
    at: datetime | None = None
    source: SourceClass = SourceClass.EXTERNAL
    """The most that it may be trusted as; no file of another tool is the user's word."""


class Importer(Protocol):
    """What every module of another tool's format offers."""

    NAME: str

    def recognize(self, path: Path) -> bool:
        """Whether a file or folder is of this format, by content.

        Raises:
            OSError: it cannot be opened.
        """
        ...

    def read(self, path: Path) -> Iterator[Item | Refusal]:
        """What it holds, in a stable order; what cannot be read is named.

        Raises:
            OSError: it cannot be opened.
        """
        ...


def moment(told: object) -> datetime | None:
    """A time as tools write it: ISO 8601, or seconds or milliseconds since 1970."""
    try:
        if isinstance(told, str) and told.strip():
            at = datetime.fromisoformat(told.strip().replace(" ", "T", 1))
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(told, int | float) and not isinstance(told, bool) and told > 0:
            seconds = told / 1000 if told > _MILLISECONDS else told
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


_MILLISECONDS = 10_000_000_000
"""Seconds beyond the year 2286 are milliseconds."""


def texts(told: object) -> tuple[str, ...]:
    """The strings of a list; a string alone is one."""
    if isinstance(told, str):
        return (told,) if told.strip() else ()
    if not isinstance(told, list):
        return ()
    return tuple(each for each in told if isinstance(each, str) and each.strip())


def text_of(told: object) -> str:
    """A string without the space round it; empty for anything else."""
    return told.strip() if isinstance(told, str) else ""
