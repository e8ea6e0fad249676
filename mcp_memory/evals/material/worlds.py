"""Worlds: fixed facts in nonce words, told one an episode, and a scripted writer that loses some of them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcp_memory.domain.models import Trajectory
from mcp_memory.evals.material import talks

ENVIRONMENTS, TRAITS = 8, 8
NAME, PROJECT = "stream", "/stream"
_WAYS = (
    "The {trait} of {env} is {value}.",
    "{env} answered with {value} when its {trait} was read.",
    "Read it from {env}: {trait} = {value}.",
)
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_HEADS = ("br", "dr", "fl", "gr", "kl", "pl", "qu", "sk", "tr", "vl", "sm", "th")
_VOWELS = ("a", "e", "i", "o", "u")
_ENDS = {"env": "mex", "trait": "dle", "value": "zor"}
"""By their last letters a reader knows what a word is, as one would by its place in a sentence."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The value of one trait of one environment; it never changes."""

    env: str
    trait: str
    value: str

    @property
    def question(self) -> str:
        """What is asked at every checkpoint."""
        return f"What is the {self.trait} of {self.env}?"

    @property
    def text(self) -> str:
        """The memory that a faithful writer makes of it."""
        return _WAYS[0].format(trait=self.trait, env=self.env, value=self.value)


def facts(seed: int = 5) -> list[Fact]:
    """64 facts in words that no language has, each word once."""
    dice = random.Random(seed)  # noqa: S311 a set that is the same for ever, not secrecy
    taken: set[str] = set()

    def word(kind: str) -> str:
        while True:
            made = dice.choice(_HEADS) + dice.choice(_VOWELS) + dice.choice("bdgklmnprt")
            made += dice.choice(_VOWELS) + _ENDS[kind]
            if made not in taken:
                taken.add(made)
                return made

    traits = [word("trait") for _ in range(TRAITS)]
    return [Fact(env, trait, word("value"))
            for env in (word("env") for _ in range(ENVIRONMENTS)) for trait in traits]  # fmt: skip


def told(known: Sequence[Fact], episodes: int, seed: int = 6) -> list[Fact]:
    """Which fact each episode tells: all of them in each round, every round in another order."""
    dice = random.Random(seed)  # noqa: S311 as above
    order: list[Fact] = []
    while len(order) < episodes:
        order += dice.sample(list(known), len(known))
    return order[:episodes]


def episode(number: int, fact: Fact) -> Trajectory:
    """A session that looks one fact up, and says it in one of three ways."""
    at = _BEGAN + timedelta(hours=number)
    said = _WAYS[number % len(_WAYS)].format(env=fact.env, trait=fact.trait, value=fact.value)
    turns: list[talks.Turn] = [
        ("user", f"Look up the {fact.trait} of {fact.env} and set the job up with it.", at),
        ("agent", f"{said} The job runs with it now.", at + timedelta(minutes=1)),
    ]
    return talks.trajectory(NAME, f"e{number}", PROJECT, turns)


def words(text: str, kind: str) -> list[str]:
    """The words of a text that are environments, traits or values."""
    plain = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return [one for one in plain if one.endswith(_ENDS[kind]) and len(one) > len(_ENDS[kind]) + 2]


def read(texts: Sequence[str], fact: Fact) -> str:
    """The value that a reader takes: of the first text that gives this trait of this environment one."""
    for text in texts:
        for line in text.splitlines():
            about = fact.env in words(line, "env") and fact.trait in words(line, "trait")
            values = words(line, "value") if about else []
            if values:
                return values[0]
    return ""


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer makes of one fact: a text, and whether earlier memories are retired for it."""

    text: str
    collapses: bool = False
    how: str = "faithful"


def lossy(batch: Sequence[Fact], dice: random.Random) -> Iterator[tuple[Fact, Written]]:
    """A writer as they are found to be: a third true, the others swapped, blurred, merged or empty."""
    for fact in batch:
        other = dice.choice(batch)
        how = dice.choices(
            ("faithful", "swapped", "blurred", "merged", "empty"), (35, 20, 15, 15, 15)
        )[0]
        match how:
            case "swapped" if other.value != fact.value:
                yield fact, Written(fact.text.replace(fact.value, other.value), how=how)
            case "blurred":
                yield (
                    fact,
                    Written(f"The {fact.trait} of {fact.env} has a value of its own.", how=how),
                )
            case "merged":
                text = f"{fact.env} has a {fact.trait} and a {other.trait}; look both up."
                yield fact, Written(text, collapses=True, how=how)
            case "empty":
                yield fact, Written("It was looked up and it works.", how=how)
            case _:
                yield fact, Written(fact.text)
