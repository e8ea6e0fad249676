"""Samples and corpora: questions with what should be found, and what they are asked of."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Draft, Trajectory

Half = Literal["first", "second", "all"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One question; `gold` holds refs of units (steps, memories), `sessions` trajectory ids."""

    id: str
    question: str
    gold: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    project: str = "*"
    group: str = ""
    """A kind of question, reported apart."""
    absent: bool = False
    """Whether nothing in the corpus answers it: silence is right."""
    stale: frozenset[str] = frozenset()
    """Units that once were right: wrong where they come unmarked."""
    values: tuple[str, ...] = ()
    """Texts of which the best hit must hold one, where the answer is a value."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a bank is filled with, made only where no bank of this digest is at hand."""

    name: str
    digest: str
    """Hash of what the corpus is made of, by which its bank is found again."""
    trajectories: Callable[[], Iterator[Trajectory]] | None = None
    """Each one's `cwd` is its project."""
    transcripts: Callable[[Path], Iterator[Path]] | None = None
    """Files of hosts, indexed as `mcp-memory index` does; may be written anew to the folder."""
    memories: Callable[[], Iterator[Draft]] | None = None
    told: Callable[["MemoryBank"], Awaitable[None]] | None = None
    """Whatever else a host would do with the bank."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where data lies."""

    data: Path
    packs: Path | None = None
    work: Path = field(default_factory=Path)


@dataclass(frozen=True, slots=True)
class Suite:
    """One corpus with the samples that are asked of it."""

    corpus: Corpus
    samples: Callable[[MemoryBank], Awaitable[list[Sample]]]
    """Made once the bank is there: gold may be a step that only indexing numbers."""


class Task(Protocol):
    """What every task module offers."""

    NAME: str
    HEADLINE: str
    """The measure that the task is judged by, `unit.recall@10`."""
    KINDS: tuple[HitKind, ...]
    """What search is asked for: empty is all."""

    def suites(self, sources: Sources) -> Iterator[Suite]:
        """The task's corpora, each with its samples.

        Raises:
            InvalidInput: the data is not there.
        """
        ...


def suite_of(corpus: Corpus, made: Callable[[], Iterable[Sample]]) -> Suite:
    """A suite whose gold is known without the bank."""

    async def samples(bank: MemoryBank) -> list[Sample]:
        del bank
        return list(made())

    return Suite(corpus, samples)


def in_half(sample_id: str, half: Half) -> bool:
    """Whether a question belongs to a half: by hash of its id, so for ever."""
    if half == "all":
        return True
    odd = hashlib.sha256(sample_id.encode()).digest()[0] & 1
    return odd == (half == "second")


def digest_of(*paths: Path) -> str:
    """SHA-256 over files' names and bytes."""
    made = hashlib.sha256()
    for path in paths:
        made.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return made.hexdigest()
