"""Attempts: which earlier work bears on a task, and each as a line: asked, done, how it ended."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from mcp_memory.domain.models import Outcome
from mcp_memory.runbook import sentences
from mcp_memory.runbook.record import Attempt
from mcp_memory.text import cutting, families, shell, signatures
from mcp_memory.trajectories.landed import Landed

NEAR, NEARER = 0.4, 0.75
"""Which share of the surest attempt's score another must have, and one that changed no file."""
MOST, MOST_OF_SESSION = 8, 3
ASKED_CHARS, SAID_CHARS, NEXT_CHARS, SUBJECT_CHARS = 180, 240, 140, 90
_JUDGED = re.compile(
    r"step \d+: `(?P<command>.*?)` (?P<how>exit code \d+|failed|it printed(?: exit code \d+)?)",
    re.DOTALL,
)
TITLES = {
    Outcome.SUCCESS: "Went well",
    Outcome.FAILURE: "Went badly",
    Outcome.UNKNOWN: "Not judged",
}


def chosen(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Those nearly as sure as the surest, three of a session at most; what changed files first."""
    best = max((one.score for one in attempts), default=0.0)
    near = [one for one in attempts if one.score >= (NEAR if _worked(one) else NEARER) * best]
    counts: Counter[str] = Counter()
    kept = []
    for one in sorted(near, key=lambda one: (not _worked(one), -one.score)):
        counts[one.episode.trajectory] += 1
        if counts[one.episode.trajectory] <= MOST_OF_SESSION:
            kept.append(one)
    return tuple(kept[:MOST])


def told(attempt: Attempt, terms: Sequence[str], others: Sequence[Attempt] = ()) -> str:
    """One attempt: its day, what was asked, what the agent says it did, how it ended.

    What was asked next is told unless it is one of the others.
    """
    asked = _asked(attempt, terms)
    parts = [f"{attempt.day} {asked}".rstrip()]
    commits = list(islice(_commits(attempt), 2))
    # A commit's subject sums the work up; the agent's own words do where there is none.
    said = sentences.telling(_unhashed(attempt.said, commits), terms, SAID_CHARS)
    parts += [f"agent: {said}"] if said else []
    parts += [] if said or commits else _changed(attempt)
    parts += [f"committed {', '.join(map(_commit, commits))}"] if commits else []
    ended = "" if commits and attempt.episode.outcome is Outcome.SUCCESS else _ended(attempt)
    parts += [f"ended: {ended}"] if ended else []
    shown = {(one.episode.trajectory, one.episode.number) for one in others}
    following = (attempt.episode.trajectory, attempt.episode.number + 1)
    again = "" if following in shown else _asked_next(attempt)
    parts += [f"then asked: {again}"] if again else []
    parts += [", ".join(sorted(attempt.flags))] if attempt.flags else []
    return " \u00b7 ".join(parts)


def _worked(attempt: Attempt) -> bool:
    """Whether it changed a file, or was to and was refused or failed."""
    return bool(attempt.paths) or attempt.episode.outcome is Outcome.FAILURE


def _asked(attempt: Attempt, terms: Sequence[str]) -> str:
    number = attempt.episode.number
    mine = (one for one in attempt.session.entry.attempts if one.number == number)
    hidden = any(one.goal == "(hidden)" for one in mine)
    return "" if hidden else sentences.request(attempt.episode.goal, terms, ASKED_CHARS)


def _commits(attempt: Attempt) -> Iterator[Landed]:
    """The commits of the attempt, or those that the next ones made of it before they changed a file."""
    entry = attempt.session.entry
    last = attempt.episode.last
    for later in entry.attempts:
        if later.number > attempt.episode.number and attempt.paths:
            if later.files:
                break
            last = later.last
    return (
        one
        for one in entry.landed
        if one.hash and one.subject and attempt.episode.first <= one.step <= last
    )


def _changed(attempt: Attempt) -> list[str]:
    """The files that it changed, where nothing else tells what was done."""
    names = dict.fromkeys(path.replace("\\", "/").rpartition("/")[2] for path in attempt.paths)
    return [f"changed {', '.join(islice(names, 3))}"] if names else []


def _unhashed(said: str, commits: Sequence[Landed]) -> str:
    """What was said without the lines that only repeat a commit."""
    hashes = [one.hash[:7] for one in commits]
    return "\n".join(
        "" if any(each in line for each in hashes) else line for line in said.splitlines()
    )


def _commit(one: Landed) -> str:
    back = f", taken back in #{one.undone}" if one.undone else ""
    subject = f' "{one.subject}"' if len(one.subject) <= SUBJECT_CHARS else ""
    return f"{one.hash[:9]}{subject}{back}"


def _ended(attempt: Attempt) -> str:
    """By what it is known how it ended, with the commands named short."""
    reason = attempt.episode.reason
    if "by the user" in reason:
        return reason.partition(": ")[2] or reason
    named = ((short(one["command"]), one["how"]) for one in _JUDGED.finditer(reason))
    runs = [(name, how) for name, how in named if not name.startswith("git add")]
    if not runs:
        return ""
    outcome = attempt.episode.outcome
    if outcome is Outcome.SUCCESS:
        return f"`{runs[-1][0]}` went well"
    if outcome is Outcome.FAILURE:
        how = f" ({runs[0][1]})" if runs[0][1].startswith("exit") else ""
        after = reason.rpartition(", ")[2]
        return f"`{runs[0][0]}` failed{how}, {after}"
    if len(runs) > 1:
        return f"`{runs[0][0]}` failed, later `{runs[-1][0]}` went well"
    return f"`{runs[0][0]}` went well, then files were changed" if "changed" in reason else ""


def short(command: str) -> str:
    """A command line by the program that judges, or else acts, with its flags' names."""
    found = shell.programs(command)
    judging = [one.typed for one in found if families.judged(one)]
    acting = [ran.family for ran in signatures.runs(command) if ran.acts]
    of_judging = [name for typed in judging for name in signatures.commands(typed)]
    if found and "/" in found[0].words[0] and not of_judging:
        return "/".join(found[0].words[0].split("/")[-2:])
    return next(iter((*of_judging, *acting)), cutting.head(" ".join(command.split()), 40))


def _asked_next(attempt: Attempt) -> str:
    """What was asked next of the same files: a correction tells more than the work."""
    entry = attempt.session.entry
    own = {path.replace("\\", "/").rpartition("/")[2] for path in attempt.paths}
    later = (one for one in entry.attempts if one.number == attempt.episode.number + 1)
    again = next((one for one in later if own.intersection(one.files)), None)
    if again is None or again.goal.endswith("\u2026"):
        return ""
    return sentences.first(again.goal, NEXT_CHARS)
