"""Entries: what the indexes of a project say of one session."""

import re
from collections.abc import Sequence
from itertools import islice

from mcp_memory.domain.models import Episode, Frozen, Outcome
from mcp_memory.text import signatures
from mcp_memory.trajectories import calls, edits, failures, verdicts
from mcp_memory.trajectories.calls import called, failed
from mcp_memory.trajectories.changes import Changed, changed
from mcp_memory.trajectories.decisions import Decision, decided
from mcp_memory.trajectories.landed import MOST_LANDED, Landed, landed
from mcp_memory.trajectories.mending import MOST_MENDS, Mend, mends
from mcp_memory.trajectories.naming import one_line
from mcp_memory.trajectories.told import Told, day, utc
from mcp_memory.trajectories.values import Valued, valued

MOST_FILES = 200
MOST_COMMANDS = 200
MOST_SAID = 100
MOST_STEPS = 24
MOST_ATTEMPTS = 100
_ATTEMPT_FILES = 8
_ABOUT_CHARS = 200
_ABOUT_SCANNED = 6_000
_PAPERS = ("README.md", "README.rst", "README", "package.json", "pyproject.toml", "Cargo.toml")
"""Files of a project's root that say what it is."""
_DESCRIPTION = re.compile(
    r"^\s*(?:\d+\W\s*)?\"?description\"?\s*[:=]\s*\"([^\"\n]{8,300})\"", re.MULTILINE
)
_NUMBERED = re.compile(r"^\s*\d+(?:→|\t|:\s?)", re.MULTILINE)
_TOP = re.compile(r"\s*(?:1(?:→|\t|:\s?))?\s*[#<\[!]")
"""How a README begins: with a heading, a picture or a badge."""
_SENTENCE = re.compile(r"^(?![#>|!<\[\-*=`~+\s:.]|https?:)\S[^\n]{20,}$", re.MULTILINE)


class Touched(Frozen):
    """A file, command or error of a session, and the steps where it occurs."""

    name: str
    steps: tuple[int, ...]
    marked: tuple[int, ...] = ()
    """Those of `steps` that edited the file, or in which the command failed."""
    last: str = ""
    """Of a command the last line that ran it, as it was typed, with folder and environment."""


class Attempt(Frozen):
    """One episode, as a line of the index tells it."""

    number: int
    first: int
    last: int
    day: str
    outcome: Outcome
    goal: str
    files: tuple[str, ...] = ()
    """Names of the files that it edited."""


class Entry(Frozen):
    """What the indexes of a project say of one session."""

    id: str
    folder: str
    day: str
    started: str
    format: str
    goal: str
    outcome: Outcome
    steps: int
    parent: str = ""
    about: str = ""
    """What the project is, in its own papers' words, where the session read or wrote them."""
    attempts: tuple[Attempt, ...] = ()
    files: tuple[Touched, ...] = ()
    commands: tuple[Touched, ...] = ()
    errors: tuple[Touched, ...] = ()
    decisions: tuple[Decision, ...] = ()
    mends: tuple[Mend, ...] = ()
    changes: tuple[Changed, ...] = ()
    landed: tuple[Landed, ...] = ()
    values: tuple[Valued, ...] = ()


def entry_of(told: Told, episodes: Sequence[Episode], folder: str) -> Entry:
    """The entry of a session in the indexes of its project."""
    trajectory = told.trajectory
    outcomes = [e.outcome for e in episodes if e.outcome is not Outcome.UNKNOWN]
    started = utc(trajectory.started_at) if trajectory.started_at else None
    goal = told.words(trajectory.title) or told.words(trajectory.goal) or "(no request)"
    commands, errors = _met(told)
    return Entry(
        id=trajectory.id,
        folder=folder,
        day=day(trajectory.started_at),
        started=started.isoformat() if started else "",
        format=trajectory.format,
        goal=one_line(goal),
        outcome=outcomes[-1] if outcomes else Outcome.UNKNOWN,
        steps=len(trajectory.steps),
        parent=trajectory.parent or "",
        about=_about(told),
        attempts=tuple(_attempt(told, each) for each in episodes[:MOST_ATTEMPTS]),
        files=_files(told),
        commands=commands.touched(MOST_COMMANDS),
        errors=errors.touched(MOST_COMMANDS),
        decisions=tuple(islice(decided(told.steps), MOST_SAID)),
        mends=tuple(islice(mends(told.steps), MOST_MENDS)),
        changes=changed(told.steps, path=told.path),
        landed=tuple(islice(landed(told.steps), MOST_LANDED)),
        values=valued(told.steps, path=told.path),
    )


def numbers(touched: Touched, mark: str = "*", most: int = MOST_STEPS) -> str:
    """Steps as `#12 #15*`; of a long list marked ones stay first, and the rest is counted."""
    marked = frozenset(touched.marked)
    plain = [n for n in touched.steps if n not in marked]
    shown = sorted([*touched.marked, *plain][:most])
    told = " ".join(f"#{n}{mark if n in marked else ''}" for n in shown)
    left = len(touched.steps) - len(shown)
    return f"{told} and {left} more" if left else told


class _Places:
    """Names and the steps where they occur, in step order."""

    def __init__(self) -> None:
        self._steps: dict[str, dict[int, bool]] = {}
        self._last: dict[str, str] = {}

    def add(self, name: str, step: int, *, marked: bool = False, last: str = "") -> None:
        steps = self._steps.setdefault(name, {})
        steps[step] = steps.get(step, False) or marked
        self._last[name] = last

    def touched(self, most: int) -> tuple[Touched, ...]:
        """The names most used first where not all fit; then in their own order."""
        found = [
            Touched(
                name=name,
                steps=tuple(steps),
                marked=tuple(n for n, m in steps.items() if m),
                last=self._last[name],
            )
            for name, steps in self._steps.items()
        ]
        found.sort(key=lambda each: (-len(each.marked), -len(each.steps), each.name))
        return tuple(sorted(found[:most], key=lambda each: each.name))


def _met(told: Told) -> tuple[_Places, _Places]:
    """The commands that were run, each with its last line, and the errors that were met."""
    commands, errors = _Places(), _Places()
    for made in calls.made(told.steps):
        verdict = verdicts.of(made) if made.call.command else None
        for ran in signatures.runs(made.call.command or ""):
            bad = verdict is not None and verdict.failed and ran.acts
            commands.add(ran.family, made.step.number, marked=bad, last=ran.line)
    for failure in failures.met(told.steps):
        for name in failure.errors:
            errors.add(name, failure.made.step.number)
    return commands, errors


def _files(told: Told) -> tuple[Touched, ...]:
    """Files that calls write or name, and words of commands that are spelled like files."""
    places = _Places()
    written = edits.written(told.steps)
    for step in told.steps:
        for name in filter(None, map(told.path, written[step.number])):
            places.add(name, step.number, marked=True)
        for call, _ in called(step):
            named = call.paths or (signatures.files(call.command) if call.command else ())
            for name in filter(None, map(told.path, named)):
                places.add(name, step.number)
    return places.touched(MOST_FILES)


def _attempt(told: Told, episode: Episode) -> Attempt:
    span = [step for step in told.steps if episode.first <= step.number <= episode.last]
    edited = (
        path.replace("\\", "/").rpartition("/")[2] for step in span for path in edits.paths(step)
    )
    return Attempt(
        number=episode.number,
        first=episode.first,
        last=episode.last,
        day=next((day(step.at) for step in span if step.at), day(told.trajectory.started_at)),
        outcome=episode.outcome,
        goal=one_line(told.words(episode.goal)) or "(hidden)",
        files=tuple(islice(dict.fromkeys(edited), _ATTEMPT_FILES)),
    )


def _about(told: Told) -> str:
    """The first sentence of a README of the root, or the description of a package's file."""
    found: dict[str, str] = {}
    for step in told.steps:
        for call, seen in called(step):
            named = call.paths or (signatures.files(call.command) if call.command else ())
            paper = told.path(named[0]) if len(named) == 1 else ""
            if paper not in _PAPERS or failed(seen):
                continue
            wrote = call.arguments.get("content")
            text = seen.text if seen is not None and not call.edits else wrote
            described = _described(paper, text[:_ABOUT_SCANNED] if isinstance(text, str) else "")
            if described:
                found[paper] = described
    return next((found[paper] for paper in _PAPERS if paper in found), "")


def _described(paper: str, text: str) -> str:
    """From its top only: what stands further down says what a part of it is."""
    plain = _NUMBERED.sub("", text)
    if not paper.startswith("README"):
        seen = _DESCRIPTION.search(plain)
    else:
        seen = _SENTENCE.search(plain) if _TOP.match(text) else None
    return one_line(seen[seen.lastindex or 0], _ABOUT_CHARS) if seen else ""
