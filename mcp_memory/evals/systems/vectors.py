"""Baselines over the store's own look-ups: vectors alone, and plain RRF of words and vectors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from mcp_memory.evals.material.samples import Sample
from mcp_memory.evals.systems.fields import DEPTH, Answer, Ask, Field
from mcp_memory.evals.systems.lexical import answer
from mcp_memory.store.rows import Found, Table, Where

RRF_K = 60
TABLES: tuple[Table, ...] = ("evidence", "memories")


async def dense(field: Field) -> Ask:
    """Cosine of the question's vector and each unit's."""

    async def ask(sample: Sample) -> Answer:
        found = await _near(field, sample)
        return answer(field, [one.key for one in found][:DEPTH])

    return ask


async def rrf(field: Field) -> Ask:
    """1 / (60 + rank), summed over BM25 on the text and cosine; nothing else."""

    async def ask(sample: Sample) -> Answer:
        lists = (await _words(field, sample), await _near(field, sample))
        return answer(field, reciprocal(lists)[:DEPTH])

    return ask


def reciprocal(lists: Iterable[Sequence[Found]]) -> list[str]:
    """Keys by the sum of their reciprocal ranks, ties by key."""
    sums: dict[str, float] = defaultdict(float)
    for found in lists:
        for place, one in enumerate(found, 1):
            sums[one.key] += 1 / (RRF_K + place)
    return sorted(sums, key=lambda key: (-sums[key], key))


async def _near(field: Field, sample: Sample) -> list[Found]:
    vector = await field.bank.rooms.query_vector(sample.question)
    if vector is None:
        return []
    store = field.bank.rooms.store
    found: list[Found] = []
    for table in TABLES:
        where = _where(table, sample)
        found += await store.by_vector(table, vector, where=where, limit=DEPTH)
    return sorted(found, key=lambda one: -one.score)


async def _words(field: Field, sample: Sample) -> list[Found]:
    store = field.bank.rooms.store
    found: list[Found] = []
    for table in TABLES:
        where = _where(table, sample)
        found += await store.by_words(
            table, sample.question, column="text", where=where, limit=DEPTH
        )
    return sorted(found, key=lambda one: -one.score)


def _where(table: Table, sample: Sample) -> Where:
    projects = () if sample.project == "*" else (sample.project,)
    return Where(
        kinds=("step",) if table == "evidence" else (), projects=projects, states=("live",)
    )
