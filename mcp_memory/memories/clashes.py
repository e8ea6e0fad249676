"""Clashes: memories that say the same, or otherwise, or that their use speaks against; pure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal

from mcp_memory.domain import projects, refs, validity
from mcp_memory.domain.models import Group
from mcp_memory.memories import likeness
from mcp_memory.memories.bearing import NUMBER
from mcp_memory.memories.experience import READING, MemoryView, Offer, matching
from mcp_memory.memories.likeness import CLOSE
from mcp_memory.text import identifiers
from mcp_memory.trajectories.naming import one_line

UNHELPFUL_USES, UNHELPFUL_SHARE = 5, 0.5
"""Uses from which a share of successes below the other speaks against a memory (ReMe, 2025)."""
NEAR = 0.75
"""Cosine from which two memories are looked at for what they say otherwise."""
MOST_SHARED, MOST_BUCKET = 8, 60
_RULES = {
    "duplicates": (
        "One memory that keeps every name and condition of both, with supersedes= the weaker, and "
        "retire the other; or leave both where each holds elsewhere."
    ),
    "contradiction": (
        "Look what holds now. Then one memory with supersedes= the one that no longer does, citing "
        "what shows it; or in both the condition under which each holds."
    ),
    "unhelpful": "Read where it was used. Mend it with supersedes=, or retire it.",
}
_WORTH = {"contradiction": 6.0, "unhelpful": 5.0, "duplicates": 3.0}
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+|[\u3002\uff01\uff1f]")
_LETTERS = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")


def pairs(
    memories: Sequence[MemoryView], similar: Sequence[tuple[str, str, float]]
) -> Iterator[Offer]:
    """Memories of one kind that contradict each other, and such that say the same."""
    known = {memory.ref: memory for memory in memories}
    clashing = dict(_by_values(memories))
    ordered = sorted(similar, key=lambda pair: (-pair[2], pair[:2]))
    near = [(known[a], known[b], cosine) for a, b, cosine in ordered
            if a in known and b in known and a != b]  # fmt: skip
    for a, b, _ in near:
        if _together(a, b) and (how := likeness.otherwise(a.text, b.text)):
            clashing.setdefault(_key(a, b), (how,))
    for (left, right), told in clashing.items():
        yield _pair("contradiction", known[left], known[right], told)
    for a, b, cosine in near:
        if cosine >= CLOSE and _key(a, b) not in clashing:
            yield _pair("duplicates", a, b, ())


def _key(a: MemoryView, b: MemoryView) -> tuple[str, str]:
    return (min(a.ref, b.ref), max(a.ref, b.ref))


def _together(a: MemoryView, b: MemoryView) -> bool:
    """Whether two memories speak of one thing at one time: of one kind and project, or everywhere."""
    near = a.project == b.project or projects.USER in (a.project, b.project)
    return a.kind is b.kind and near and not validity.apart(a, b)


def _by_values(memories: Sequence[MemoryView]) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Pairs that give the same name, in the same words, another value; most clashes first."""
    holders: dict[
        tuple[str, str, str], list[tuple[MemoryView, frozenset[str], frozenset[str]]]
    ] = {}
    for memory in sorted(memories, key=lambda memory: memory.ref):
        for name, sort, values, others in _values(memory.text):
            holders.setdefault((memory.kind.value, name, sort), []).append((memory, values, others))
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    clashes: Counter[tuple[str, str]] = Counter()
    for (_, name, _), held in sorted(holders.items(), key=lambda item: item[0]):
        for (a, left, words), (b, right, others) in combinations(held[:MOST_BUCKET], 2):
            if a.ref != b.ref and _together(a, b) and not left & right and words & others:
                found.setdefault(_key(a, b), (name, *sorted(left), *sorted(right)))
                clashes[_key(a, b)] += 1
    yield from ((key, found[key]) for key in sorted(found, key=lambda key: (-clashes[key], key)))


def _values(text: str) -> Iterator[tuple[str, str, frozenset[str], frozenset[str]]]:
    """Name, sort of value, values, other words: for each sentence that gives a name a value."""
    for sentence in _SENTENCES.split(text):
        called = identifiers.names(sentence)
        versions = frozenset(name for name in called if re.fullmatch(r"v?\d[\d.]+\w*", name))
        paths = frozenset(name for name in called if "/" in name)
        numbers = frozenset(NUMBER.findall(sentence)) - versions
        words = frozenset(_LETTERS.findall(sentence.casefold()))
        sorts: Mapping[str, frozenset[str]] = {
            "version": versions,
            "path": paths,
            "number": numbers,
        }
        for name in called:
            own = frozenset(_LETTERS.findall(name.casefold()))
            for sort, values in sorts.items():
                if values and name not in versions and not (sort == "path" and name in paths):
                    yield name, sort, values, words - own


def is_unhelpful(used: int, succeeded: int) -> bool:
    """Whether uses enough speak against a memory."""
    return used >= UNHELPFUL_USES and succeeded / used < UNHELPFUL_SHARE


def unhelpful(memories: Sequence[MemoryView]) -> Iterator[Offer]:
    """Memories that were used often enough and helped less than half of the time."""
    against = [memory for memory in memories if is_unhelpful(memory.used, memory.succeeded)]
    against.sort(key=lambda memory: (memory.succeeded / memory.used, -memory.used, memory.ref))
    for memory in against:
        shared = (f"used {memory.used}", f"succeeded {memory.succeeded}")
        yield _offer("unhelpful", (memory,), _title(memory), shared)


def _pair(
    reason: Literal["duplicates", "contradiction"],
    a: MemoryView,
    b: MemoryView,
    shared: tuple[str, ...],
) -> Offer:
    both = [name for name in identifiers.names(a.text) if name in identifiers.names(b.text)]
    ordered = tuple(sorted((a, b), key=lambda memory: memory.ref))
    about = " | ".join(map(_title, ordered))
    return _offer(reason, ordered, about, (shared or tuple(both))[:MOST_SHARED])


def _offer(
    reason: Literal["duplicates", "contradiction", "unhelpful"],
    memories: Sequence[MemoryView],
    about: str,
    shared: tuple[str, ...],
) -> Offer:
    named = tuple(memory.ref for memory in memories)
    group = Group(
        id=f"p:{refs.short_hash(reason, *named)}",
        reason=reason,
        project=memories[0].project,
        about=about,
        refs=named,
        match=matching(about),
        budget_tokens=READING,
        shared=shared,
        rules=_RULES[reason],
    )
    return Offer(_WORTH[reason], group)


def _title(memory: MemoryView) -> str:
    return memory.title or one_line(memory.text, 80)
