"""Sequel: whether what a session tells was taken back or borne out soon after, in the words of who did."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mcp_memory.domain import refs
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import SourceClass, State
from mcp_memory.rooms import Rooms
from mcp_memory.search import passages, withholding
from mcp_memory.search.candidates import Candidate
from mcp_memory.search.telling import Told
from mcp_memory.store.rows import EvidenceRow
from mcp_memory.text import guard
from mcp_memory.trajectories import episodes, evidence

AHEAD = 48
"""How many steps after the one that tells are looked through."""
TURNS = 2
"""How many requests after it may take it back."""
LAST = 3
"""Of so many steps before the next request one answers it."""
AT_ONCE = 2
"""Only the next step, or the next but one, bears out what is told."""
MOST_ASKED, CHARS = 200, 80
"""A longer request asks for something else; and how much of one, and of its answer, is told."""
LEAST = 25
"""Sentences below that (`Done.`, `Perfect!`) tell nothing where another follows."""
_BACK = re.compile(
    r"\b(?:revert\w*|undo\w*|undid|roll(?:ed|ing)? ?back|back(?:ed)? out|cancel\w*|no longer|instead(?! of)"
    r"|(?:did|does)(?:n'?t| not) work|(?:is|are|was|were|that'?s) (?:wrong|not (?:what|right|needed))"
    r"|never ?mind|(?:take|taken) (?:it )?out|(?:drop|remove) (?:it|that|this)|put (?:it|that) back)\b",
    re.IGNORECASE,
)
"""Words that take something back. English: of other languages nothing is said."""
_BORNE_OUT = re.compile(
    r"\W*(?:(?:ok(?:ay)?|ye[sap]h?|yep|great|nice|cool|perfect|awesome|excellent|good|thanks?|thank you|wow"
    r"|om\w*|a+h+|o+h+|ha\w*|lol|damn|super|now|and|so)\W+){0,3}"
    r"(?:that'?s it(?! for)|that (?:did it|fixed it|was it|worked)|(?:it|this|that|all) works|works"
    r"|(?:it'?s|that'?s|it is) (?:fixed|solved)|(?:fixed|solved|confirmed)"
    r"|yes|go ahead|do (?:it|that|this)|please do|sounds good|looks good|lgtm|let'?s do (?:it|that|this))\b",
    re.IGNORECASE,
)
"""A request that begins so agrees to what stands right before it, or says that it is right. English."""
_DOUBTED = re.compile(
    r"\?|n't\b|\b(?:not|no|but|if|until|once|still|except|instead)\b", re.IGNORECASE
)
"""Words that bear something out, and those beside which they do not."""
FRAME = 11
"""`,"later":[]` in an answer's JSON."""
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")
_MARKS = "#>*-+ \t"
_PLACED = ("key", "first", "source", "state")
_ANSWERED = ("key", "kind", "trajectory", "first", "source", "text", "flags", "paths", "body")


@dataclass(frozen=True, slots=True)
class Sequel:
    """Requests that took something back in a session or bore it out, and the answers, a line each."""

    session: str = ""
    lines: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The bytes that it takes of an answer's JSON."""
        return sum(len(json.dumps(line)) + 1 for line in self.lines) + FRAME * bool(self.lines)

    def beside(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, the first of its session with it."""
        at = next((n for n, hit in enumerate(hits) if refs.session_of(hit.ref) == self.session), -1)
        return [
            hit.model_copy(update={"later": (*hit.later, *self.lines)}) if n == at else hit
            for n, hit in enumerate(hits)
        ]


NOTHING = Sequel()


async def of(rooms: Rooms, chosen: Sequence[Candidate], told: Sequence[Told]) -> Sequel:
    """What took back, or bore out, what the session that tells most of a question tells; often nothing.

    Only the record with the most telling passage of the session whose records rank highest together
    is followed. A plan, a fix or an answer that the user had undone two requests later is no answer;
    of several guesses the one is, after which the user wrote "that's it".
    """
    best = _best(chosen, told)
    if best is None:
        return NOTHING
    row = chosen[best].row
    assert isinstance(row, EvidenceRow)
    keys = [refs.span(row.trajectory, row.first + n) for n in range(1, AHEAD + 1)]
    after = await rooms.store.briefs(keys, _PLACED)
    live = sorted(
        (one for one in after if one.state == State.LIVE.value), key=lambda one: one.first
    )
    # Of so many steps only the requests are read: words are half of what a row costs.
    turns = [row.key for row in live if _asks(row)][:TURNS]
    said = await rooms.store.briefs(turns, ("key", "text")) if turns else []
    trusting = rooms.trusting()
    lines: list[str] = []
    bearing = _bearing_on(
        live, {row.key: row.text for row in said}, answered=episodes.asks(row.text)
    )
    for asked, words, answering in bearing:
        lines.append(_line(asked, "user", _bearing(words)))
        # No keys are no filter.
        whole = await rooms.store.briefs(answering, _ANSWERED) if answering else []
        told_by = sorted(
            (one for one in whole if not withholding.of_row(one, trusting)),
            key=lambda one: -one.first,
        )
        begun = ((one, _begun(evidence.step_of(one, {}).text)) for one in told_by)
        lines += [_line(one, "agent", words) for one, words in begun if words][:1]
    return Sequel(row.trajectory, tuple(lines))


def _line(row: EvidenceRow, who: str, words: str) -> str:
    return f"#{row.first} {who}: {guard.neutralise(passages.one_line(words, CHARS))}"


def _best(chosen: Sequence[Candidate], told: Sequence[Told]) -> int | None:
    """The record with the most telling passage of the session that ranks highest; no memory."""
    totals: dict[str, float] = {}
    for one in chosen:
        if one.session:
            totals[one.session] = totals.get(one.session, 0.0) + one.rank
    first: dict[str, int] = {}
    for each in told:
        first.setdefault(chosen[each.record].session, each.record)
    known = [session for session in totals if session in first]
    return first[max(known, key=lambda session: totals[session])] if known else None


def _asks(row: EvidenceRow) -> bool:
    return row.source == SourceClass.USER.value


def _bearing_on(
    after: Sequence[EvidenceRow], said: Mapping[str, str], *, answered: bool = False
) -> Iterator[tuple[EvidenceRow, str, list[str]]]:
    """Of the next requests those that take something back, with the keys of what may answer each.

    What follows at once also where it bears out what was told, or is `answered` by it.
    """
    asked = [at for at, row in enumerate(after) if _asks(row)]
    for start, end in [*pairwise([*asked, len(after)])][:TURNS]:
        whole = said.get(after[start].key, "")
        words = whole.strip()
        if len(words) <= MOST_ASKED and _BACK.search(words):
            yield after[start], whole, [row.key for row in after[start + 1 : end][-LAST:]]
        elif start < AT_ONCE and (bears_out(words) or (answered and len(words) <= MOST_ASKED)):
            yield after[start], whole, []


def bears_out(words: str) -> bool:
    """Whether a request agrees to what came before it, or says that it is right or works."""
    return _BORNE_OUT.match(words) is not None and not _DOUBTED.search(words[:CHARS])


def _bearing(words: str) -> str:
    """A request, or the sentence of it that takes something back where its beginning does not."""
    found = _BACK.search(words)
    if found is None or found.end() <= CHARS:
        return words
    return next(one for one in _SENTENCE.split(words) if _BACK.search(one))


def _begun(text: str) -> str:
    """The first sentence that says something."""
    every = [one for piece in _SENTENCE.split(text) if (one := piece.strip(_MARKS))]
    return next((one for one in every if len(one) >= LEAST), next(iter(every), ""))
