"""The gate: whether a memory may enter, from its evidence alone; and which standing it has."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mcp_memory.domain.models import (
    Draft,
    Frozen,
    MemoryKind,
    Outcome,
    Resemblance,
    SourceClass,
    Standing,
)
from mcp_memory.text import identifiers

QUORUM = 2
"""Sessions that must bear out what is not the user's own statement."""
SAME, CLOSE = 0.95, 0.85
"""Cosine from which a neighbour is a duplicate, and from which it is named."""

_QUOTED = re.compile(r"\"([^\"\n]{2,200})\"|`([^`\n]{2,200})`|\u201c([^\u201d\n]{2,200})\u201d")
NUMBER = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?=[A-Za-z%]{0,3}(?!\w))")
_LISTED = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)


class Cited(Frozen):
    """What one piece of evidence says, as the store holds it."""

    ref: str
    """As the draft spelled it."""
    session: str
    """Trajectory id of its root session: sub-agents count with their parent, copies once."""
    live: bool
    text: str
    """All words of the span, tool outputs whole."""
    source: SourceClass = SourceClass.EXTERNAL
    outcome: Outcome = Outcome.UNKNOWN


class Neighbour(Resemblance):
    """A resembling memory whose kind is known; a plain `Resemblance` counts as of the same kind."""

    kind: MemoryKind


class Admit(Frozen):
    """The draft may enter; `notes` say what it lacks or resembles."""

    standing: Standing
    notes: tuple[str, ...] = ()


class Refuse(Frozen):
    """The draft may not enter; one line a fault."""

    reasons: tuple[str, ...]


Verdict = Admit | Refuse


def judge(
    draft: Draft, cited: Sequence[Cited], neighbours: Sequence[Resemblance] = (), *, strict: bool
) -> Verdict:
    """Whether a draft may enter, and with which standing.

    With `strict` any fault refuses (consolidation). Without it only evidence that does not exist
    and quotes that are not there refuse (retain); what else is missing makes a candidate.
    """
    live = [each for each in cited if each.live]
    broken = [*_missing(draft, live), *_misquoted(draft, live)]
    lacking = [
        *_quorum(live),
        *_unborne(draft, live),
        *_unconditioned(draft),
        *_duplicates(draft, neighbours),
    ]
    if broken or (strict and lacking):
        return Refuse(reasons=(*broken, *lacking) if strict else tuple(broken))
    standing = Standing.CANDIDATE if lacking else Standing.ESTABLISHED
    return Admit(standing=standing, notes=(*lacking, *_remarks(draft, live, neighbours)))


def claims(text: str) -> tuple[str, ...]:
    """The checkable parts of a text: quoted strings, paths, symbols, error codes, numbers.

    Markers of numbered lists are none.
    """
    quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
    numbers = NUMBER.findall(_LISTED.sub(" ", text))
    return tuple(dict.fromkeys((*quoted, *identifiers.names(text), *numbers)))


def _missing(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    known = {each.ref for each in live}
    for claim in draft.evidence:
        if claim.ref not in known:
            yield f"Evidence {claim.ref} does not exist, or is no longer live."


def _misquoted(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    said = {each.ref: _folded(each.text) for each in live}
    for claim in draft.evidence:
        if claim.ref in said and _folded(claim.quote) not in said[claim.ref]:
            yield f"The quote {claim.quote[:80]!r} does not occur in {claim.ref}."


def _quorum(live: Sequence[Cited]) -> Iterator[str]:
    sessions = {each.session for each in live}
    users_own = bool(live) and all(each.source is SourceClass.USER for each in live)
    if not users_own and len(sessions) < QUORUM:
        yield (
            f"Its evidence is from {len(sessions)} live sessions; {QUORUM} are needed, "
            "or the user's own step for what the user said."
        )


def _unborne(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    """Each checkable part that occurs nowhere in the evidence, by name."""
    if not live:
        return
    said = _folded("\n".join(each.text for each in live))
    for claim in claims(f"{draft.title}\n{draft.text}\n{draft.when_to_use}"):
        if not _occurs(_folded(claim), said):
            yield f"{claim[:80]!r} occurs nowhere in the evidence."


def _unconditioned(draft: Draft) -> Iterator[str]:
    conditional = draft.kind in {MemoryKind.PROCEDURE, MemoryKind.GOTCHA}
    if conditional and not draft.when_to_use.strip():
        yield f"A {draft.kind.value} needs when_to_use."


def _duplicates(draft: Draft, neighbours: Iterable[Resemblance]) -> Iterator[str]:
    for near in neighbours:
        kind = near.kind if isinstance(near, Neighbour) else draft.kind
        if near.similarity >= SAME and kind is draft.kind and near.ref != draft.supersedes:
            yield f"{near.ref} says the same ({near.similarity:.2f}); supersede it or drop this."


def _remarks(
    draft: Draft, live: Sequence[Cited], neighbours: Iterable[Resemblance]
) -> Iterator[str]:
    told = {each.outcome for each in live} - {Outcome.UNKNOWN}
    if draft.kind is MemoryKind.PROCEDURE and told == {Outcome.FAILURE}:
        yield "None of its evidence went well."
    same = set(_duplicates(draft, neighbours))
    for near in neighbours:
        if near.similarity >= CLOSE and not any(line.startswith(near.ref) for line in same):
            yield f"It resembles {near.ref} ({near.similarity:.2f})."


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _occurs(claim: str, said: str) -> bool:
    """Whether a folded claim stands in folded text and is no mere piece of a longer word."""
    spellings = dict.fromkeys((claim, claim.replace(",", "")) if claim[:1].isdigit() else (claim,))
    for spelling in spellings:
        # A number may carry a unit behind it, but no digit.
        after = r"(?!\d|\.\d)" if spelling[:1].isdigit() else r"(?!\w)"
        before = r"(?<!\w)(?<!\d\.)" if spelling[:1].isalnum() else ""
        tail = after if spelling[-1:].isalnum() and spelling.isascii() else ""
        pattern = before * spelling.isascii() + re.escape(spelling) + tail
        if spelling in said and re.search(pattern, said):
            return True
    return False
