"""Rows of a store made by hand, and a store that holds them."""

from contextlib import AbstractAsyncContextManager
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from pathlib import Path

from mcp_memory.store import Store, open_store
from mcp_memory.store.address import Home
from mcp_memory.store.rows import EvidenceRow, MemoryRow, SessionRow, Where

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def opened(folder: Path) -> AbstractAsyncContextManager[Store]:
    return open_store(Home(folder), model="test", dim=4, busy_seconds=5, actor="test")


def evidence(number: int, text: str, *, trajectory: str = "s1", **fields: object) -> EvidenceRow:
    row = {
        "key": f"t:{trajectory}#{number}",
        "kind": "step",
        "trajectory": trajectory,
        "first": number,
        "last": number,
        "project": "/repo",
        "source": "agent",
        "at": NOON,
        "outcome": "unknown",
        "text": text,
        "context": "",
        "identifiers": "",
        "paths": (),
        "body": "{}",
        "hash": "",
        "flags": (),
        "state": "live",
        "batch": "",
        "vector": (1.0, 0.0, 0.0, float(number)),
    }
    return EvidenceRow(**{**row, **fields})  # type: ignore[arg-type]


def memory(key: str, batch: str) -> MemoryRow:
    return MemoryRow(
        key,
        1,
        "fact",
        "/repo",
        "agent",
        "candidate",
        "live",
        NOON,
        "text",
        "",
        "",
        (),
        (),
        "{}",
        "h",
        batch,
    )


def session(name: str, **fields: object) -> SessionRow:
    row: dict[str, object] = {
        each.name: 0 if each.type is int else None if each.name.endswith("_at") else ""
        for each in fields_of(SessionRow)
    }
    return SessionRow(**{**row, "id": name, "state": "live", **fields})  # type: ignore[arg-type]


async def added(store: Store, *rows: EvidenceRow) -> None:
    async with store.change("index", refs=["t:s1"]) as change:
        await change.add(evidence=rows)


async def keys(store: Store, words: str, **where: object) -> list[str]:
    found = await store.by_words(
        "evidence",
        words,
        column="text",
        where=Where(**where),
        limit=10,  # type: ignore[arg-type]
    )
    return [one.key for one in found]
