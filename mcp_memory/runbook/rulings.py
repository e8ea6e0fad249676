"""Rulings: what the user settled in such work: answers, refusals with their reason, accepted plans."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.domain import refs
from mcp_memory.runbook import sentences
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.search import confidence

CHARS = 240
ABOUT = 0.4
"""Share of a task's words from which a ruling of another session is about it."""
TOUCHES = 0.2
"""Share from which one within such work is: most refusals settle the moment only."""
_CHOSEN = re.compile(r"\"(?P<asked>[^\"]{4,300})\"=\"(?P<answer>[^\"]{1,300})\"")
_REFUSED = re.compile(r"refused `(?P<what>[^`]*)`: (?P<why>.+)", re.DOTALL)
_PLANS = dict.fromkeys(("ExitPlanMode", "exit_plan_mode"), "a plan")
_HOSTS_NOTE = re.compile(r"\s*Note: The user's next message may contain a correction.*", re.DOTALL)
_PLAN = re.compile(r"plan accepted:\s*(?:#+\s*)?(?P<title>.+?)(?:\s+#|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One thing that the user settled."""

    text: str
    day: str
    ref: str
    near: float


def of_task(
    attempts: Sequence[Attempt], terms: Sequence[str], known: Mapping[str, Session]
) -> tuple[Ruling, ...]:
    """What was settled within the attempts, or elsewhere about what the task names; surest first."""
    near = {(one.episode.trajectory, n): one.score for one in attempts for n in one.steps}
    best = max(near.values(), default=1.0) or 1.0
    found: dict[str, Ruling] = {}
    for session in sorted(known.values(), key=lambda one: one.entry.started):
        entry = session.entry
        for one in entry.decisions:
            here = near.get((entry.id, one.step), 0.0) / best
            for text, words in _said(one.text, session):
                share = confidence.share(confidence.holdings(terms, words))
                if share >= ABOUT or (here and share >= TOUCHES):
                    ref = refs.span(entry.id, one.step)
                    found[text] = Ruling(text, entry.day, ref, max(here, share))
    return tuple(sorted(found.values(), key=lambda one: (-one.near, one.day)))


def told(one: Ruling) -> str:
    """The ruling with its day."""
    return f"{one.text} ({one.day})"


def _said(text: str, session: Session) -> Iterator[tuple[str, str]]:
    """Each thing that was settled as a line, and the user's own words and what they answer."""
    if text.startswith("answered "):
        for chosen in _CHOSEN.finditer(text):
            line = f'asked "{chosen["asked"]}", the user chose "{chosen["answer"]}"'
            yield line, line
    elif seen := _REFUSED.match(text):  # what was refused is told, and proves nothing of the task
        why = sentences.first(_HOSTS_NOTE.sub("", seen["why"]), CHARS)
        if why and not why.endswith(("\u2026", "?")):  # who asks has settled nothing yet
            what = _PLANS.get(seen["what"]) or f"`{session.path(seen['what'])}`"
            yield f'refused {what}: "{why}"', why
    elif (seen := _PLAN.match(text)) and not seen["title"].endswith("\u2026"):
        title = sentences.first(seen["title"], CHARS)
        yield f'accepted the plan "{title}"', title
