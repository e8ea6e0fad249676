"""Links: which memories are one step apart, and why: the same evidence, file, error or subject; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Memory
from mcp_memory.memories import grounds
from mcp_memory.text import cutting, signatures

LEAST_SHARED = 2
"""So many names that both have are one subject; a tag that both were given is one by itself."""
COMMON = 8
"""What more memories share than this ties none of them: it is what the whole project is about."""


class Link(NamedTuple):
    """A memory one step away, and what both have."""

    ref: str
    reason: str

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.ref} ({self.reason})"


class _Traits(NamedTuple):
    """What a memory may share with another."""

    steps: tuple[tuple[str, int, int], ...]
    files: frozenset[str]
    errors: frozenset[str]
    names: frozenset[str]
    tags: frozenset[str]


def of(wanted: Sequence[str], memories: Sequence[Memory]) -> dict[str, tuple[Link, ...]]:
    """To each of the memories that are asked for those that are tied to it, the closest first."""
    traits = {memory.ref: _traits(memory) for memory in memories}
    common = _common(traits.values())
    holders: dict[str, list[str]] = {}
    for ref, one in traits.items():
        for mark in _marks(one, common):
            holders.setdefault(mark, []).append(ref)
    found: dict[str, tuple[Link, ...]] = {}
    for ref in wanted:
        if ref in traits:
            # Most memories have nothing with most others: only those with a mark in common are compared.
            others = {other for mark in _marks(traits[ref], common) for other in holders[mark]}
            ranked = [
                (rank, other, reason)
                for other in others - {ref}
                for rank, reason in _shared(traits[ref], traits[other], common)
            ]
            best: dict[str, Link] = {}
            for _, other, reason in sorted(ranked):
                best.setdefault(other, Link(other, reason))
            found[ref] = tuple(best.values())
    return found


def _traits(memory: Memory) -> _Traits:
    text = f"{memory.title}\n{memory.text}\n{memory.when_to_use}"
    named = _grounds(text, tuple(memory.files), memory.project)
    return _Traits(
        steps=tuple(_spans(memory)),
        files=frozenset(one.name for one in named if one.kind == "file"),
        errors=_errors(text),
        names=frozenset(one.name for one in named if one.kind != "file"),
        tags=frozenset(tag.casefold() for tag in memory.tags),
    )


@lru_cache(maxsize=4096)
def _grounds(text: str, files: tuple[str, ...], project: str) -> tuple[grounds.Ground, ...]:
    return grounds.of(text, files, roots=(project,))


@lru_cache(maxsize=4096)
def _errors(text: str) -> frozenset[str]:
    return frozenset(signatures.named_errors(text))


def _spans(memory: Memory) -> Iterator[tuple[str, int, int]]:
    for cited in memory.evidence:
        try:
            ref = refs.parse(cited.ref)
        except InvalidInput:
            continue
        if ref.first is not None:
            yield ref.id, ref.first, ref.last or ref.first
        elif ref.number is not None:
            yield f"{ref.id}.{ref.number}", 0, 0


def _marks(one: _Traits, common: frozenset[str]) -> frozenset[str]:
    """What another must have, too, to be tied to it."""
    return (
        frozenset(session for session, *_ in one.steps)
        | one.errors
        | ((one.files | one.names | one.tags) - common)
    )


def _common(traits: Iterable[_Traits]) -> frozenset[str]:
    """Files, names and tags that too many have to tie any two of them."""
    counts: dict[str, int] = {}
    for one in traits:
        for name in (*one.files, *one.names, *one.tags):
            counts[name] = counts.get(name, 0) + 1
    return frozenset(name for name, count in counts.items() if count > COMMON)


def _shared(one: _Traits, other: _Traits, common: frozenset[str]) -> Iterator[tuple[int, str]]:
    """What both have, each kind with its rank: what was seen together ties closest."""
    for (a, first, last), (b, begin, end) in ((x, y) for x in one.steps for y in other.steps):
        if a == b and first <= end and begin <= last:
            yield 0, "the same evidence"
            break
    for error in sorted(one.errors & other.errors)[:1]:
        yield 1, f"error {cutting.head(error, 60)}"
    for file in sorted(one.files & other.files - common)[:1]:
        yield 2, f"file {file}"
    names = sorted(one.names & other.names - common)
    tags = sorted(one.tags & other.tags - common)
    if tags or len(names) >= LEAST_SHARED:
        yield 3, f"subject {', '.join((*tags, *names)[:2])}"


def among(told: Mapping[str, Sequence[Link]], left_out: Iterable[str], most: int) -> list[Link]:
    """The first links of several memories, each memory once, those left out that are told already."""
    seen = set(left_out) | set(told)
    kept: list[Link] = []
    for links in told.values():
        for link in links:
            if link.ref not in seen and len(kept) < most:
                seen.add(link.ref)
                kept.append(link)
    return kept
