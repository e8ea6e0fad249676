"""Streaming: what a bank still answers while episodes and consolidations go on, with the gate and without."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Planning, Query
from mcp_memory.domain.errors import GateRefused
from mcp_memory.domain.models import Draft, Evidence, Frozen, Memory, SourceClass, Standing, State
from mcp_memory.evals.material import corpora, worlds
from mcp_memory.evals.material.worlds import Fact, Written
from mcp_memory.memories import citing, retain, superseding
from mcp_memory.memories.gate import Admit
from mcp_memory.search import spans
from mcp_memory.settings import Settings

EPISODES, BATCH = 768, 16
"""Episodes of a run, and after how many of them a writer consolidates."""
CHECKPOINTS = (8, 16, 32, 64, 128, 192, 256, 384, 512, 640, 768)
REGIMES = ("episodic only", "forced", "planned")
"""No memories; one of every episode, whether it deserves one or not; what a plan proposes."""


class Checked(Frozen):
    """One regime at one checkpoint."""

    regime: str
    gated: bool
    episodes: int
    right: float
    """Share of the lookups told by then that a reader of the answer gets right."""
    memories: int
    refused: int
    """Drafts that the gate refused so far."""


class Run:
    """One regime over the whole stream, in a bank of its own."""

    def __init__(self, bank: MemoryBank, regime: str, *, gated: bool) -> None:
        self._bank = bank
        self._regime, self._gated = regime, gated
        self._dice = random.Random(9)  # noqa: S311 the same writer in every run
        self._met: dict[Fact, list[str]] = {}
        self._kept: dict[str, list[str]] = {}
        self._refused = 0

    async def checked(self, episodes: int, say: Callable[[str], None]) -> AsyncIterator[Checked]:
        """Tell all episodes, consolidate as the regime does, and look every fact up at checkpoints."""
        known = worlds.facts()
        order = worlds.told(known, episodes)
        at = 0
        for stop in _stops(episodes):
            await self._tell(order[at:stop], at)
            if stop % BATCH == 0:
                await self._consolidate(order[stop - BATCH : stop])
            at = stop
            if stop in CHECKPOINTS or stop == episodes:
                one = await self._check(stop)
                say(
                    f"{self._regime}, gate {'on' if self._gated else 'off'}: {stop} {one.right:.3f}"
                )
                yield one
        await self._bank.rooms.store.maintain(force=True)

    async def _tell(self, facts: Sequence[Fact], first: int) -> None:
        made = [worlds.episode(number, fact) for number, fact in enumerate(facts, first)]
        await corpora.write(self._bank, made)
        for trajectory, fact in zip(made, facts, strict=True):
            self._met.setdefault(fact, []).append(refs.span(trajectory.id, 1, 2))

    async def _consolidate(self, batch: Sequence[Fact]) -> None:
        if self._regime == "planned":
            batch = await self._proposed()
        if self._regime != "episodic only" and batch:
            for fact, written in worlds.lossy(batch, self._dice):
                await self._write(fact, written)
            await self._bank.rooms.store.maintain(force=True)

    async def _proposed(self) -> list[Fact]:
        """The facts that a plan proposes, as its spans name them."""
        groups = (await self._bank.plan(Planning(project=worlds.PROJECT, limit=BATCH))).groups
        by_ref = {refs.parse(ref).id: fact for fact, met in self._met.items() for ref in met}
        named = (refs.parse(group.refs[0]) for group in groups if group.reason == "fact")
        return list(dict.fromkeys(by_ref[ref.id] for ref in named if ref.id in by_ref))

    async def _write(self, fact: Fact, written: Written) -> None:
        """One draft, with the two newest episodes that told the fact; a collapse retires what was there."""
        earlier = self._kept.get(fact.env, [])
        draft = Draft(
            text=written.text,
            project=worlds.PROJECT,
            evidence=tuple(Evidence(ref=ref) for ref in self._met[fact][-2:]),
        )
        retire = earlier if written.collapses else []
        try:
            if self._gated:
                kept = (await self._bank.apply((draft,), retire=retire)).refs
            else:
                kept = (await ungated(self._bank, draft, retire),)
        except GateRefused:
            self._refused += 1
            return
        left = [] if written.collapses else earlier
        self._kept[fact.env] = [*left, *(ref for ref in kept if ref not in earlier)]

    async def _check(self, episodes: int) -> Checked:
        right = [await self._is_right(fact) for fact in self._met]
        held = await self._bank.listing("memories", project=worlds.PROJECT, limit=10_000)
        return Checked(
            regime=self._regime,
            gated=self._gated,
            episodes=episodes,
            right=sum(right) / len(right),
            memories=len(held),
            refused=self._refused,
        )

    async def _is_right(self, fact: Fact) -> bool:
        asked = Query(texts=(fact.question,), project=worlds.PROJECT)
        hits = (await self._bank.search(asked)).hits
        return worlds.read([hit.text for hit in hits], fact) == fact.value


async def run(
    settings: Settings, work: Path, *, episodes: int, say: Callable[[str], None]
) -> list[Checked]:
    """Every regime, consolidating ones with the gate and without."""
    made: list[Checked] = []
    for regime in REGIMES:
        for gated in (True, False) if regime != "episodic only" else (True,):
            home = work / f"{regime.replace(' ', '-')}-{'on' if gated else 'off'}"
            chosen = settings.model_copy(update={"home": home, "index_auto": False})
            async with open_bank(chosen, actor="eval") as bank:
                made += [one async for one in Run(bank, regime, gated=gated).checked(episodes, say)]
    return made


async def ungated(bank: MemoryBank, draft: Draft, retire: Sequence[str]) -> str:
    """Keep a draft as established whatever it says: what a bank without a gate would do."""
    rooms = bank.rooms
    cited = await citing.cite(rooms, draft)
    made = retain.memory_of(draft, cited, SourceClass.AGENT, Admit(standing=Standing.ESTABLISHED))
    placed = {"project": worlds.PROJECT, "created_at": rooms.now()}
    memory: Memory = made.model_copy(update=placed)
    gone = [await spans.current(rooms, ref) for ref in retire if ref != memory.ref]
    over = [superseding.following(one, state=State.SUPERSEDED) for one in gone]
    if (await spans.memory_rows(rooms, (memory.ref,))).get(memory.ref) is None:
        over.append(memory)
    rows = await retain.with_vectors(rooms, [retain.row_of(one, None) for one in over])
    if rows:
        await rooms.store.once(
            "consolidate", lambda name: [retain.in_batch(row, name) for row in rows],
            inverse={"kind": "memories"},
        )  # fmt: skip
    return memory.ref


def drawdown(checked: Sequence[Checked]) -> float:
    """The most that was lost from any checkpoint to a later one."""
    best, lost = 0.0, 0.0
    for one in checked:
        best = max(best, one.right)
        lost = max(lost, best - one.right)
    return lost


def curves(made: Sequence[Checked]) -> dict[str, list[Checked]]:
    """The checkpoints of each regime, under its name."""
    found: dict[str, list[Checked]] = {}
    for one in made:
        gate = "" if one.regime == REGIMES[0] else f", gate {'on' if one.gated else 'off'}"
        found.setdefault(f"{one.regime}{gate}", []).append(one)
    return found


def table(made: Sequence[Checked]) -> str:
    """Right answers at each checkpoint, the drawdown, the memories at the end."""
    known = curves(made)
    stops = sorted({one.episodes for one in made})
    lines = [
        f"| regime | {' | '.join(map(str, stops))} | drawdown | memories | refused |",
        "|---" * (len(stops) + 4) + "|",
    ]
    for name, checked in known.items():
        right = " | ".join(f"{one.right:.2f}" for one in checked)
        last = checked[-1]
        lines.append(
            f"| {name} | {right} | {drawdown(checked):.3f} | {last.memories} | {last.refused} |"
        )
    return "\n".join(lines)


def _stops(episodes: int) -> list[int]:
    """Where something happens: consolidations and checkpoints."""
    return sorted(
        {*range(BATCH, episodes + 1, BATCH), *(c for c in CHECKPOINTS if c < episodes), episodes}
    )
