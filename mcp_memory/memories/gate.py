"""The gate: whether a memory may enter, from its evidence alone; and which standing it has."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from mcp_memory.domain import validity
from mcp_memory.domain.models import (
    Draft,
    Frozen,
    Memory,
    MemoryKind,
    Outcome,
    Resemblance,
    SourceClass,
    Standing,
    State,
)
from mcp_memory.memories import bearing, faults, likeness, users_word
from mcp_memory.memories.likeness import CLOSE
from mcp_memory.text import cutting, powers
from mcp_memory.text.counting import counted

QUORUM = 2
"""Sessions that must bear out what is not the user's own statement."""


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
    echo: bool = False
    """Whether the draft's words are those of a file or a page that was read in any session."""
    did: frozenset[str] = frozenset()
    """Powers that commands used in it and went well with, on nobody else's word."""
    users_word: bool = False
    """Whether a step of the user in it says the draft, word for word."""
    flags: tuple[str, ...] = ()
    """What the guard noticed in it."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    """When its steps were made, as far as their host said."""


class Neighbour(Resemblance):
    """A resembling memory whose kind is known; a plain `Resemblance` counts as of the same kind."""

    kind: MemoryKind
    text: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


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
    against = tuple(_against(draft, neighbours))
    lacking = [
        *(() if users_own else _alone(draft, live)),
        *(() if users_own else _given(draft, live)),
        *_unborne(draft, live),
        *_unconditioned(draft),
        *against,
    ]
    if broken or (strict and lacking):
        return Refuse(reasons=(*broken, *lacking) if strict else tuple(broken))
    stands = users_own or not lacking
    standing = Standing.ESTABLISHED if stands else Standing.CANDIDATE
    return Admit(standing=standing, notes=(*lacking, *_remarks(draft, live, neighbours, against)))


def _missing(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    known = {each.ref for each in live}
    for claim in draft.evidence:
        if claim.ref not in known:
            yield f"Evidence {claim.ref} does not exist, or is no longer live."


def _misquoted(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    said = {each.ref: bearing.fold(each.text) for each in live}
    for claim in draft.evidence:
        if claim.ref in said and bearing.fold(claim.quote) not in said[claim.ref]:
            yield f"The quote {cutting.head(claim.quote, 80)!r} does not occur in {claim.ref}."


def _alone(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    """What is not the user's own word needs others that bear it out."""
    yield from _quorum(draft, live)
    own = "cite the user's step and say it in the user's own words"
    if users_word.about_user(f"{draft.title}\n{draft.text}"):
        yield f"It says what the user said or wants, and no step of the user's says so: {own}."
    if draft.project == "user":
        yield f"It is for every project, which only the user's word carries: {own}, or name one."


def _given(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    """Power that a draft gives away and nobody bore out."""
    if left := unborne_powers(draft, live):
        yield (
            f"It gives power away ({', '.join(left)}): only the user's own words bear that out, or "
            f"commands in {QUORUM} sessions that did so, went well, and were taken from no file or page."
        )


def unborne_powers(draft: Draft, live: Sequence[Cited]) -> tuple[str, ...]:
    """The powers that a draft gives away beyond what was done in two root sessions."""
    given = powers.held(f"{draft.title}\n{draft.text}\n{draft.when_to_use}\n{draft.not_when}")
    if not given:
        return ()
    did: dict[str, set[str]] = {}
    for each in live:
        did.setdefault(each.session, set()).update(each.did)
    return tuple(k for k in given if sum(k in done for done in did.values()) < QUORUM)


def _quorum(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    told = f"{draft.title}\n{draft.text}"
    bearing_it = [each for each in live if bearing.touches(told, each.text)]
    if beside := [each.ref for each in live if each not in bearing_it]:
        yield f"{' '.join(beside)} shows nothing of it and does not count: cite what does."
    sessions = {each.session for each in bearing_it}
    if len(sessions) < QUORUM:
        yield (
            f"Its evidence is from {counted(len(sessions), 'live session')}; {QUORUM} are needed, "
            "or the user's own words in a step of the user. Sub-agents and copies count with "
            "the session that they come from."
        )
    elif sources(draft, live) < QUORUM:
        yield (
            "Its evidence is one source: the same file or page was read each time. Cite steps "
            "that show it in another way, such as a command that was run."
        )
    elif all((each.read or each.echo) and not _shown(draft, each) for each in live):
        yield "Only files and pages that were read say so: cite steps in which it was done or seen."


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
    alike = bool(one.read & other.read) or (one.echo and other.echo)
    return alike and not (_shown(draft, one) and _shown(draft, other))


def _shown(draft: Draft, cited: Cited) -> bool:
    """Whether a span bears a draft out by what was done in it, without what was read."""
    return bearing.shown(draft.text, cited.text if cited.own is None else cited.own)


def _unborne(draft: Draft, live: Sequence[Cited]) -> Iterator[str]:
    """What the evidence does not hold, by name; and what of it the draft leaves out."""
    if bearing.says_nothing(draft.text):
        yield "It names nothing that could be looked up: say what, where and how."
    if not live:
        return
    said = [each.text for each in live]
    told = f"{draft.title}\n{draft.text}\n{draft.when_to_use}"
    made_up = [
        f"{cutting.head(claim, 80)!r} occurs nowhere in the evidence, or not of this."
        for claim in dict.fromkeys(
            (*bearing.unborne(told, said), *bearing.unsaid(draft.text, said))
        )
    ]
    yield from made_up
    if not made_up:
        for sentence in bearing.unrelated(draft.text, said):
            about = cutting.head(sentence, 80)
            yield f"The evidence is about something else than {about!r}: cite what shows it."
    if bearing.only_fails(draft.text):
        yield "It says that something fails, and not how: put the error into it, as it was printed."
    elif dropped := faults.untold(told, said):
        yield f"All of its evidence met {dropped!r}: name it, for it is searched by that."
    for each in live:
        if each.flags:
            yield f"{each.ref} holds instructions ({', '.join(each.flags)}): cite other steps."


def _unconditioned(draft: Draft) -> Iterator[str]:
    conditional = draft.kind in {MemoryKind.PROCEDURE, MemoryKind.GOTCHA}
    if conditional and not bearing.tells_situation(draft.when_to_use):
        yield f"A {draft.kind.value} needs when_to_use: in words, the situation that calls for it."


def _against(draft: Draft, neighbours: Iterable[Resemblance]) -> Iterator[str]:
    """Neighbours that say the same, and such that say otherwise."""
    for near in neighbours:
        known = near if isinstance(near, Neighbour) else None
        if near.ref == draft.supersedes or (known and known.kind is not draft.kind):
            continue
        if known and validity.apart(draft, known):
            continue
        text = known.text if known else ""
        if near.similarity >= CLOSE and text and (how := likeness.otherwise(draft.text, text)):
            yield (
                f"{near.ref} says otherwise ({how}): give supersedes={near.ref} if this replaces "
                "it, or say in both when each holds."
            )
        elif likeness.restates(draft.text, text, near.similarity):
            yield f"{near.ref} says the same ({near.similarity:.2f}); supersede it or drop this."


def collapsed(memory: Memory, kept: Sequence[Draft]) -> tuple[str, ...]:
    """What an established memory that is to be retired says, and nothing that is kept says."""
    if memory.standing is not Standing.ESTABLISHED or memory.state is not State.LIVE:
        return ()
    told = bearing.fold("\n".join(f"{d.title}\n{d.text}\n{d.when_to_use}" for d in kept))
    lost = [c for c in bearing.claims(memory.text) if not bearing.occurs(bearing.fold(c), told)]
    if not lost and bearing.shown(memory.text, told):
        return ()
    said = " ".join(lost) or " ".join(memory.text.split())
    lacks = (
        f"{memory.ref} is established, and nothing that is kept says {cutting.head(said, 120)!r}"
    )
    return (f"{lacks}: put it into the text, or leave the memory; `delete` forgets what is wrong.",)


def _remarks(
    draft: Draft,
    live: Sequence[Cited],
    neighbours: Iterable[Resemblance],
    against: Sequence[str],
) -> Iterator[str]:
    told = {each.outcome for each in live} - {Outcome.UNKNOWN}
    if draft.kind is MemoryKind.PROCEDURE and told == {Outcome.FAILURE}:
        yield "None of its evidence went well."
    for near in neighbours:
        if near.similarity >= CLOSE and not any(line.startswith(near.ref) for line in against):
            yield f"It resembles {near.ref} ({near.similarity:.2f})."
