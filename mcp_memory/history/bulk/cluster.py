"""Ray: shards prepared on the workers of a cluster; the only file that knows Ray."""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anyio.to_thread

from mcp_memory import readers
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.embedding.embedder import Vector
from mcp_memory.history.bulk import shards
from mcp_memory.history.bulk.shard_crew import ShardCrew, WorkerLost
from mcp_memory.history.bulk.shards import Model, Task
from mcp_memory.history.crew import Hire, Made, Terms
from mcp_memory.trajectories import terms as versions

LOCAL, CLIENT = "local", "ray://"
TEXTS = 2_000
"""Texts that a worker embeds at a time: half a second by the bundled model."""
_TRIES = 3
"""A shard whose worker died is given to others this often."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A task with the versions of who sent it: another version would make other rows of it."""

    task: Task
    reading: tuple[object, ...]


class RayWorkers:
    """Workers of the cluster that this process is connected to."""

    def __init__(self, task: Task, count: int) -> None:
        import ray  # heavy: only for a bulk run

        self.count = count
        self._task = ray.put(Sent(task, _reading()))
        remote = ray.remote(num_cpus=1, max_retries=_TRIES - 1)
        self._prepare: Any = remote(_prepare)
        self._begun: set[Any] = set()

    def submit(self, paths: Sequence[Path]) -> "Future[list[Made | None]]":
        """Start on a shard, wherever a processor is free."""
        ref = self._prepare.remote([self._task], tuple(paths))
        self._begun.add(ref)
        answer: Future[list[Made | None]] = Future()
        ref.future().add_done_callback(lambda done: self._answer(ref, done, answer))
        return answer

    def close(self) -> None:
        """Call off what was begun and not ended."""
        import ray  # heavy: only for a bulk run

        for ref in tuple(self._begun):
            with suppress(Exception):
                ray.cancel(ref)

    def _answer(
        self, ref: Any, done: "Future[list[Made | None]]", answer: "Future[list[Made | None]]"
    ) -> None:
        self._begun.discard(ref)
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(_told(error))


def _told(error: BaseException) -> BaseException:
    """What a task raised as it was; whatever else befell its worker, as a lost one."""
    from ray.exceptions import RayTaskError  # heavy: only for a bulk run

    cause = error.as_instanceof_cause() if isinstance(error, RayTaskError) else error
    return cause if isinstance(cause, InvalidInput | RayTaskError) else WorkerLost(str(error))


def _prepare(sent: list[Any], paths: tuple[Path, ...]) -> list[Made | None]:
    """In a worker: what it was told is read once, not once a shard."""
    return shards.prepare(paths, _task_of(sent[0]))


@cache
def _task_of(ref: Any) -> Task:
    import ray  # heavy: only for a bulk run

    sent: Sent = ray.get(ref)
    if sent.reading != _reading():
        raise _unlike()
    return sent.task


def _reading() -> tuple[object, ...]:
    return (versions.versions_of(0), readers.versions())


def _unlike() -> InvalidInput:
    return InvalidInput(
        "The workers have another version of mcp-memory than this machine, or none.",
        next_step="Install the same version on both: they would read transcripts differently.",
    )


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that this process is connected to."""

    workers: int

    def hiring(self, model: Model | None) -> Hire:
        """Who hires a crew of it, which makes vectors by the model."""

        def hire(terms: Terms) -> ShardCrew:
            task = Task(terms, model)
            return ShardCrew(task, RayWorkers(task, self.workers))

        return hire

    def embedding(self, model: Model) -> Callable[[Sequence[str]], Awaitable[list[Vector]]]:
        """Who makes vectors of texts on its workers, `TEXTS` a task."""
        import ray  # heavy: only for a bulk run

        remote = ray.remote(num_cpus=1, max_retries=_TRIES - 1)(shards.embed)

        async def embed(texts: Sequence[str]) -> list[Vector]:
            parts = [list(texts[at : at + TEXTS]) for at in range(0, len(texts), TEXTS)]
            begun = [remote.remote(part, model).future() for part in parts]
            made = [await anyio.to_thread.run_sync(each.result) for each in begun]
            return [vector for part in made for vector in part]

        return embed


@contextmanager
def connected(on: str, *, workers: int | None = None) -> Iterator[Cluster]:
    """A cluster for a block: `local` for one of this machine, else at its address.

    `workers`: how many shards at most are worked on at once; by default as many as it has processors.

    Raises:
        InvalidInput: Ray is not installed, nothing answers at the address, or workers are unlike.
    """
    count = _connect(on, workers)
    import ray  # heavy: only for a bulk run

    try:
        _alike()
        yield Cluster(count)
    finally:
        ray.shutdown()


def _alike() -> None:
    """See that a worker reads as this process does, before anything is read."""
    import ray  # heavy: only for a bulk run
    from ray.exceptions import RayError

    try:
        alike = ray.get(ray.remote(_reading).remote()) == _reading()
    except RayError as error:
        raise _unlike() from error
    if not alike:
        raise _unlike()


def _connect(on: str, workers: int | None) -> int:
    """Connect, and how many workers there are."""
    # Ray reports how it is used over the network unless it is told not to, and reads this at import.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # heavy: only for a bulk run
    except ImportError:
        raise InvalidInput(
            "`--on` needs Ray, which is not installed.",
            next_step="pip install 'mcp-memory-evidence[ray]', or leave `--on` out: "
            "`index` then uses the processors of this machine.",
        ) from None
    told: dict[str, Any] = {"address": on}
    if on == LOCAL:
        # Without this address one that runs here, or ran, would be joined.
        told |= {"num_cpus": workers or os.cpu_count() or 1, "include_dashboard": False}
    if not on.startswith(CLIENT):
        # From outside, a cluster takes no word of how it logs, and ends the connection over it.
        told |= {"log_to_driver": False, "logging_level": "error", "configure_logging": False}
    try:
        ray.init(**told)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise InvalidInput(
            f"No Ray cluster answers at {on!r}: {next(iter(str(error).splitlines()), '')[:200]}.",
            next_step="Start one (`ray start --head`), or give `--on local`.",
        ) from error
    return workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
