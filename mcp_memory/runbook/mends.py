"""Mends: errors that such work met, how each was got past, and how often it was met at all."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcp_memory.domain import refs
from mcp_memory.memories import faults
from mcp_memory.runbook import commands
from mcp_memory.runbook.attempts import short
from mcp_memory.runbook.record import Attempt, Session
from mcp_memory.search import confidence
from mcp_memory.text import signatures, wording
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.mending import Mend

ALIKE = 0.6
"""Share of an error's words from which another is the same said of something else."""
OF_KIND = 0.8
"""How near an error is of which only names and places differ."""
ABOUT = 0.3
"""Share of a task's words from which an error is what it is about."""
CHANGE_CHARS = 140
"""A longer change is opened by its ref."""
MOST_GENERAL = 2
"""So many errors are told that only were met on the way, by several sessions."""
NAMED = 0.6
"""How near an error is that the command met which the task names."""
_PLACE = re.compile(r"^(?:\u2026/)?[\w./\\-]+\.\w{1,5}:N:\s*")
_TEST = re.compile(r"\b(?:Test[A-Z]\w+|test_\w+|--- FAIL)")
"""An error of one test is of the work that it tests."""
_SPAN = re.compile(r"`([^`]*)`")
_CUT = "\u2026`"


@dataclass(frozen=True, slots=True)
class Mended:
    """An error with its newest mend, and in how many sessions it was met."""

    error: str
    mend: Mend
    session: Session
    met: int
    near: float
    """0 to 1: how surely it is what is asked about."""

    @property
    def ref(self) -> str:
        """The steps from the failure to where it went well."""
        return refs.span(self.session.entry.id, self.mend.failed, self.mend.passed)


def of_error(error: str, known: Mapping[str, Session]) -> tuple[Mended, ...]:
    """The mends of an error text: of the same error first, then of its kind and of one alike."""
    wanted = set(map(kind_of, (*signatures.errors(error), *signatures.named_errors(error))))
    if not wanted and error.strip():
        wanted = {kind_of(signatures.fold(error))}
    terms = [wording.informative(one) for one in wanted]
    kinds = set(map(faults.kind_of, wanted))

    def near(one: str) -> float:
        if one in wanted:
            return 1.0
        # The same said of another name: another value that is not checked, another file.
        if faults.kind_of(one) in kinds:
            return OF_KIND
        shares = (confidence.share(confidence.holdings(asked, one)) for asked in terms if asked)
        share = max(shares, default=0.0)
        return share if share >= ALIKE else 0.0

    return _ranked(known, near)


def of_task(
    attempts: Sequence[Attempt], text: str, known: Mapping[str, Session]
) -> tuple[Mended, ...]:
    """The mends that such work needs: of errors in its attempts, of the command or what else it names.

    What was met in one session only, and is not named, was most likely an accident of it.
    """
    spans = {(one.episode.trajectory, n): one.score for one in attempts for n in one.steps}
    best = max(spans.values(), default=1.0) or 1.0
    own: dict[str, float] = {}
    for session in known.values():
        for mend in session.entry.mends:
            here = spans.get((session.entry.id, mend.failed), 0.0) / best
            ran = NAMED * (mend.command in text and commands.judges(mend.command))
            kind = kind_of(mend.error)
            own[kind] = max(own.get(kind, 0.0), here, ran)

    def named(one: str) -> float:
        held = confidence.holdings(terms, one)
        share = confidence.share(held)
        test = _TEST.search(one)
        of_another = test is not None and test[0] not in text
        many = sum(map(bool, held.values())) > 1
        return share if share >= ABOUT and many and not of_another else 0.0

    def near(one: str) -> float:
        general = met.get(one, 1) > 1 and not _TEST.search(one)
        return max(own.get(one, 0.0), named(one)) if general or named(one) else 0.0

    met = _met(known)
    terms = wording.informative(text)
    found = [one for one in _ranked(known, near) if not one.error.endswith(":")]
    about = [one for one in found if named(one.error) or one.mend.command in text]
    others = [one for one in found if one not in about]
    return (*about, *others[:MOST_GENERAL])


def unmended(error: str, known: Mapping[str, Session]) -> tuple[str, ...]:
    """Refs of the newest steps that met an error, for one that nobody got past."""
    wanted = {*signatures.errors(error), *signatures.named_errors(error)}
    met = [
        (session.entry.started, refs.span(session.entry.id, one.steps[-1]))
        for session in known.values()
        for one in session.entry.errors
        if one.name in wanted
    ]
    return tuple(ref for _, ref in sorted(met, reverse=True))


def told(one: Mended) -> str:
    """The error, where it was met, and what was done until it went well."""
    met = f", met in {counted(one.met, 'session')}" if one.met > 1 else ""
    place = f" (`{one.mend.command}`{met})" if one.mend.command else met
    return f"{one.error}{place} \u2192 {'; '.join(_done(one))}, {one.session.entry.day}"


def kind_of(error: str) -> str:
    """An error without the place in which it was met."""
    return _PLACE.sub("", error)


def _ranked(known: Mapping[str, Session], near: Callable[[str], float]) -> tuple[Mended, ...]:
    newest: dict[str, tuple[Mend, Session]] = {}
    for session in sorted(known.values(), key=lambda one: one.entry.started):
        for mend in session.entry.mends:
            newest[kind_of(mend.error)] = (mend, session)
    met = _met(known)
    made = [
        Mended(error, mend, session, met.get(error, 1), likely)
        for error, (mend, session) in newest.items()
        if (likely := near(error)) and _says(mend)
    ]
    return tuple(sorted(made, key=lambda one: (-one.near, -one.met, one.error)))


def _met(known: Mapping[str, Session]) -> dict[str, int]:
    """Error to the number of sessions that met it."""
    found: dict[str, set[str]] = {}
    for session in known.values():
        for one in session.entry.errors:
            found.setdefault(kind_of(one.name), set()).add(session.entry.id)
    return {error: len(ids) for error, ids in found.items()}


def _says(mend: Mend) -> bool:
    """Whether it is told what was done: a command that merely went well later mends nothing."""
    return len(mend.done) > 1 or _otherwise(mend.done[-1], mend.command)


def _done(one: Mended) -> Iterator[str]:
    """What was edited and run, without what only judged; the last command where it went otherwise."""
    change = _change(one)
    told = len(change)
    yield from change
    for done in one.mend.done[:-1]:
        if change and done.startswith("edited "):
            continue
        ran = _SPAN.search(done) if done.startswith("ran ") else None
        if not done.endswith(_CUT) and not (ran and commands.judges(short(ran[1]))):
            told += 1
            yield _SPAN.sub(lambda seen: _shown(seen[1], one.session), done)
    last = _SPAN.search(one.mend.done[-1])
    ended = commands.aimless(last[1]) if last else ""
    if ended and (not told or _otherwise(ended, short(ended))):
        long = ended.endswith("\u2026") or len(ended) > commands.SHORT
        yield f"`{short(ended) if long else ended}` went well"


def _otherwise(line: str, command: str) -> bool:
    """Whether a command went well in another environment than its bare name: `CI=1 make`."""
    program = command.partition(" ")[0]
    return bool(program) and "=" in line.partition(program)[0]


def _change(one: Mended) -> tuple[str, ...]:
    """What the edits that mended it took out and put in, where one line says it; the last such one."""
    mend = one.mend
    words = wording.informative(one.error)
    found = [
        (confidence.share(confidence.holdings(words, f"{each.old} {each.new}")), each)
        for each in one.session.entry.changes
        if mend.failed <= each.step <= mend.passed and not each.undone
        if each.new and max(len(each.old), len(each.new)) <= CHANGE_CHARS
    ]
    if not found:
        return ()
    _, best = max(found, key=lambda item: (item[0], item[1].step))
    name = best.path.rpartition("/")[2]
    new = best.new.replace("`", "'")
    if not best.old:
        return (f"in {name} put in `{new}`",)
    return (f"in {name} `{best.old.replace('`', chr(39))}` became `{new}`",)


def _shown(text: str, session: Session) -> str:
    inside = session.path(text) if " " not in text else commands.aimless(text)
    return f"`{inside or text}`"
