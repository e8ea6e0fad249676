"""Abstention: talks and coding sessions asked what they answer, and what is named nowhere in them."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.hits import HitKind
from mcp_memory.evals.material.samples import Sample, Sources, Suite
from mcp_memory.evals.tasks import coding_history, locomo
from mcp_memory.text import wording

NAME = "abstention"
HEADLINE = "session.any@5"
KINDS: tuple[HitKind, ...] = ("step",)
ABSENT_SHARE = 4
"""One question in so many is absent."""
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


def suites(sources: Sources) -> Iterator[Suite]:
    """The corpora of LoCoMo and, where packs are given, of coding history.

    Raises:
        InvalidInput: no LoCoMo file is there.
    """
    whole = [locomo.suites(sources)]
    if sources.packs is not None:
        whole.append(coding_history.suites(sources))
    for suite in (one for each in whole for one in each):
        yield Suite(suite.corpus, _mixed(suite))


def _mixed(suite: Suite) -> Callable[[MemoryBank], Awaitable[list[Sample]]]:
    async def samples(bank: MemoryBank) -> list[Sample]:
        return list(mixed(await suite.samples(bank)))

    return samples


def mixed(present: Iterable[Sample]) -> Iterator[Sample]:
    """Each question as it is, and every third of those with names once more with names unheard."""
    for sample in present:
        domain = sample.id.partition("/")[0]
        yield replace(sample, id=f"{NAME}/{sample.id}", group=domain)
        asked = renamed(sample.question)
        if asked != sample.question and _lot(sample.id) % (ABSENT_SHARE - 1) == 0:
            yield Sample(
                id=f"{NAME}/{sample.id}/absent",
                question=asked,
                project=sample.project,
                group=domain,
                absent=True,
            )


def renamed(question: str) -> str:
    """The question with every name in it replaced by one that nobody bears, of the same shape."""
    asked = question
    named = [term for term in wording.informative(question) if wording.is_entity(term)]
    for term in sorted(named, key=len, reverse=True):
        asked = asked.replace(term, invented(term))
    return asked


def invented(name: str) -> str:
    """A word of the same length and capitals, the same each time."""
    drawn = hashlib.sha256(name.encode()).digest()
    made = []
    for place, letter in enumerate(name):
        if not (letter.isalpha() and letter.isascii()):
            made.append(letter)
            continue
        letters = _VOWELS if place % 2 else _CONSONANTS
        chosen = letters[drawn[place % len(drawn)] % len(letters)]
        made.append(chosen.upper() if letter.isupper() else chosen)
    return "".join(made)


def _lot(sample_id: str) -> int:
    return hashlib.sha256(sample_id.encode()).digest()[1]
