"""A stopwatch, figures of many runs, memory, and the machine that they were taken on."""

import os
import platform
import resource
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


async def awaited(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes to await what a call returns."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


class Stages(Counter[str]):
    """Seconds by the name of a stage, added up over many inputs."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what the block takes under a name."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self[name] += time.perf_counter() - started


def middle(taken: Sequence[float]) -> str:
    """The median, in milliseconds."""
    return f"{statistics.median(taken) * 1e3:.1f} ms"


def quantile(taken: Sequence[float], share: float) -> float:
    """The value that this share of all lies below; of few values, one of them."""
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def peak() -> int:
    """Most resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def resident(process: int | None = None) -> float:
    """Resident memory of a process now (this one by default), in MB; Linux only."""
    status = Path(f"/proc/{process or 'self'}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def size(folder: Path) -> int:
    """Bytes of the files in a folder, at any depth."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machine() -> str:
    """What a figure has to be read beside."""
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} processors, load {load:.1f}, "
        f"Python {platform.python_version()}"
    )
