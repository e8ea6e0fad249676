"""Lexical baselines over units' whole texts: grep, SQLite FTS5, and BM25 on units or sessions."""

import math
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from mcp_memory.domain import refs
from mcp_memory.evals.material.samples import Sample
from mcp_memory.evals.systems.fields import DEPTH, Answer, Ask, Field, Unit
from mcp_memory.text import tokens
from mcp_memory.text.wording import content_words

K1, B = 1.2, 0.75
_WORD = re.compile(r"\w+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


async def grep(field: Field) -> Ask:
    """Units that hold the most of the question's words, ties by lines matched (`rg -i -c`)."""
    by_project = _by_project(field.units)
    lowered = {unit.ref: unit.text.lower().splitlines() for unit in field.units}

    async def ask(sample: Sample) -> Answer:
        words = set(_WORD.findall(content_words(sample.question).lower()))
        scores = {}
        for unit in _asked(by_project, sample):
            lines = [sum(word in line for word in words) for line in lowered[unit.ref]]
            held = sum(any(word in line for line in lowered[unit.ref]) for word in words)
            if held:
                scores[unit.ref] = held + sum(map(bool, lines)) / (len(lines) + 1)
        return _answer(field, scores)

    return ask


async def fts5(field: Field) -> Ask:
    """SQLite's full-text search with its defaults; any of the question's words may match."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE unit USING fts5(ref UNINDEXED, project UNINDEXED, text)")
    rows = ((unit.ref, unit.project, unit.text) for unit in field.units)
    base.executemany("INSERT INTO unit VALUES (?, ?, ?)", rows)

    async def ask(sample: Sample) -> Answer:
        words = dict.fromkeys(_WORD.findall(sample.question))
        match = " OR ".join(f'"{word}"' for word in words)
        told = base.execute(
            "SELECT ref, -bm25(unit) FROM unit WHERE unit MATCH ? AND (? = '*' OR project = ?)"
            " ORDER BY bm25(unit) LIMIT ?",
            (match or '""', sample.project, sample.project, DEPTH),
        )
        return _answer(field, dict(told.fetchall()))

    return ask


async def bm25(field: Field) -> Ask:
    """BM25 (Lucene's form) over each unit alone; statistics are the asked project's."""
    return _bm25(field, field.units, _words)


async def bm25_sessions(field: Field) -> Ask:
    """BM25 over whole sessions, with camelCase split; a session stands by its first step."""
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for unit in field.units:
        texts[refs.session_of(unit.ref) or unit.ref, unit.project].append(unit.text)
    whole = [
        Unit(refs.span(session, 1) if ":" not in session else session, project, "\n".join(told))
        for (session, project), told in texts.items()
    ]
    return _bm25(field, whole, _split_words)


def _bm25(field: Field, units: Iterable[Unit], cut: Callable[[str], Sequence[str]]) -> Ask:
    by_project = _by_project(units)
    indexes: dict[str, _Index] = {}

    async def ask(sample: Sample) -> Answer:
        if sample.project not in indexes:
            indexes[sample.project] = _Index(_asked(by_project, sample), cut)
        return _answer(field, indexes[sample.project].scores(cut(sample.question)))

    return ask


class _Index:
    """An inverted index of texts with BM25 over it."""

    def __init__(self, units: Iterable[Unit], cut: Callable[[str], Sequence[str]]) -> None:
        self._postings: dict[str, dict[str, int]] = defaultdict(dict)
        self._lengths: dict[str, int] = {}
        for unit in units:
            counts = Counter(cut(unit.text))
            self._lengths[unit.ref] = counts.total()
            for word, count in counts.items():
                self._postings[word][unit.ref] = count
        self._mean = sum(self._lengths.values()) / max(1, len(self._lengths)) or 1.0

    def scores(self, words: Iterable[str]) -> dict[str, float]:
        """Every unit that holds any of the words, with its score."""
        made: dict[str, float] = defaultdict(float)
        for word in set(words):
            held = self._postings.get(word, {})
            rare = math.log1p((len(self._lengths) - len(held) + 0.5) / (len(held) + 0.5))
            for ref, count in held.items():
                length = 1 - B + B * self._lengths[ref] / self._mean
                made[ref] += rare * count * (K1 + 1) / (count + K1 * length)
        return made


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _split_words(text: str) -> list[str]:
    return _WORD.findall(_HUMP.sub(" ", text).replace("_", " ").lower())


def _by_project(units: Iterable[Unit]) -> dict[str, list[Unit]]:
    made: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        made[unit.project].append(unit)
    return made


def _asked(by_project: dict[str, list[Unit]], sample: Sample) -> list[Unit]:
    if sample.project == "*":
        return [unit for units in by_project.values() for unit in units]
    return by_project.get(sample.project, [])


def _answer(field: Field, scores: dict[str, float]) -> Answer:
    ranked = sorted(scores, key=lambda ref: (-scores[ref], ref))[:DEPTH]
    return answer(field, ranked)


def answer(field: Field, ranked: Sequence[str]) -> Answer:
    """An answer that gives each unit's whole text."""
    told = tuple(field.texts.get(ref, "") for ref in ranked)
    return Answer(
        ranked=tuple(ranked),
        costs=tuple(tokens.estimate(text) for text in told),
        texts=told,
        found=bool(ranked),
    )
