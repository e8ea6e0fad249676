"""Coding history: commits, learnings, findings and titles, to the sessions they come from."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.hits import HitKind
from mcp_memory.evals.material import labels, packs
from mcp_memory.evals.material.samples import Sample, Sources, Suite
from mcp_memory.store.rows import EvidenceRow, Where

NAME = "coding_history"
HEADLINE = "session.any@5"
KINDS: tuple[HitKind, ...] = ()


def suites(sources: Sources) -> Iterator[Suite]:
    """A bank a project, asked with all its labels.

    Raises:
        InvalidInput: a pack is not there.
    """
    for project in packs.PROJECTS:
        yield _suite(sources, project)


def _suite(sources: Sources, project: str) -> Suite:
    folder = sources.data / "gold" / project

    async def samples(bank: MemoryBank) -> list[Sample]:
        known = await packs.sessions_of(bank)
        made = [*_commits(folder, known), *_titles(folder, known)]
        return [*made, *[one async for one in _told(folder, known, bank)]]

    return Suite(packs.corpus_of(sources, project), samples)


def _commits(folder: Path, known: Mapping[str, str]) -> Iterator[Sample]:
    """Strong links only; those whose words stand in the session apart, they only test grep."""
    found: dict[str, tuple[Mapping[str, str], set[str]]] = {}
    for row in labels.rows(folder / "commit_to_session.tsv"):
        session = packs.session_in(known, row["session_id"])
        if session is not None and row["strong"] == "1":
            found.setdefault(row["commit"], (row, set()))[1].add(session)
    for commit, (row, sessions) in found.items():
        yield Sample(
            id=f"{NAME}/{folder.name}/commit/{commit}",
            question=f"{row['subject']}\n{row['body']}".strip(),
            sessions=frozenset(sessions),
            group=f"{folder.name} commits{' verbatim' if row['verbatim'] == '1' else ''}",
        )


def _titles(folder: Path, known: Mapping[str, str]) -> Iterator[Sample]:
    for number, row in enumerate(labels.rows(folder / "title_to_session.tsv")):
        session = packs.session_in(known, row["gold_session_id"])
        if session is not None:
            yield Sample(
                id=f"{NAME}/{folder.name}/title/{number}",
                question=row["title"],
                sessions=frozenset({session}),
                group=f"{folder.name} titles",
            )


async def _told(folder: Path, known: Mapping[str, str], bank: MemoryBank) -> AsyncIterator[Sample]:
    """What was said at capture time; the same sentence of several sessions is one question."""
    told: dict[tuple[str, str], tuple[Mapping[str, str], set[str]]] = {}
    for row in labels.rows(folder / "summary_to_session.tsv"):
        session = packs.session_in(known, row["session_id"])
        if session is not None:
            told.setdefault((row["kind"], row["text"]), (row, set()))[1].add(session)
    for (kind, text), (row, sessions) in told.items():
        units = await _steps(bank, row, sessions) if kind == "code" else frozenset[str]()
        yield Sample(
            id=f"{NAME}/{folder.name}/{kind}/{text}",
            question=text,
            gold=units,
            sessions=frozenset(sessions),
            group=f"{folder.name} {kind}",
        )


async def _steps(bank: MemoryBank, row: Mapping[str, str], sessions: set[str]) -> frozenset[str]:
    """The steps that read or changed the finding's path, and its line where the call says lines."""
    where = Where(kinds=("step",), trajectories=tuple(sessions), states=("live",))
    found = await bank.rooms.store.find("evidence", where)
    line = int(row["line"]) if row["line"].isdigit() else 0
    return frozenset(one.key for one in found if row["path"] and touches(one, row["path"], line))


def touches(row: EvidenceRow, path: str, line: int) -> bool:
    """Whether a step has a call on a file; a call on other lines of it is none."""
    if not any(one == path or one.endswith(f"/{path}") for one in row.paths):
        return False
    step: dict[str, Any] = orjson.loads(row.body)
    for call in step.get("calls", ()):
        if any(one == path or one.endswith(f"/{path}") for one in call.get("paths", ())):
            asked = call.get("arguments", {})
            first, count = asked.get("offset"), asked.get("limit")
            if not line or not isinstance(first, int) or not isinstance(count, int):
                return True
            if first <= line < first + count:
                return True
    return False
