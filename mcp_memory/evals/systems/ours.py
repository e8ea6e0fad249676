"""Ours: the bank's own search, with its default settings and as deep as a question may ask."""

from dataclasses import replace

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import Hit
from mcp_memory.evals.material.samples import Sample
from mcp_memory.evals.systems.fields import DEPTH, Answer, Ask, Field, Prepare
from mcp_memory.text import tokens

BUDGET = 100_000
"""So that depth alone cuts the answer; what fits the default budget is scored from the costs."""
MARKS_TOKENS = 60
"""What ref, path, score and marks of a hit take beside its text."""


async def prepare(field: Field) -> Ask:
    """Search as the tool does it."""

    async def ask(sample: Sample) -> Answer:
        query = Query(
            texts=(sample.question,),
            kinds=field.kinds,
            project=sample.project,
            limit=DEPTH,
            budget_tokens=BUDGET,
        )
        result = await field.bank.search(query)
        hits = result.hits or result.nearest
        cited = [one for hit in result.hits for one in _cited(hit)]
        return Answer(
            ranked=tuple(told.ref for told in cited) if result.found else (),
            costs=tuple(_cost(told) for told in cited),
            texts=tuple(told.text for told in cited),
            flags=tuple(told.flags for told in cited),
            found=result.found,
            score=max((hit.score for hit in hits), default=0.0),
        )

    return ask


async def without_floor(field: Field) -> Ask:
    """The same, never silent: what ranking alone is worth."""
    rooms = field.bank.rooms
    settings = rooms.settings.model_copy(update={"floor": 0.0})
    bank = MemoryBank(replace(rooms, settings=settings))
    return await prepare(replace(field, bank=bank))


def without(channel: str) -> Prepare:
    """Search without one of its channels, and without its floor."""

    async def prepared(field: Field) -> Ask:
        rooms = field.bank.rooms
        weights = {**rooms.weights, channel: 0.0}
        bank = MemoryBank(replace(rooms, weights=weights))
        return await without_floor(replace(field, bank=bank))

    return prepared


def _cited(hit: Hit) -> list[Hit]:
    """The hit, and those that it stands for: they cost no more than their refs."""
    copies = [hit.model_copy(update={"ref": ref, "text": ""}) for ref in hit.also]
    return [hit, *copies]


def _cost(hit: Hit) -> int:
    return tokens.estimate(hit.text) + tokens.estimate(hit.title) + MARKS_TOKENS
