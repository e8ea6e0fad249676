"""Landed: commits and pull requests of a session, as git and its hosts announced them."""

import re
from collections.abc import Iterable, Iterator

from mcp_memory.domain.models import Frozen, Observation, Step, ToolCall
from mcp_memory.trajectories import calls, committing
from mcp_memory.trajectories.calls import failed
from mcp_memory.trajectories.told import day

MOST_LANDED = 200
"""Of one session."""
_PULL = re.compile(
    r"https://[\w.-]+/[\w./-]+/(?:pull|merge_requests|pull-requests)/(?P<number>\d+)"
)
_ASKED = re.compile(r"\bgh\s+pr\s+(?P<verb>create|merge|close)\b(?:\s+(?P<number>\d+))?")
_TITLE = re.compile(r"--title[ =](?:\"(?P<double>[^\"\n]+)\"|'(?P<single>[^'\n]+)')")
_VERBS = {"create": "opened", "merge": "merged", "close": "closed"}


class Landed(Frozen):
    """A commit that a session made, or a pull request that it opened, merged or closed."""

    step: int
    day: str
    hash: str = ""
    pull: str = ""
    """The number of a pull request."""
    subject: str = ""
    what: str = ""
    """The branch of a commit; of a pull request what was done with it."""
    undone: int = 0
    """The later step of the session that reverted, reset or amended a commit; 0 where none did."""


def landed(steps: Iterable[Step]) -> Iterator[Landed]:
    """Commits and pull requests, in order; a commit that a hook stopped was never announced."""
    session = list(steps)
    undone = {(one.step, one.hash): one.undone for one in committing.of_steps(session)}
    for made in calls.made(session):
        step, call, when = made.step, made.call, day(made.step.at)
        if call.name == "commit" and isinstance(call.arguments.get("commit"), str):
            yield _told(step, call, when)
        for one in committing.committed(made):
            if one.hash:
                yield Landed(
                    step=step.number,
                    day=when,
                    hash=one.hash,
                    subject=one.subject,
                    what=one.branch,
                    undone=undone.get((one.step, one.hash), 0),
                )
        if call.command and made.seen is not None:
            yield from _pulls(step.number, when, call.command, made.seen)


def _told(step: Step, call: ToolCall, day: str) -> Landed:
    """A commit of the repository itself."""
    what = "no branch reaches it any more" if step.abandoned else "in the repository"
    subject = step.text.partition("\n")[0]
    return Landed(step=step.number, day=day, hash=call.id[:12], subject=subject, what=what)


def _pulls(step: int, day: str, command: str, seen: Observation) -> Iterator[Landed]:
    asked = _ASKED.search(command)
    if asked is None or failed(seen):
        return
    number = asked["number"] or next((m["number"] for m in _PULL.finditer(seen.text)), "")
    title = _TITLE.search(command)
    subject = (title["double"] or title["single"]) if title else ""
    if number:
        yield Landed(step=step, day=day, pull=number, subject=subject, what=_VERBS[asked["verb"]])
