"""The plan: what may deserve a memory and which memories deserve a second look, ordered by worth; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from mcp_memory.domain import refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Group
from mcp_memory.memories import clashes, mended, recurring, settled
from mcp_memory.memories.experience import Known, MemoryView, Offer

LEAST_WORTH = 1.5
"""What a proposal must be worth: a plan need not fill its limit."""
NARROW = 20
"""Steps of a cited span up to which what it shows counts as known."""
SOUGHT, MOST_SOUGHT = 0.5, 4
"""What a search counts that found its steps, and how many count: as much as two sessions at most."""
SHARE = 0.9
"""What a proposal is still worth after each other of its reason: no reason crowds out the others."""


def plan(
    known: Known,
    *,
    about: Sequence[str] = (),
    limit: int = 12,
) -> tuple[Group, ...]:
    """What the host may want to look at, at most `limit` proposals, those of most worth first.

    What a memory cites already is left out. `about`: refs, files or words; only what touches each of
    them is offered.
    """
    offers = [_sought(one, known) for one in _offers(known) if all(_touches(one, a) for a in about)]
    cited = list(_cited(known.memories))
    worthy = (one for one in offers if one.worth >= LEAST_WORTH)
    fresh = [one for one in worthy if not any(_is_known(one, span) for span in cited)]
    return tuple(one.group for one in _by_worth(fresh)[:limit])


def _offers(known: Known) -> Iterator[Offer]:
    by_id = {session.id: session for session in known.sessions}
    return chain(
        clashes.pairs(known.memories, known.similar),
        clashes.unhelpful(known.memories),
        mended.errors(known.sessions),
        mended.commands(known.sessions, known.lines),
        settled.corrections(by_id, known.said),
        settled.decisions(known.sessions),
        recurring.facts(by_id, known.said),
        recurring.contrasts(known.sessions),
    )


def _sought(one: Offer, known: Known) -> Offer:
    """The proposal with how often its steps were searched for, which it is worth more for."""
    times = sum(
        count
        for session in {point.session.id for point in one.points}
        for first, last, count in known.sought.get(session, ())
        if any(p.session.id == session and first <= (p.mended or p.step) and p.step <= last
               for p in one.points)
    )  # fmt: skip
    if not times:
        return one
    support = one.group.support.model_copy(update={"sought": times})
    worth = one.worth + SOUGHT * min(times, MOST_SOUGHT)
    return replace(one, worth=worth, group=one.group.model_copy(update={"support": support}))


def _by_worth(offers: Iterable[Offer]) -> list[Offer]:
    """Best first; each next one of a reason counts a little less, and what is offered twice once."""
    once: dict[str, Offer] = {}
    for one in sorted(offers, key=lambda one: (-one.worth, one.group.id)):
        once.setdefault(one.group.id, one)
    places: dict[str, int] = {}
    weighed = []
    for one in once.values():
        place = places.setdefault(one.group.reason, 0)
        places[one.group.reason] = place + 1
        weighed.append((-one.worth * SHARE**place, one.group.id, one))
    return [one for *_, one in sorted(weighed, key=lambda each: each[:2])]


def _cited(memories: Iterable[MemoryView]) -> Iterator[tuple[str, int, int]]:
    """Session, first and last step of short spans that memories cite; whole sessions say too little."""
    for text in chain.from_iterable(memory.evidence for memory in memories):
        try:
            ref = refs.parse(text)
        except InvalidInput:
            continue
        if ref.kind == "trajectory" and ref.first is not None:
            last = ref.last or ref.first
            if last - ref.first < NARROW:
                yield ref.id, ref.first, last


def _is_known(one: Offer, span: tuple[str, int, int]) -> bool:
    session, first, last = span
    return any(
        point.session.id == session and first <= (point.mended or point.step) and point.step <= last
        for point in one.points
    )


def _touches(one: Offer, wanted: str) -> bool:
    """Whether a proposal is about a ref, a file, or words of an error."""
    folded = wanted.strip().casefold()
    told = " ".join((one.group.about, *one.group.shared, *(p.told for p in one.points))).casefold()
    path = folded.replace("\\", "/").strip("/")
    in_file = any(path == name or name.endswith(f"/{path}") or f"/{path}/" in f"/{name}"
                  for name in (file.replace("\\", "/").casefold() for file in one.files))  # fmt: skip
    return folded in told or in_file or _names(one, wanted) or _in_words(folded, told)


def _names(one: Offer, wanted: str) -> bool:
    try:
        ref = refs.parse(wanted)
    except InvalidInput:
        return False
    if str(ref) in one.group.refs:
        return True
    first, last = ref.first or 1, ref.last or ref.first or 10**9
    return ref.kind in {"trajectory", "episode"} and any(
        p.session.id == ref.id and (ref.kind == "episode" or first <= (p.mended or p.step))
        and p.step <= last
        for p in one.points
    )  # fmt: skip


def _in_words(wanted: str, told: str) -> bool:
    words = [word for word in wanted.split() if len(word) > 2]  # noqa: PLR2004
    return len(words) > 1 and sum(word in told for word in words) * 3 >= 2 * len(words)
