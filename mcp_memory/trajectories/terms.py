"""Terms: what a session is prepared under: what is known of it, what is gone, what is allowed."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mcp_memory import readers
from mcp_memory.domain import projects
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.models import Step
from mcp_memory.text import redaction
from mcp_memory.trajectories.lineage import Kin
from mcp_memory.trajectories.reconciling import Former

VERSION = 12
"""Raised when rows or files of the same trajectory come out differently: all is indexed anew."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the user lets the indexer read, and how outputs are capped."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    only_project: str | None
    step_chars: int
    ours: tuple[str, ...] = ()
    """Folders of our own, of which nothing is read; what the user lets us read is another matter."""

    def project(self, project: str) -> bool:
        """Whether sessions of this project may be kept."""
        if self.only_project is not None and project != self.only_project:
            return False
        exclude = (*self.exclude, *self.ours)
        return projects.allowed(project, include=self.include, exclude=exclude)

    def path(self, path: Path) -> bool:
        """Whether this transcript may be opened at all."""
        return not projects.matches(str(path), (*self.exclude, *self.ours))


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of a session already."""

    fingerprint: str
    folder: str
    state: str
    source_path: str
    steps: int
    hidden: Mapping[int, str] = field(default_factory=dict)
    size: int = 0
    marks: str = ""
    reading: str = ""
    """The versions that it was read by: numbers of steps may be compared only within one."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which an unchanged file is known without opening it."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """The stamp of a file as it is now, with what is read together with it."""
        status = path.stat()
        size, mtime_ns = status.st_size, status.st_mtime_ns
        for beside in readers.companions(path):
            with contextlib.suppress(OSError):
                status = beside.stat()
                size, mtime_ns = size + status.st_size, max(mtime_ns, status.st_mtime_ns)
        return cls(size, mtime_ns)

    @classmethod
    def seen(cls, path: Path) -> "Stamp | None":
        """The stamp of a file as it is now; None where it is not to be had."""
        try:
            return cls.of(path)
        except OSError:
            return None


def spelled(path: Path) -> str:
    """A path as text that can be written down, also where its name is no UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Gone(Protocol):
    """What was purged and must not come back."""

    def session(self, trajectory: str) -> bool:
        """Whether a whole session was purged."""
        ...

    def step(self, trajectory: str, step: Step) -> bool:
        """Whether this step's content was purged from this session, or from one that it copies."""
        ...

    def head(self, text: str) -> bool:
        """Whether a title, a goal or a branch was emptied of just these words."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session comes from, to which project it belongs, and what read it."""

    source: str
    """The file's path, or who brought it."""
    stamp: Stamp
    project: str
    reader_version: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What else a session is seen before: other sessions, and itself as it was."""

    identities: Identities = field(default_factory=Identities)
    kin: Kin | None = None
    """Every session by its steps; None while they are not to be compared."""
    former: Mapping[str, Former] = field(default_factory=dict)
    """Sessions as the store has them, of which a file lacks something."""


def versions_of(reader_version: int) -> tuple[int, int, int]:
    """The versions of all that shapes what is made of a transcript."""
    return (VERSION, reader_version, redaction.RULES_VERSION)


def reading_of(reader_version: int) -> str:
    """The versions that a session is read by, in short."""
    return ".".join(map(str, versions_of(reader_version)))
