"""The crew of a bulk run: transcripts go to workers by the shard, and come back one by one."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from mcp_memory.history.bulk import shards
from mcp_memory.history.bulk.shards import Task
from mcp_memory.history.crew import Load, Made, made_of
from mcp_memory.trajectories.terms import Ground

logger = logging.getLogger(__name__)

SHARD_BYTES, SHARD_FILES = 8_000_000, 64
"""A shard is sent when it holds either: a second of a worker's time, beside which sending is nothing."""
AHEAD = 3
"""Shards a worker that are prepared or waiting: none idles, and few wait in memory to be written."""

_KILLS = (
    "its workers died over it, the last one with nothing beside it. The next run tries it again"
)


class WorkerLost(Exception):
    """Raised by a future whose worker died, or its machine, after all that were tried."""


class Workers(Protocol):
    """Who prepares shards, wherever they are."""

    count: int

    def submit(self, paths: Sequence[Path]) -> "Future[list[Made | None]]":
        """Start on a shard; its future raises `WorkerLost` where no worker came to an end."""
        ...

    def close(self) -> None:
        """Let them go; what was begun is dropped."""
        ...


@dataclass(slots=True)
class _Shard:
    """Transcripts that go together, each with the future that its answer comes to."""

    paths: list[Path] = field(default_factory=list)
    answers: list["Future[Made | None]"] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return self.size >= SHARD_BYTES or len(self.paths) >= SHARD_FILES

    def add(self, path: Path) -> "Future[Made | None]":
        with suppress(OSError):
            self.size += path.stat().st_size
        self.paths.append(path)
        self.answers.append(Future())
        return self.answers[-1]

    def answer(self, done: "Future[list[Made | None]]") -> None:
        """Hand each transcript its part, or all of them the error."""
        error = done.exception()
        for place, answer in enumerate(self.answers):
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(done.result()[place])


class ShardCrew:
    """Prepares by workers elsewhere; a worker that dies costs no transcript, and none twice."""

    load = Load(rows=20_000, size=64_000_000)
    """Large commits: each costs the store a version and a fragment, whatever it holds."""

    def __init__(self, task: Task, workers: Workers) -> None:
        self._task = task
        self._workers = workers
        self._open = _Shard()
        self._shards: dict[Path, _Shard] = {}

    def enough(self, many: int, size: int) -> bool:
        """As many shards as keep all workers busy."""
        most = AHEAD * self._workers.count
        return many > most * SHARD_FILES or size > most * SHARD_BYTES

    def begin(self, path: Path) -> "Future[Made]":
        """Put it into the shard that is being filled; a full one goes to a worker."""
        self._shards[path] = self._open
        answer = self._open.add(path)
        if self._open.full:
            self._send()
        return answer  # type: ignore[return-value]  # `finish` turns a None into what it stands for

    async def finish(self, path: Path, begun: "Future[Made]") -> Made:
        """What a worker made of it, or this process, where its worker saw no such file."""
        if self._shards.pop(path, None) is self._open:
            self._send()
        made: Made | None
        try:
            made = await anyio.to_thread.run_sync(begun.result, abandon_on_cancel=True)
        except WorkerLost:
            made = await self._alone(path)
        if made is None:
            logger.warning("no worker sees %s: prepared here", path)
            return await self.again(path, self._task.terms.ground)
        return made

    async def again(self, path: Path, ground: Ground) -> Made:
        """The transcript prepared now and here, with the catalogue as it is now."""
        return await anyio.to_thread.run_sync(self._here, path, ground)

    def close(self) -> None:
        """Let the workers go; what was begun and not taken is dropped."""
        self._workers.close()

    def _send(self) -> None:
        shard, self._open = self._open, _Shard()
        if shard.paths:
            self._workers.submit(tuple(shard.paths)).add_done_callback(shard.answer)

    def _here(self, path: Path, ground: Ground) -> Made:
        return shards.embedded(made_of(path, self._task.terms, ground), self._task.model)

    async def _alone(self, path: Path) -> Made | None:
        """A transcript of a lost shard by itself: one that kills its reader must not cost the others.

        Nor this process: it is the only one that writes, and is not risked on it.

        Raises:
            WorkerLost: it did kill it.
        """
        logger.warning("a worker died over a shard: %s goes to another by itself", path)
        try:
            begun = self._workers.submit((path,))
            (made,) = await anyio.to_thread.run_sync(begun.result, abandon_on_cancel=True)
        except WorkerLost as error:
            raise WorkerLost(_KILLS) from error
        return made
