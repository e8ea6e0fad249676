"""Recurring: facts told in two sessions, and goals that once failed and once were reached; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mcp_memory.domain.models import Outcome
from mcp_memory.memories.experience import Offer, Point, Said, SessionView, offer, roots
from mcp_memory.memories.gate import QUORUM
from mcp_memory.text import identifiers, wording
from mcp_memory.trajectories.entries import Attempt

SAME = 0.5
"""Share of telling words (Jaccard) from which two sentences state one fact."""
ALIKE = 0.35
"""The same of the words of two goals."""
LEAST_WORDS, MOST_WORDS = 5, 30
LEAST_PLAIN = 5
"""Words besides names that a statement has."""
MOST_BUCKET = 120
MOST_DIFFERENT = 4
_SENTENCES = re.compile(r"(?<=[.!?;:])\s+|\n+|(?<=[\u3002\uff01\uff1f])")
_CALLED = re.compile(r"^[A-Za-z][\w.-]{1,60}: .*", re.MULTILINE | re.DOTALL)
"""Where the lines of a step's calls begin, after its words."""
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]*\)")
_MARKED = re.compile(r"^[\s>*#|-]*(?:\d+[.)]\s+)?|[*|]+")
_CODE = re.compile(
    r"[{};]|:=|->|=>|\(\)\s*$"
    r"|^\s*(?:func|def|class|import|from|return|if|for|var|let|const)\b"
)
_WORK = re.compile(
    r"^(?:\S+ (?:-+|\u2014) )?(?:i|i['\u2019]\w+|let['\u2019]?s?|now|next|first|then|see|here|please"
    r"|can you|could you|added?|updated?|changed?|fix\w*|remov\w+|moved?|explor\w+|preserv\w+"
    r"|condens\w+|clean\w*|access\w*|focus|renam\w+|creat\w+|implement\w*|review\w*|run|check\w*"
    r"|look\w*|read|wrote|write|modif\w+|ich|je|yo)\b",
    re.IGNORECASE,
)
"""How a line begins that tells of work, and not how something is."""
_POINTS_BACK = re.compile(
    r"^(?:this|that|it|they|these|those)\b(?:['\u2019]\w+)?\s+"
    r"(?:is|are|was|were|seems?|seemed|means?|should|would|will|may|might|has|have|had)\b",
    re.IGNORECASE,
)
"""How a sentence begins that says nothing without the one before it."""
_TAGGED = re.compile(r"^\W?/?[a-z][\w-]*\W.*\W/[a-z][\w-]*\W$")
"""A line in a tag is a harness's, whatever stands for its brackets."""
_HASH = re.compile(r"[0-9a-f]{7,64}")
_PLAIN = re.compile(r"[^\W\d_]{3,}")
_LETTERS = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")


class _Stated(NamedTuple):
    point: Point
    words: frozenset[str]


def facts(sessions: Mapping[str, SessionView], said: Iterable[Said]) -> Iterator[Offer]:
    """Sentences with a name in them that agents of two sessions said in much the same words."""
    holders: dict[tuple[str, str], list[_Stated]] = {}
    for one in said:
        # What opens a session is its task, in a sub-agent the words of another agent.
        if one.by_user or one.step == 1 or one.session not in sessions:
            continue
        session = sessions[one.session]
        for name, stated in _statements(session, one):
            holders.setdefault((session.project, name), []).append(stated)
    for _, held in sorted(holders.items()):
        if roots([each.point for each in held]) >= QUORUM:
            yield from _agreeing(held[-MOST_BUCKET:])


def _statements(session: SessionView, one: Said) -> Iterator[tuple[str, _Stated]]:
    own = _FENCE.sub("\n", _CALLED.sub("", one.text))
    for part in _SENTENCES.split(own):
        sentence = _MARKED.sub("", _LINK.sub(r"\1", part)).strip()
        if _CODE.search(sentence) or _WORK.match(sentence) or sentence.endswith(":"):
            continue
        if _POINTS_BACK.match(sentence) or _TAGGED.match(sentence):
            continue
        named = [name for name in identifiers.names(sentence) if not _HASH.fullmatch(name)]
        words = frozenset(term.casefold() for term in wording.informative(sentence))
        plain = sentence
        for name in named:
            plain = plain.replace(name, " ")
        if not named or not LEAST_WORDS <= len(words) <= MOST_WORDS:
            continue
        if len(_PLAIN.findall(plain)) < LEAST_PLAIN:
            continue
        for name in named:
            yield name, _Stated(Point(session, one.step, told=sentence), words)


def _agreeing(held: Sequence[_Stated]) -> Iterator[Offer]:
    left = list(held)
    while left:
        first = left.pop(0)
        same = [each for each in left if _share(first.words, each.words) >= SAME]
        points = tuple(each.point for each in (first, *same))
        if roots(points) >= QUORUM:
            left = [each for each in left if each not in same]
            told = min(
                (point.told for point in points), key=lambda text: (abs(len(text) - 90), text)
            )
            yield offer("fact", told, points, worth=0.8 * roots(points) + 0.4)


def contrasts(sessions: Sequence[SessionView]) -> Iterator[Offer]:
    """Goals in like words, over the same file, of which one attempt failed and one went well."""
    tried: dict[tuple[str, str], list[tuple[SessionView, Attempt]]] = {}
    for session in sessions:
        for attempt in session.entry.attempts:
            if attempt.outcome is not Outcome.UNKNOWN:
                for name in attempt.files:
                    tried.setdefault((session.project, name), []).append((session, attempt))
    for _, met in sorted(tried.items()):
        bad = [one for one in met if one[1].outcome is Outcome.FAILURE]
        good = [one for one in met if one[1].outcome is Outcome.SUCCESS]
        for one in bad[-MOST_BUCKET:]:
            near = [(_goals(one[1], other[1]), other) for other in good[-MOST_BUCKET:]
                    if other[0].root != one[0].root]  # fmt: skip
            best = max(near, key=lambda pair: pair[0], default=None)
            if best is not None and best[0] >= ALIKE:
                yield _contrast(one, best[1], best[0])


def _contrast(
    bad: tuple[SessionView, Attempt], good: tuple[SessionView, Attempt], near: float
) -> Offer:
    points = (Point(bad[0], bad[1].last), Point(good[0], good[1].last))
    other = [f"only what went well ran: {one}" for one in _ran(good) if one not in set(_ran(bad))]
    files = [f"only what went well edited: {name}" for name in good[1].files
             if name not in bad[1].files]  # fmt: skip
    return offer("contrast", bad[1].goal, points, worth=1.0 + near,
                 shared=[*files[:2], *other[:MOST_DIFFERENT]])  # fmt: skip


def _ran(tried: tuple[SessionView, Attempt]) -> list[str]:
    session, attempt = tried
    return [command.name for command in session.entry.commands
            if any(attempt.first <= step <= attempt.last for step in command.steps)]  # fmt: skip


def _goals(left: Attempt, right: Attempt) -> float:
    return _share(*(frozenset(_LETTERS.findall(each.goal.casefold())) for each in (left, right)))


def _share(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(1, len(left | right))
