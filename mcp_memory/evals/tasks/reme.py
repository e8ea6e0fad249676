"""ReMe: a library of memories that agents wrote, asked with the task that each was learned from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Draft, MemoryKind
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, digest_of
from mcp_memory.store.rows import Where

NAME = "reme"
HEADLINE = "unit.any@5"
KINDS: tuple[HitKind, ...] = ("fact",)


def suites(sources: Sources) -> Iterator[Suite]:
    """A bank a library; all memories of one task are right answers to it.

    Raises:
        InvalidInput: no library is there.
    """
    paths = sorted((sources.data / "benchmarks" / "reme").glob("*.jsonl"))
    if not paths:
        raise InvalidInput("No ReMe libraries.", next_step="Give --data the folder of benchmarks/.")
    for path in paths:
        yield _suite(path)


def _suite(path: Path) -> Suite:
    async def samples(bank: MemoryBank) -> list[Sample]:
        rows = await bank.rooms.store.find("memories", Where(states=("live",)))
        known = {orjson.loads(row.body)["text"]: row.key for row in rows}
        asked: dict[str, set[str]] = {}
        for memory in _library(path):
            if ref := known.get(memory["content"].strip()):
                asked.setdefault(memory["metadata"]["task_query"], set()).add(ref)
        return [
            Sample(
                id=f"{NAME}/{path.stem}/{question}",
                question=question,
                gold=frozenset(refs),
                project=_project(path),
                group=path.stem,
            )
            for question, refs in asked.items()
        ]

    corpus = Corpus(f"{NAME}-{path.stem}", digest_of(path), memories=lambda: _drafts(path))
    return Suite(corpus, samples)


def _library(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        memory = orjson.loads(line)
        if (memory.get("metadata") or {}).get("task_query"):
            yield memory


def _drafts(path: Path) -> Iterator[Draft]:
    for memory in _library(path):
        told = memory["metadata"].get("extra_info") or {}
        yield Draft(
            text=memory["content"],
            kind=MemoryKind.FACT,
            title=told.get("generalized_query") or "",
            when_to_use=memory["when_to_use"],
            tags=tuple(told.get("tags") or ()),
            project=_project(path),
        )


def _project(path: Path) -> str:
    return f"/{NAME}/{path.stem}"
