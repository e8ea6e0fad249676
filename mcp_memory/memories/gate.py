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
from mcp_memory.memories import users_word
from mcp_memory.text import identifiers, wording

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
    own: str | None = None
    """The words without what was only read there; None: all of them."""
    read: frozenset[str] = frozenset()
    """Digests of the files and pages that were read there."""
    users_word: bool = False
    """Whether a step of the user in it says the draft, word for word."""
    flags: tuple[str, ...] = ()
    """What the guard noticed in it."""


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
    draft: Draft,
    cited: Sequence[Cited],
    neighbours: Sequence[Resemblance] = (),
    *,
    strict: bool,
    by: SourceClass = SourceClass.AGENT,
) -> Verdict:
    """Whether a draft may enter, and with which standing; what the user types stands at once.

    With `strict` any fault refuses (consolidation). Without it only evidence that does not exist
    and quotes that are not there refuse (retain); what else is missing makes a candidate.
    """
    live = [each for each in cited if each.live]
    broken = [*_missing(draft, live), *_misquoted(draft, live)]
    users_own = by is SourceClass.USER or any(each.users_word for each in live)
    lacking = [
        *(() if users_own else _alone(draft, live)),
        *_unborne(draft, live),
        *_unconditioned(draft),
        *_duplicates(draft, neighbours),
    ]
    if broken or (strict and lacking):
        return Refuse(reasons=(*broken, *lacking) if strict else tuple(broken))
    stands = users_own or not lacking
    standing = Standing.ESTABLISHED if stands else Standing.CANDIDATE
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


def _alone(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    """What is not the user's own word needs others that bear it out."""
    yield from _quorum(draft, live)
    own = "cite the user's step and say it in the user's own words"
    if users_word.about_user(f"{draft.title}\n{draft.text}"):
        yield f"It says what the user said or wants, and no step of the user's says so: {own}."
    if draft.project == "user":
        yield f"It is for every project, which only the user's word carries: {own}, or name one."


def _quorum(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    sessions = {each.session for each in live}
    if len(sessions) < QUORUM:
        yield (
            f"Its evidence is from {len(sessions)} live sessions; {QUORUM} are needed, "
            "or the user's own words in a step of the user. Sub-agents and copies count with "
            "the session that they come from."
        )
    elif sources(draft, live) < QUORUM:
        yield (
            "Its evidence is one source: the same file or page was read each time. Cite steps "
            "that show it in another way, such as a command that was run."
        )


def sources(draft: Draft, live: Sequence[Cited]) -> int:
    """How many independent sources bear a draft out.

    Two sessions that read the same text are one, unless each shows the draft without that text.
    """
    groups: list[list[Cited]] = []
    for each in live:
        joined = [group for group in groups if any(_one_source(draft, each, g) for g in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([each, *(one for group in joined for one in group)])
    return len(groups)


def _one_source(draft: Draft, one: Cited, other: Cited) -> bool:
    if one.session == other.session:
        return True
    alike = bool(one.read & other.read)
    return alike and not (_shown(draft, one) and _shown(draft, other))


def _shown(draft: Draft, cited: Cited) -> bool:
    """Whether a span bears a draft out by what was done in it, without what was read."""
    own = _folded(cited.text if cited.own is None else cited.own)
    made = claims(draft.text)
    if made:
        return all(_occurs(_folded(claim), own) for claim in made)
    words = [word.casefold() for word in wording.informative(draft.text)]
    return bool(words) and sum(word in own for word in words) * 2 > len(words)


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
