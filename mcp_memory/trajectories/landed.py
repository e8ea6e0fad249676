"""Landed: commits and pull requests of a session, as git and its hosts announced them."""

import re
from collections.abc import Iterable, Iterator

from mcp_memory.domain.models import Frozen, Observation, Step, ToolCall
from mcp_memory.trajectories.decisions import called
from mcp_memory.trajectories.mending import failed
from mcp_memory.trajectories.told import day

MOST_LANDED = 200
"""Of one session."""
_SCANNED = 20_000
_ANNOUNCED = re.compile(
    r"^\[(?P<branch>[^\]\n ]{1,120})(?: [^\]\n]{1,60})? (?P<hash>[0-9a-f]{7,40})\] (?P<subject>\S[^\n]*)$",
    re.MULTILINE,
)
"""How git says what it committed; without that line nothing was."""
_MAKING = ("commit", "revert", "cherry-pick", "merge", "rebase")
_PULL = re.compile(
    r"https://[\w.-]+/[\w./-]+/(?:pull|merge_requests|pull-requests)/(?P<number>\d+)"
)
_ASKED = re.compile(r"\bgh\s+pr\s+(?P<verb>create|merge|close)\b(?:\s+(?P<number>\d+))?")
_TITLE = re.compile(r"--title[ =](?:\"(?P<double>[^\"\n]+)\"|'(?P<single>[^'\n]+)')")
_ELSEWHERE = re.compile(r"\bgit\s+init\b|\bmktemp\b|\bcd\s+[\"']?(?:/private)?/(?:tmp|var)\b")
"""A repository made to try something in is not the project's."""
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


def landed(steps: Iterable[Step]) -> Iterator[Landed]:
    """Commits and pull requests, in order; a commit that a hook stopped was never announced."""
    for step in steps:
        when = day(step.at)
        for call, seen in called(step):
            if call.name == "commit" and isinstance(call.arguments.get("commit"), str):
                yield _told(step, call, when)
            elif call.command and seen is not None:
                yield from _committed(step.number, when, call.command, seen)
                yield from _pulls(step.number, when, call.command, seen)


def _told(step: Step, call: ToolCall, day: str) -> Landed:
    """A commit of the repository itself."""
    what = "no branch reaches it any more" if step.abandoned else "in the repository"
    subject = step.text.partition("\n")[0]
    return Landed(step=step.number, day=day, hash=call.id[:12], subject=subject, what=what)


def _committed(step: int, day: str, command: str, seen: Observation) -> Iterator[Landed]:
    if not any(word in command for word in _MAKING) or _ELSEWHERE.search(command):
        return
    for one in _ANNOUNCED.finditer(seen.text[:_SCANNED]):
        yield Landed(
            step=step, day=day, hash=one["hash"], subject=one["subject"], what=one["branch"]
        )


def _pulls(step: int, day: str, command: str, seen: Observation) -> Iterator[Landed]:
    asked = _ASKED.search(command)
    if asked is None or failed(seen):
        return
    number = asked["number"] or next((m["number"] for m in _PULL.finditer(seen.text)), "")
    title = _TITLE.search(command)
    subject = (title["double"] or title["single"]) if title else ""
    if number:
        yield Landed(step=step, day=day, pull=number, subject=subject, what=_VERBS[asked["verb"]])
