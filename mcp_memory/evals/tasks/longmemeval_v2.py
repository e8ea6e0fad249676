"""LongMemEval-V2: questions over an agent's trajectories, to the states that answer them.

Trajectories are files of one run a line, read as `mcp-memory index` reads them. Gold stands in
`questions.jsonl` beside them: `id, question, trajectory, states`, the run's id and the indexes of
its states; the public viewer sample has no gold, and so is not asked. State N is seen in step N + 2:
the goal is the first, the page that a run starts on the second.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import orjson

from mcp_memory.bank import MemoryBank
from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite, digest_of

NAME = "longmemeval_v2"
HEADLINE = "session.any@5"
KINDS: tuple[HitKind, ...] = ("step",)


def suites(sources: Sources) -> Iterator[Suite]:
    """One bank of every trajectory file beside a file of questions.

    Raises:
        InvalidInput: there are no trajectories, or no questions with gold.
    """
    for folder in sorted((sources.data / "benchmarks").glob("longmemeval_v2*")):
        gold = folder / "questions.jsonl"
        runs = sorted(path for path in folder.glob("*.jsonl") if path != gold)
        if gold.is_file() and runs:
            corpus = Corpus(NAME, digest_of(gold, *runs), transcripts=lambda _, r=runs: iter(r))  # type: ignore[misc]
            yield Suite(corpus, partial(_samples, gold))
            return
    raise InvalidInput(
        "No LongMemEval-V2 trajectories with gold.",
        next_step="Put runs (*.jsonl) and questions.jsonl (id, question, trajectory, states) in "
        "DATA/benchmarks/longmemeval_v2/.",
    )


async def _samples(gold: Path, bank: MemoryBank) -> list[Sample]:
    lines = await anyio.to_thread.run_sync(gold.read_bytes)
    known = {row.native_id: row.id for row in await bank.rooms.store.sessions()}
    made = []
    for line in lines.splitlines():
        asked = orjson.loads(line)
        trajectory = known.get(str(asked["trajectory"]))
        if trajectory is None:
            continue
        made.append(
            Sample(
                id=f"{NAME}/{asked['id']}",
                question=asked["question"],
                gold=frozenset(refs.span(trajectory, n + 2) for n in asked["states"]),
                sessions=frozenset({trajectory}),
            )
        )
    return made
