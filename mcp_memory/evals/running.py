"""Running: a task's questions put to systems one after another, timed, every answer kept."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Frozen
from mcp_memory.evals import scorers
from mcp_memory.evals.material import corpora
from mcp_memory.evals.material.samples import Half, Sample, Sources, Task, in_half
from mcp_memory.evals.systems import SYSTEMS, Answer, Ask
from mcp_memory.evals.systems.fields import Field, field_of
from mcp_memory.settings import Settings

KEPT = 20
"""How many ranked refs of a question are kept in the record."""
BUDGET_TOKENS = 1_500
MARKED = ("superseded", "retired", "restated in ")
"""How the flags begin that say of a memory that it may not hold any more."""


class Record(Frozen):
    """What one system made of one question."""

    task: str
    system: str
    id: str
    group: str
    question: str
    gold: tuple[str, ...]
    sessions: tuple[str, ...]
    absent: bool
    silent: bool
    score: float
    """How sure the system is of its best; 0 for those that do not say."""
    ranked: tuple[str, ...]
    scores: dict[str, float]
    milliseconds: float
    tokens: int
    """What the first ten hits cost to read."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which questions are put to which systems."""

    task: Task
    systems: tuple[str, ...]
    half: Half = "all"
    groups: tuple[str, ...] = ()
    most: int = 0
    """At most so many questions a suite, for a quick look; 0 is all."""


async def run(
    plan: Plan, sources: Sources, settings: Settings, say: Callable[[str], None]
) -> AsyncIterator[Record]:
    """Every record of a run, system by system; `say` is told what goes on."""
    for suite in plan.task.suites(sources):
        began = time.perf_counter()
        async with corpora.opened(suite.corpus, sources.work, settings) as bank:
            made = await suite.samples(bank)
            samples = [sample for sample in made if _wanted(plan, sample)]
            samples = samples[: plan.most] if plan.most else samples
            field = await field_of(bank, plan.task.KINDS)
            seconds = time.perf_counter() - began
            say(
                f"{suite.corpus.name}: {len(field.units)} units, {len(samples)} questions,"
                f" bank at hand after {seconds:.1f} s"
            )
            for name in plan.systems:
                async for record in _asked(plan, name, field, samples):
                    yield record


async def _asked(
    plan: Plan, name: str, field: Field, samples: list[Sample]
) -> AsyncIterator[Record]:
    ask = await SYSTEMS[name](field)
    for sample in samples[:1]:
        # The first question also pays for loading the model and opening files.
        await ask(sample)
    for sample in samples:
        yield await _one(plan, name, ask, sample)


async def _one(plan: Plan, name: str, ask: Ask, sample: Sample) -> Record:
    began = time.perf_counter()
    answer = await ask(sample)
    milliseconds = (time.perf_counter() - began) * 1000
    units = scorers.once(answer.ranked, key=_unit)
    return Record(
        task=plan.task.NAME,
        system=name,
        id=sample.id,
        group=sample.group,
        question=sample.question,
        gold=tuple(sorted(sample.gold)),
        sessions=tuple(sorted(sample.sessions)),
        absent=sample.absent,
        silent=not answer.found,
        score=answer.score,
        ranked=answer.ranked[:KEPT],
        scores=scores_of(sample, answer, units),
        milliseconds=round(milliseconds, 2),
        tokens=sum(answer.costs[:10]),
    )


def scores_of(sample: Sample, answer: Answer, units: tuple[str, ...]) -> dict[str, float]:
    """Every measure that a question's gold allows, by `level.measure`."""
    made: dict[str, float] = {}
    sessions = scorers.once(answer.ranked, key=refs.session_of)
    for level, ranked, gold in (
        ("unit", units, sample.gold),
        ("session", sessions, sample.sessions),
    ):
        for measure, value in scorers.ranked_scores(ranked, gold).items():
            made[f"{level}.{measure}"] = value
    if sample.gold:
        fitting = answer.ranked[: scorers.within(answer.costs, BUDGET_TOKENS)]
        made["unit.recall@budget"] = len(set(fitting) & sample.gold) / len(sample.gold)
    if sample.stale:
        made["stale@5"] = float(any(_misleads(sample, answer, n) for n in range(5)))
    if sample.values:
        best = answer.texts[0] if answer.texts else ""
        made["value@1"] = float(any(value in best for value in sample.values))
        nearest = " ".join(answer.texts[:5])
        made["value@5"] = float(any(value in nearest for value in sample.values))
    return made


def _misleads(sample: Sample, answer: Answer, place: int) -> bool:
    if place >= len(answer.ranked) or answer.ranked[place] not in sample.stale:
        return False
    flags = answer.flags[place] if place < len(answer.flags) else ()
    return not any(flag.startswith(MARKED) for flag in flags)


def _unit(ref: str) -> str:
    """A ref where it names a unit; episodes are none."""
    return "" if ref.startswith("e:") else ref


def _wanted(plan: Plan, sample: Sample) -> bool:
    return in_half(sample.id, plan.half) and (not plan.groups or sample.group in plan.groups)


def kept_at(folder: Path, task: str, system: str) -> Path:
    """Where a system's records of a task are kept."""
    return folder / f"{task}.{system}.jsonl"
