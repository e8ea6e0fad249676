"""Crew: transcripts prepared ahead, in a thread or in processes of their own."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast

import anyio.to_thread

from mcp_memory.domain.reports import FileReport
from mcp_memory.store.packing import Packed
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.terms import Allowance, Gone, Ground, Known

logger = logging.getLogger(__name__)

_LEAST, _MOST_EACH, _AHEAD_BYTES = 2, 32, 32_000_000
"""So many are always ahead, so that there is work, and so many for each process.

Of more than the least only so many bytes are held. Six for two processes left one of them without
work while the other was at a long one, and the first of those six.
"""

Made = tuple[FileReport, list[Prepared]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What preparing a transcript depends on besides the transcript."""

    known: Mapping[str, Known]
    gone: Gone
    allowance: Allowance
    ground: Ground = field(default_factory=Ground)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is written as one change."""

    rows: int
    size: int
    """Bytes of the rows."""


class Preparing(Protocol):
    """Whoever prepares transcripts ahead of who asks for them; `close` it when done."""

    load: Load
    """A change is written when it holds so much."""

    def enough(self, many: int, size: int) -> bool:
        """Whether so many transcripts of so many bytes may be prepared and not yet taken."""
        ...

    def begin(self, path: Path) -> "Future[Made]":
        """Start preparing a transcript."""
        ...

    async def finish(self, path: Path, begun: "Future[Made]") -> Made:
        """What was made of a transcript; a worker that died costs none."""
        ...

    async def again(self, path: Path, ground: Ground) -> Made:
        """The transcript prepared now, with the catalogue as it is now."""
        ...

    def close(self) -> None:
        """Let them go; what was begun and not taken is dropped."""
        ...


Hire = Callable[[Terms], Preparing]


class Crew:
    """Prepares in a thread or in processes of this machine.

    With processes, each has the catalogue as it was when the crew was hired.
    """

    load = Load(rows=2_000, size=8_000_000)
    """Few appends, flat memory."""

    def __init__(self, terms: Terms, processes: int) -> None:
        self._terms = terms
        self._ahead = max(_LEAST, _MOST_EACH * processes)
        self._pool: Executor = (
            ProcessPoolExecutor(
                processes, multiprocessing.get_context("spawn"), _begin, (terms, os.getpid())
            )
            if processes
            else ThreadPoolExecutor(1, "prepare")
        )
        self._remote = bool(processes)

    def enough(self, many: int, size: int) -> bool:
        """Few large ones, or many small."""
        return many > self._ahead or (many > _LEAST and size > _AHEAD_BYTES)

    def begin(self, path: Path) -> "Future[Made]":
        """Start preparing a transcript."""
        if self._remote:
            return cast("Future[Made]", self._pool.submit(_prepare, path))
        return self._pool.submit(self._here, path)

    async def finish(self, path: Path, begun: "Future[Made]") -> Made:
        """What was made of a transcript; if its process died, it is prepared in this one."""
        try:
            return await anyio.to_thread.run_sync(begun.result, abandon_on_cancel=True)
        except BrokenProcessPool:
            logger.warning("a process that prepared transcripts died; going on without them")
            if self._remote:
                self.close()
                self._remote, self._pool = False, ThreadPoolExecutor(1, "prepare")
            return await self.again(path, self._terms.ground)

    async def again(self, path: Path, ground: Ground) -> Made:
        """The transcript prepared now, with the catalogue as it is now."""
        return (await anyio.to_thread.run_sync(Parcel.of, path, self._terms, ground)).opened()

    def close(self) -> None:
        """Let the crew go; what was begun and not taken is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _here(self, path: Path) -> Made:
        return Parcel.of(path, self._terms, self._terms.ground).opened()


def made_of(path: Path, terms: Terms, ground: Ground) -> Made:
    """One transcript prepared, the rows of each session packed for a way of their own."""
    report, made = indexing.prepare(path, terms.known, terms.gone, terms.allowance, ground=ground)
    return report, [one.as_columns() for one in made]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A transcript prepared, the rows of all its sessions packed as one.

    A file of 986 sessions of one request each made as many tables of twenty columns.
    """

    report: FileReport
    bare: Sequence[Prepared]
    """The sessions without their rows."""
    rows: Packed
    many: Sequence[int]
    """How many of the rows are each session's."""

    @classmethod
    def of(cls, path: Path, terms: Terms, ground: Ground) -> "Parcel":
        """Prepare a transcript; blocking."""
        told = (terms.known, terms.gone, terms.allowance)
        report, made = indexing.prepare(path, *told, ground=ground)
        rows = Packed.of([row for one in made for row in one.rows])
        bare = [replace(one, rows=[]) for one in made]
        return cls(report, bare, rows, [len(one.rows) for one in made])

    def opened(self) -> Made:
        """Each session with its part of the rows."""
        made = []
        start = 0
        for one, many in zip(self.bare, self.many, strict=True):
            made.append(replace(one, packed=self.rows.part(start, many)))
            start += many
        return self.report, made


class _Sent:
    """A parcel on its way between processes: where it arrives, it is open."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel

    def __reduce__(self) -> tuple[Callable[[Parcel], Made], tuple[Parcel]]:
        return Parcel.opened, (self._parcel,)


def broken(path: Path, error: Exception) -> FileReport:
    """The report on a file that could not be read."""
    return FileReport(path=path, status="refused", reason=f"{type(error).__name__}: {error}")


_hired: list[Terms] = []


def _begin(terms: Terms, parent: int) -> None:
    """Set up a process of the crew, and see to it that it ends with its parent."""
    _hired[:] = [terms]
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # A killed parent closes no queue: its children would wait for work for ever.
    found = multiprocessing.parent_process()
    if found is not None and found.pid == parent:
        found.join()
        os._exit(1)


def _prepare(path: Path) -> _Sent:
    (terms,) = _hired
    return _Sent(Parcel.of(path, terms, terms.ground))
