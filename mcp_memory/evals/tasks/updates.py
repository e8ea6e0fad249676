"""Updates: facts that changed up to five times among others like them; only the last one holds."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.hits import HitKind
from mcp_memory.domain.models import Draft
from mcp_memory.evals.material.corpora import kept_up
from mcp_memory.evals.material.samples import Corpus, Sample, Sources, Suite
from mcp_memory.store.rows import Where

NAME = "updates"
HEADLINE = "value@1"
KINDS: tuple[HitKind, ...] = ("fact",)
SUBJECTS, MOST_VERSIONS = 120, 6
PROJECT = "/updates"
_SERVICES = (
    *("checkout", "billing", "ledger", "mailer", "gateway", "crawler", "scheduler", "uploader"),
    *("catalogue", "payments", "notifier", "exporter", "importer", "renderer", "resolver"),
)
_TRAITS: tuple[tuple[str, str, Callable[[random.Random], str]], ...] = (
    ("port of the {} service", "{}", lambda dice: str(dice.randrange(2_000, 9_999))),
    ("timeout of the {} client", "{} seconds", lambda dice: str(dice.randrange(3, 900))),
    ("database of the {} service", "{}_db", lambda dice: f"pg{dice.randrange(100, 999)}"),
    ("release branch of {}", "release-{}", lambda dice: f"{dice.randrange(1, 30)}.{dice.randrange(9)}"),
    ("worker count of {}", "{} workers", lambda dice: str(dice.randrange(2, 400))),
    ("owner of the {} module", "team {}", lambda dice: f"t{dice.randrange(100, 999)}"),
    ("log folder of {}", "/var/log/{}", lambda dice: f"l{dice.randrange(100, 999)}"),
    ("build flag of {}", "--opt-{}", lambda dice: str(dice.randrange(10, 99))),
)  # fmt: skip
_WAYS = ("The {} is {}.", "From now on the {} is {}.", "We moved: the {} is now {}.")


@dataclass(frozen=True, slots=True)
class Fact:
    """What is asked for, and its values in the order of time."""

    subject: str
    values: tuple[str, ...]
    linked: bool
    """Whether who retains a new value says which memory it supersedes."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The memories, oldest first."""
        ways = [_WAYS[min(place, len(_WAYS) - 1)] for place in range(len(self.values))]
        return tuple(way.format(self.subject, v) for way, v in zip(ways, self.values, strict=True))


def suites(sources: Sources) -> Iterator[Suite]:
    """One bank, made by rule from a fixed seed; every fact is a distractor of all others."""
    del sources
    known = facts()
    yield Suite(
        Corpus(NAME, "1", told=lambda bank: _tell(bank, known)), lambda b: _samples(b, known)
    )


def facts() -> list[Fact]:
    """The facts, one to six values each, half of them linked."""
    dice = random.Random(7)  # noqa: S311 a set that is the same for ever, not secrecy
    pairs = [(service, trait) for service in _SERVICES for trait in _TRAITS]
    dice.shuffle(pairs)
    made = []
    for number, (service, (subject, shape, value)) in enumerate(pairs[:SUBJECTS]):
        values: dict[str, None] = {}
        while len(values) < 1 + number % MOST_VERSIONS:
            values[shape.format(value(dice))] = None
        made.append(Fact(subject.format(service), tuple(values), linked=number % 4 != 0))
    return made


async def _tell(bank: MemoryBank, known: list[Fact]) -> None:
    """Every fact's first value, then every second one, as time would have it."""
    last: dict[str, str] = {}
    turns = [(turn, fact) for turn in range(MOST_VERSIONS) for fact in known]
    for number, (turn, fact) in enumerate(turns, 1):
        if turn < len(fact.values):
            older = last.get(fact.subject) if fact.linked else None
            draft = Draft(text=fact.texts[turn], project=PROJECT, supersedes=older)
            last[fact.subject] = (await bank.retain(draft)).ref
        await kept_up(bank, number)


async def _samples(bank: MemoryBank, known: list[Fact]) -> list[Sample]:
    rows = await bank.rooms.store.find("memories", Where(states=()))
    keys = {row.text: row.key for row in rows}
    return [
        Sample(
            id=f"{NAME}/{fact.subject}",
            question=f"What is the {fact.subject}?",
            gold=frozenset({keys[fact.texts[-1]]}),
            stale=frozenset(keys[text] for text in fact.texts[:-1]),
            values=(f" {fact.values[-1]}.",),
            project=PROJECT,
            group="superseded" if fact.linked else "only retained",
        )
        for fact in known
    ]
