"""Citing: what the evidence of a draft says, span by span, and from which sessions and sources it is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from mcp_memory.domain import projects, refs
from mcp_memory.domain.errors import InvalidInput, UnknownRef
from mcp_memory.domain.models import Draft, Evidence, Outcome, SourceClass, Step
from mcp_memory.memories import bearing, users_word
from mcp_memory.memories.gate import Cited
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.search.spans import Span
from mcp_memory.store.rows import PUSHED, Where
from mcp_memory.text import powers, shingles, wording
from mcp_memory.trajectories import calls, evidence, holding, verdicts
from mcp_memory.trajectories.lineage import root_of
from mcp_memory.trajectories.origins import least_trusted, looks, sources

MOST_COMPARED = 16
"""Records with a draft's words that are looked at for whether outsiders wrote them first."""
LEAST_READ = 10
"""Characters of a file or a page, in two words, from which it is a source of its own: `npx -y x`."""


async def cite(rooms: Rooms, draft: Draft) -> tuple[Cited, ...]:
    """What a draft's evidence says, span by span; spans that do not exist come back as not live.

    Raises:
        InvalidInput: a ref is none of steps or of an episode.
    """
    cited = []
    links = await rooms.store.links() if draft.evidence else {}
    echo = bool(draft.evidence) and await echoes(rooms, draft.text, draft.project)
    for claim in draft.evidence:
        ref = refs.parse(claim.ref)
        if ref.kind not in {"trajectory", "episode"}:
            raise InvalidInput(
                f"{claim.ref} cannot be evidence.",
                next_step="Evidence is a span of steps, t:…#12-15, or an episode, e:….2.",
            )
        try:
            span = await spans.open_span(rooms, ref)
        except UnknownRef:
            cited.append(Cited(ref=claim.ref, session=ref.id, live=False, text=""))
            continue
        made = _cited(draft, claim, span, echo=echo)
        root = root_of(span.trajectory, links)
        told = _of_a_sender(made) if root.startswith(PUSHED) else made
        cited.append(told.model_copy(update={"session": root}))
    return tuple(cited)


def _of_a_sender(cited: Cited) -> Cited:
    """A span of a session that somebody brought: who typed it there is not known here."""
    source = SourceClass.AGENT if cited.source is SourceClass.USER else cited.source
    return cited.model_copy(update={"users_word": False, "source": source})


async def echoes(rooms: Rooms, text: str, project: str | None = None) -> bool:
    """Whether a text is made of the words of files and pages that were read in any session."""
    words = wording.content_words(text)
    where = Where(projects=() if project in (None, projects.USER) else (str(project),))
    found = await rooms.store.by_words(
        "evidence", words, column="text", where=where, limit=MOST_COMPARED
    )
    rows = await rooms.store.by_keys("evidence", [one.key for one in found]) if found else []
    outputs = await spans.outputs_of(rooms, rows)
    told = [row.text for row in rows if row.kind == "output" and row.source == "external"]
    steps = [evidence.step_of(row, outputs) for row in rows if row.kind == "step" and row.body]
    return shingles.repeats(text, [*told, *_read(steps)])


def _cited(draft: Draft, claim: Evidence, span: Span, *, echo: bool) -> Cited:
    """`echo`: the draft's words are outsiders': that an agent says them bears out nothing."""
    read = list(_read(span.steps))
    repeated = [t for s in span.steps if s.kind == "agent" for t in (s.text, s.reasoning) if t]
    own = _without(span.text, [*read, *(repeated if echo else ())])
    return Cited(
        ref=claim.ref,
        session=span.trajectory,
        echo=echo,
        live=True,
        text=span.text,
        source=_bearer(draft, span, own, echo=echo),
        outcome=_outcome(span),
        own=own,
        did=frozenset(_did(span)),
        read=frozenset(refs.short_digest(" ".join(text.split())) for text in read),
        users_word=_users_word(draft, claim, span.steps),
        flags=_flags(draft, span),
        first_at=min(_times(span), default=None),
        last_at=max(_times(span), default=None),
    )


def _times(span: Span) -> list[datetime]:
    return [row.at for row in span.rows if row.at is not None]


def _bearer(draft: Draft, span: Span, own: str, *, echo: bool) -> SourceClass:
    """The least trusted of those whose words bear a draft out; outsiders count where only they do."""
    if all(s.source is SourceClass.USER and s.kind != "system" for s in span.steps):
        return SourceClass.USER
    every = set(sources(span.steps))
    if bearing.shown(draft.text, own):
        every.discard(SourceClass.EXTERNAL)
    elif echo:
        return SourceClass.EXTERNAL
    elif _shows_as_much(draft.text, own, span.text):
        # A file was read on the way, and nothing that the draft says rests on it.
        every.discard(SourceClass.EXTERNAL)
    return least_trusted(every)


def _did(span: Span) -> Iterator[str]:
    """The powers that commands used here and went well with, none of them taken from outsiders."""
    taken = {row.first: holding.reasons(row.flags) for row in span.rows if row.kind == "step"}
    for made in calls.made(span.steps):
        verdict = verdicts.of(made)
        if made.call.command and verdict is not None and verdict.good:
            given = powers.judged(made.call.command)
            yield from (kind for kind in given if kind not in taken.get(made.step.number, ()))


def _users_word(draft: Draft, claim: Evidence, steps: Sequence[Step]) -> bool:
    said = [s.text for s in steps if s.kind == "user" and s.source is SourceClass.USER]
    said += [told for step in steps for told in users_word.chosen(step, draft.text)]
    told = "\n".join((draft.text, *said))
    fits = users_word.title_fits(draft.title, told)
    return fits and users_word.bears(said, draft.text, claim.quote)


def _outcome(span: Span) -> Outcome:
    """How the attempts that a span is of went; unknown where they went both ways."""
    told = Counter(row.outcome for row in span.rows)
    known = [one for one in told if one in {Outcome.SUCCESS.value, Outcome.FAILURE.value}]
    return Outcome(known[0]) if len(known) == 1 else Outcome.UNKNOWN


def _read(steps: Sequence[Step]) -> Iterator[str]:
    """Texts that were not made in this session: files and pages that were read, and pastes."""
    for step in steps:
        looked = {call.id for call in step.calls if call.command and looks(call.command)}
        for seen in step.observations:
            outside = seen.source is SourceClass.EXTERNAL or seen.call_id in looked
            if outside and _is_source(seen.text):
                yield seen.text
        if step.source is SourceClass.EXTERNAL and _is_source(step.text):
            yield step.text


def _is_source(text: str) -> bool:
    return len(text) >= LEAST_READ and len(text.split(maxsplit=1)) > 1


def _flags(draft: Draft, span: Span) -> tuple[str, ...]:
    """What the guard noticed in the steps that the draft rests on: without them less of it is shown.

    A step that says the draft in lines of their own, and gives something away in others, counts: a
    list of changes is long. That such lines share a name with a draft is not enough.
    """
    flagged = [row for row in span.rows if row.flags]
    rest = "\n".join(row.text for row in span.rows if not row.flags)
    if not flagged or (rest and _shows_as_much(draft.text, rest, span.text)):
        return ()
    if any(bearing.said_in(draft.text, _harmless(row.text)) for row in flagged):
        return ()
    return tuple(sorted({flag for row in flagged for flag in row.flags}))


def _harmless(text: str) -> list[str]:
    """The lines of a step that give nothing away; none where none tells why it is flagged."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [lines[place] for place in withholding.harmless(lines, lines)]


def _shows_as_much(text: str, rest: str, whole: str) -> bool:
    said, left = bearing.fold(whole), bearing.fold(rest)
    made = [bearing.fold(claim) for claim in bearing.claims(text)]
    lost = (c for c in made if bearing.occurs(c, said) and not bearing.occurs(c, left))
    return bearing.touches(text, rest) and next(lost, None) is None


def _without(text: str, read: Sequence[str]) -> str:
    for each in read:
        text = text.replace(each, "\n")
    return text
