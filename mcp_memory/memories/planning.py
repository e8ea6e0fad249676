"""The plan: which episodes may deserve a memory, and which memories a second look."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, combinations
from typing import Literal

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Frozen, Group, MemoryKind, Outcome
from mcp_memory.memories.bearing import NUMBER
from mcp_memory.memories.gate import QUORUM
from mcp_memory.memories.likeness import CLOSE
from mcp_memory.search import ranking
from mcp_memory.text import identifiers

UNHELPFUL_USES, UNHELPFUL_SHARE = 5, 0.5
"""Uses from which a share of successes below the other speaks against a memory (ReMe, 2025)."""
MOST_REFS, MOST_SHARED, MOST_BUCKET = 12, 8, 60
ALIKE = 0.3
"""Share of goal words (Jaccard) from which two goals are about one thing."""

_VOLATILE = re.compile(r"0x[0-9a-f]+|[0-9a-f]{7,}|\d+|(?:[\w.~-]*[/\\])+", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+|[\u3002\uff01\uff1f]")
_LETTERS = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")


class EpisodeView(Frozen):
    """What planning needs to know of an episode."""

    ref: str
    """`e:….n`."""
    first: int
    last: int
    """Step numbers, inclusive."""
    goal: str
    outcome: Outcome
    errors: tuple[str, ...] = ()
    """Error lines or codes met, as they were printed."""
    commands: tuple[str, ...] = ()
    """Commands run."""
    files: tuple[str, ...] = ()
    """Files edited."""
    at: datetime | None = None


class MemoryView(Frozen):
    """What planning needs to know of a live memory; uses whose outcome is unknown do not count."""

    ref: str
    kind: MemoryKind
    text: str
    title: str = ""
    evidence: tuple[str, ...] = ()
    """Refs of its evidence."""
    used: int = 0
    succeeded: int = 0


def plan(
    episodes: Sequence[EpisodeView],
    memories: Sequence[MemoryView],
    *,
    similar: Sequence[tuple[str, str, float]] = (),
    limit: int = 12,
) -> tuple[Group, ...]:
    """What the host may want to look at, at most `limit` groups, most supported first.

    `similar`: pairs of memory refs with their cosine. Each reason gets its share of the limit
    before any gets more; episodes that a memory cites already are left out.
    """
    fresh = _uncited(episodes, memories)
    lists = (
        _contradictions(memories),
        _recurring(fresh),
        _alike(memories, similar),
        _unhelpful(memories),
    )
    return tuple(ranking.fair_shares(lists, limit, key=lambda group: (group.reason, group.refs)))


def _uncited(
    episodes: Sequence[EpisodeView], memories: Sequence[MemoryView]
) -> tuple[EpisodeView, ...]:
    spans: dict[str, list[tuple[float, float]]] = {}
    named = set()
    for text in chain.from_iterable(memory.evidence for memory in memories):
        try:
            ref = refs.parse(text)
        except InvalidInput:
            continue
        named.add(str(ref))
        if ref.kind == "trajectory":
            whole = (1, float("inf"))
            span = whole if ref.first is None else (ref.first, ref.last or ref.first)
            spans.setdefault(ref.id, []).append(span)

    def cited(one: EpisodeView) -> bool:
        overlaps = (a <= one.last and one.first <= b for a, b in spans.get(_session(one), ()))
        return one.ref in named or any(overlaps)

    return tuple(sorted((e for e in episodes if not cited(e)), key=lambda e: e.ref))


def _session(episode: EpisodeView) -> str:
    return episode.ref.partition(":")[2].partition(".")[0]


def _recurring(episodes: Sequence[EpisodeView]) -> list[Group]:
    """Episodes of several sessions that share an error, a goal, or a command mended."""
    shared: dict[tuple[str, ...], list[str]] = {}
    about: dict[tuple[str, ...], str] = {}
    support: dict[tuple[str, ...], int] = {}
    for token, met in chain(_by_error(episodes), _by_command(episodes), _by_goal(episodes)):
        sessions = {_session(one) for one in met}
        if len(sessions) >= QUORUM:
            key = tuple(one.ref for one in met[:MOST_REFS])
            shared.setdefault(key, []).append(token)
            about.setdefault(key, next((one.goal for one in met if one.goal), token))
            support[key] = len(sessions)
    ordered = sorted(shared, key=lambda key: (-support[key], -len(shared[key]), key))
    whole = [key for i, key in enumerate(ordered) if not _covered(key, ordered[:i])]
    return [
        Group(
            reason="recurring",
            refs=key,
            shared=tuple(dict.fromkeys(shared[key]))[:MOST_SHARED],
            about=" ".join(about[key].split())[:160],
        )
        for key in whole
    ]


def _covered(key: Sequence[str], others: Iterable[Sequence[str]]) -> bool:
    return any(set(key) <= set(other) for other in others)


Bucket = tuple[str, Sequence[EpisodeView]]


def _by_error(episodes: Sequence[EpisodeView]) -> Iterator[Bucket]:
    buckets: dict[str, dict[str, EpisodeView]] = {}
    told: dict[str, str] = {}
    for one in episodes:
        for error in one.errors:
            mark = signature(error)
            told.setdefault(mark, " ".join(error.split())[:120])
            buckets.setdefault(mark, {})[one.ref] = one
    yield from ((told[mark], tuple(met.values())) for mark, met in buckets.items() if mark)


def _by_command(episodes: Sequence[EpisodeView]) -> Iterator[Bucket]:
    """Commands with which one episode failed and a later one went well."""
    buckets: dict[str, dict[str, EpisodeView]] = {}
    for one in episodes:
        for command in one.commands:
            buckets.setdefault(_invocation(command), {})[one.ref] = one
    for mark, met in buckets.items():
        ordered = sorted(met.values(), key=lambda one: (one.at is None, str(one.at), one.ref))
        outcomes = [one.outcome for one in ordered if one.outcome is not Outcome.UNKNOWN]
        if mark and any(
            pair == (Outcome.FAILURE, Outcome.SUCCESS) for pair in combinations(outcomes, 2)
        ):
            decided = (one for one in ordered if one.outcome is not Outcome.UNKNOWN)
            yield mark, tuple(decided)


def _by_goal(episodes: Sequence[EpisodeView]) -> Iterator[Bucket]:
    """Episodes that edited the same file towards a goal in similar words."""
    buckets: dict[str, list[EpisodeView]] = {}
    for one in episodes:
        for path in dict.fromkeys(one.files):
            buckets.setdefault(path, []).append(one)
    for path, met in buckets.items():
        rest = met[:MOST_BUCKET]
        while len(rest) >= QUORUM:
            first, wanted = rest[0], _goal_words(rest[0])
            near = [
                one for one in rest if one is first or _overlap(wanted, _goal_words(one)) >= ALIKE
            ]
            yield path, tuple(near)
            rest = [one for one in rest if one not in near]


def _goal_words(episode: EpisodeView) -> frozenset[str]:
    return frozenset(_LETTERS.findall(episode.goal.casefold()))


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(1, len(left | right))


def signature(error: str) -> str:
    """An error line without what changes from run to run: numbers, ids, folders."""
    return " ".join(_VOLATILE.sub("*", error).split()).casefold()[:160]


def _invocation(command: str) -> str:
    """The program and its subcommand: the words before the first option, path or value."""
    plain = []
    for token in command.split()[:3]:
        if not re.fullmatch(r"[A-Za-z][\w-]*", token):
            break
        plain.append(token)
    return " ".join(plain[:2])


def _alike(
    memories: Sequence[MemoryView], similar: Sequence[tuple[str, str, float]]
) -> list[Group]:
    known = {memory.ref: memory for memory in memories}
    pairs = sorted(similar, key=lambda pair: (-pair[2], pair[:2]))
    return [
        _pair("duplicates", known[a], known[b], ())
        for a, b, near in pairs
        if near >= CLOSE and a in known and b in known and a != b
    ]


def _contradictions(memories: Sequence[MemoryView]) -> list[Group]:
    """Memories of one kind that give the same name, in the same words, another value."""
    holders: dict[
        tuple[str, str, str], list[tuple[MemoryView, frozenset[str], frozenset[str]]]
    ] = {}
    for memory in sorted(memories, key=lambda memory: memory.ref):
        for name, sort, values, others in _values(memory.text):
            holders.setdefault((memory.kind.value, name, sort), []).append((memory, values, others))
    found: dict[tuple[str, str], Group] = {}
    clashes: Counter[tuple[str, str]] = Counter()
    for (_, name, _), held in sorted(holders.items(), key=lambda item: item[0]):
        for (a, left, words), (b, right, others) in combinations(held[:MOST_BUCKET], 2):
            if a.ref != b.ref and not left & right and words & others:
                told = (name, *sorted(left), *sorted(right))
                found.setdefault((a.ref, b.ref), _pair("contradiction", a, b, told))
                clashes[a.ref, b.ref] += 1
    return [found[key] for key in sorted(found, key=lambda key: (-clashes[key], key))]


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


def _unhelpful(memories: Sequence[MemoryView]) -> list[Group]:
    """Memories that were used often enough and helped less than half of the time."""
    against = [memory for memory in memories if is_unhelpful(memory.used, memory.succeeded)]
    against.sort(key=lambda memory: (memory.succeeded / memory.used, -memory.used, memory.ref))
    return [
        Group(
            reason="unhelpful",
            refs=(memory.ref,),
            shared=(f"used {memory.used}", f"succeeded {memory.succeeded}"),
            about=_title(memory),
        )
        for memory in against
    ]


def _pair(
    reason: Literal["duplicates", "contradiction"],
    a: MemoryView,
    b: MemoryView,
    shared: tuple[str, ...],
) -> Group:
    both = [name for name in identifiers.names(a.text) if name in identifiers.names(b.text)]
    return Group(
        reason=reason,
        refs=(a.ref, b.ref),
        shared=(shared or tuple(both))[:MOST_SHARED],
        about=f"{_title(a)} | {_title(b)}",
    )


def _title(memory: MemoryView) -> str:
    return memory.title or " ".join(memory.text.split())[:80]
