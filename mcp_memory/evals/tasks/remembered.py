"""Remembered: memories among a project's evidence, each asked one natural question months later."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Draft, Evidence
from mcp_memory.evals.material import packs
from mcp_memory.evals.material.samples import Sample, Sources, Suite, digest_of

NAME = "remembered"
HEADLINE = "unit.any@3"
KINDS: tuple[HitKind, ...] = ()
PROJECT = "entireio__cli"
EVERY, LEAST_SESSIONS = 2, 2
"""Every other question's answer is kept as a memory; it cites so many sessions."""


def suites(sources: Sources) -> Iterator[Suite]:
    """One project's sessions with what was learned of them beside.

    Raises:
        InvalidInput: the pack or its questions are not there.
    """
    path = sources.data / "questions" / f"{PROJECT}.jsonl"
    if not path.exists():
        raise InvalidInput(f"No {path}.", next_step="Give --data the folder that holds questions/.")
    kept = _questions(path)[::EVERY]

    async def told(bank: MemoryBank) -> None:
        for draft in await _drafts(bank, kept):
            await bank.retain(draft)

    async def samples(bank: MemoryBank) -> list[Sample]:
        drafts = await _drafts(bank, kept)
        held = {
            row.body: row.key
            for row in await bank.rooms.store.by_keys("memories", await _refs(bank))
        }
        by_text = {text: key for body, key in held.items() if (text := orjson.loads(body)["text"])}
        return [
            Sample(
                id=f"{NAME}/{question['id']}",
                question=question["question"],
                gold=frozenset({by_text[draft.text]}),
                group=question["type"],
            )
            for question, draft in zip(kept, drafts, strict=True)
        ]

    corpus = packs.corpus_of(sources, PROJECT)
    digest = f"{corpus.digest}-{digest_of(path)}"
    yield Suite(replace(corpus, name=f"{PROJECT}-remembered", digest=digest, told=told), samples)


def _questions(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def _refs(bank: MemoryBank) -> list[str]:
    return [each.ref for each in await bank.listing("memories", limit=500)]


async def _drafts(bank: MemoryBank, kept: Sequence[dict[str, Any]]) -> list[Draft]:
    """The answers as memories of the project that most sessions are of, with sessions cited."""
    known = await packs.sessions_of(bank)
    ids = sorted(set(known.values()))
    counts = await bank.rooms.store.projects()
    project = max(sorted(counts), key=lambda name: counts[name])
    made = []
    for question in kept:
        named = (packs.session_in(known, one["session_id"]) for one in question["evidence"])
        cited = list(dict.fromkeys([*(one for one in named if one), *ids]))[:LEAST_SESSIONS]
        evidence = tuple(Evidence(ref=f"t:{one}#1", quote="") for one in cited)
        made.append(Draft(text=question["answer"], project=project, evidence=evidence))
    return made
