"""Rows of a store by their number: words as rare as in real text, and vectors of chance."""

import random
from datetime import UTC, datetime

from mcp_memory.store.rows import EvidenceRow, MemoryRow

DIM = 256
RANDOM = random.Random(1)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = [
    "".join(RANDOM.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(RANDOM.randint(3, 9)))
    for _ in range(20_000)
]
SHARES = [1 / (place + 1) for place in range(len(WORDS))]


def vector() -> tuple[float, ...]:
    return tuple(RANDOM.gauss(0, 1) for _ in range(DIM))


def text() -> str:
    return " ".join(RANDOM.choices(WORDS, SHARES, k=80))


def evidence(number: int) -> EvidenceRow:
    words, session, step = text(), number // 100, number % 100
    return EvidenceRow(
        key=f"t:s{session}#{step}",
        kind="step",
        trajectory=f"s{session}",
        first=step,
        last=step,
        project="/repo",
        source="agent",
        at=NOON,
        outcome="unknown",
        text=words,
        context=words[:200],
        identifiers=f"src/file{number % 500}.py",
        paths=(f"src/file{number % 500}.py",),
        body=f'{{"text": "{words}"}}',
        hash=f"{number:064x}",
        flags=(),
        state="live",
        batch="",
        vector=vector(),
    )


def memory(number: int, batch: str) -> MemoryRow:
    return MemoryRow(
        key=f"m:{number}",
        version=1,
        kind="fact",
        project="/repo",
        source="agent",
        standing="candidate",
        state="live",
        at=NOON,
        text=text(),
        context="",
        identifiers="",
        paths=(),
        evidence=(),
        body="{}",
        hash=f"{number:064x}",
        batch=batch,
        vector=vector(),
    )
