"""Crew: transcripts prepared ahead, in a thread or in processes of their own."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain.reports import FileReport
from mcp_memory.trajectories import indexing
from mcp_memory.trajectories.indexing import Prepared
from mcp_memory.trajectories.terms import Allowance, Gone, Ground, Known

logger = logging.getLogger(__name__)

_LEAST, _AHEAD_BYTES = 2, 32_000_000
"""So many are always ahead, so that there is work; of more only so many bytes are held."""

Made = tuple[FileReport, list[Prepared]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What preparing a transcript depends on besides the transcript."""

    known: Mapping[str, Known]
    gone: Gone
    allowance: Allowance
    ground: Ground = field(default_factory=Ground)


class Crew:
    """Prepares transcripts ahead of who asks for them; `close` it when done.

    With processes, each has the catalogue as it was when the crew was hired.
    """

    def __init__(self, terms: Terms, processes: int) -> None:
        self._terms = terms
        self._ahead = max(_LEAST, 3 * processes)
        self._pool: Executor = (
            ProcessPoolExecutor(
                processes, multiprocessing.get_context("spawn"), _begin, (terms, os.getpid())
            )
            if processes
            else ThreadPoolExecutor(1, "prepare")
        )
        self._remote = bool(processes)

    def enough(self, sizes: Sequence[int]) -> bool:
        """Whether transcripts of these sizes are as many as may be prepared and not yet taken."""
        many = len(sizes) > self._ahead
        return many or (len(sizes) > _LEAST and sum(sizes) > _AHEAD_BYTES)

    def begin(self, path: Path) -> "Future[Made]":
        """Start preparing a transcript."""
        if self._remote:
            return self._pool.submit(_prepare, path)
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
        return await anyio.to_thread.run_sync(_made, path, self._terms, ground)

    def close(self) -> None:
        """Let the crew go; what was begun and not taken is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _here(self, path: Path) -> Made:
        return _made(path, self._terms, self._terms.ground)


def _made(path: Path, terms: Terms, ground: Ground) -> Made:
    report, made = indexing.prepare(path, terms.known, terms.gone, terms.allowance, ground=ground)
    return report, [one.as_columns() for one in made]


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


def _prepare(path: Path) -> Made:
    (terms,) = _hired
    return _made(path, terms, terms.ground)
