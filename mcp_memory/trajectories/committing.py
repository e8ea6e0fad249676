"""Committing: the commits that a session made, by git's own word, and what took them back."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mcp_memory.domain.models import Frozen, Observation, Step
from mcp_memory.text import families, shell
from mcp_memory.text.shell import Program
from mcp_memory.trajectories import calls
from mcp_memory.trajectories.calls import Made

_ANNOUNCED = re.compile(
    r"^(?:\[[\w:]+\] )?\[(?P<branch>[^\]\n]{1,200}?) (?P<hash>[0-9a-f]{7,64})\] ?(?P<subject>[^\n]*)$",
    re.MULTILINE,
)
"""How git says what it committed."""
_ELSEWHERE = re.compile(r"\bgit\s+(?:-C \S+ )?init\b|\bmktemp\b")
"""A repository made to try something in is not the project's."""
_SUMMED = re.compile(r"^ \d+ files? changed, |^ create mode \d+ ", re.MULTILINE)
_NOTHING = re.compile(r"nothing (?:added )?to commit|no changes added", re.IGNORECASE)
_PUSHED = re.compile(r"^\s+[0-9a-f]{7,40}\.\.\.?(?P<hash>[0-9a-f]{7,40}) +\S+ +-> ", re.MULTILINE)
"""A push after a commit shows it as what the branch is now."""
_QUIET = re.compile(r"-[a-pr-zA-Z]*q[a-zA-Z]*|--quiet")
_LANDS = frozenset(
    {"git commit", "git merge", "git revert", "git cherry-pick", "git rebase", "git pull"}
)
_BACK = re.compile(r"(?:HEAD|@)(?:~(?P<many>\d*)|(?P<one>\^+))")


_LETTERS = 7
"""Of a hash so many name a commit."""


class Committed(Frozen):
    """A commit that git itself shows to have been made."""

    step: int
    hash: str
    """As git printed it; empty where it was told to be quiet."""
    subject: str
    branch: str = ""
    undone: int = 0
    """The later step of the session that reverted, reset or amended it; 0 where none did."""


def of_steps(steps: Iterable[Step]) -> tuple[Committed, ...]:
    """The commits of a session in order, each with what took it back."""
    found: list[Committed] = []
    for one in calls.made(steps):
        new = committed(one)
        for place in _taken_back(one, found):
            found[place] = found[place].model_copy(update={"undone": one.step.number})
        found += new
    return tuple(found)


def committed(made: Made) -> tuple[Committed, ...]:
    """The commits that a call made: those that git announced, or a quiet one that it shows after.

    What a hook stopped was never announced, and what only names `git commit` made none.
    """
    command, seen = made.call.command, made.seen
    if not command or seen is None:
        return ()
    found = shell.programs(command)
    if families.only_looks(found) or is_elsewhere(command):
        return ()
    step = made.step.number
    announced = tuple(
        Committed(step=step, hash=one["hash"], subject=one["subject"], branch=one["branch"])
        for one in _announced(found, seen.text)
    )
    return announced or tuple(_quiet(step, found, seen))


def is_elsewhere(command: str) -> bool:
    """Whether a line works in a repository that was made to try something in."""
    return _ELSEWHERE.search(command) is not None


def landed(found: Sequence[Program], seen: Observation) -> bool:
    """Whether a line that went well and has a `git commit` made it: git says so, or was to be quiet."""
    asked = [one for one in found if families.judged(one) == "git commit"]
    if not asked or _ANNOUNCED.search(seen.text):
        return True
    return not _NOTHING.search(seen.text) and any(map(_is_quiet, asked))


def subject_of(one: Program) -> str:
    """The subject that a `git commit` is given: in quotes, or as a here-document's first line."""
    for place, word in enumerate(one.words):
        if re.fullmatch(r"-[a-zA-Z]*m", word) and place + 1 < len(one.words):
            text = one.words[place + 1]
        elif word.startswith("--message="):
            text = word.partition("=")[2]
        elif word in ("-F", "--file"):
            text = one.document
        else:
            continue
        told = one.document if text.lstrip().startswith("$(cat <<") else text
        return next((line.strip() for line in told.splitlines() if line.strip()), "")
    return ""


def _announced(found: Sequence[Program], text: str) -> Sequence[re.Match[str]]:
    """What git itself announced: nothing where no git committed, whatever a script or a file says.

    Beside a program that shows somebody's words only as many as there are `git commit`s, those
    with their subjects before others, and of these the last.
    """
    kinds = [families.judged(one) for one in found]
    if not _LANDS & set(kinds):
        return ()
    told = list(_ANNOUNCED.finditer(text))
    asked = [one for one, kind in zip(found, kinds, strict=True) if kind == "git commit"]
    shows = any(families.purpose(one) == "looks" for one in found)
    if not shows or len(asked) < sum(kind in _LANDS for kind in kinds):
        return told
    subjects = {subject_of(one) for one in asked} - {""}
    own = [one for one in told if one["subject"] in subjects]
    return (own or told)[-len(asked) :]


def _quiet(step: int, found: Sequence[Program], seen: Observation) -> Iterator[Committed]:
    """A quiet or cut-off commit, where its own exit code was 0, or git's sum or log shows it."""
    well = not seen.failed and not seen.exit_code and seen.failed is not None
    if _NOTHING.search(seen.text):
        return
    pushes = any(families.judged(one) == "git push" for one in found)
    asked = [one for one in found if families.judged(one) == "git commit"]
    for one in found:
        last = pushes and one in asked[-1:]
        subject = subject_of(one) if families.judged(one) == "git commit" else ""
        if not subject:
            continue
        line = rf"^(?P<hash>[0-9a-f]{{7,40}}) (?:\([^)\n]*\) )?{re.escape(subject)}$"
        shown = re.search(line, seen.text, re.MULTILINE) or (
            _PUSHED.search(seen.text) if last else None
        )
        good = well and _is_quiet(one) and _spoken_for(one, found)
        if shown or good or (well and _SUMMED.search(seen.text)):
            yield Committed(step=step, hash=shown["hash"] if shown else "", subject=subject)


def _spoken_for(one: Program, found: Sequence[Program]) -> bool:
    """Whether an exit code of 0 says that this program, too, ended well."""
    after = found[found.index(one) + 1 :]
    return one in shell.covered(found) or all(
        each.joined == "&&" or (each.joined == "|" and after[0].joined != "|") for each in after
    )


def _is_quiet(one: Program) -> bool:
    return any(_QUIET.fullmatch(word) for word in one.words[2:])


def _taken_back(made: Made, found: Sequence[Committed]) -> Iterator[int]:
    """Places of the commits that a call reverted, reset or amended."""
    seen = made.seen
    if not made.call.command or seen is None or seen.failed or seen.exit_code:
        return
    standing = [place for place, one in enumerate(found) if not one.undone]
    for one in shell.programs(made.call.command):
        asked = families.asked_of(one) if one.name == "git" else ()
        verb, named = (asked[0], asked[1:]) if asked else ("", ())
        if verb == "commit" and "--amend" in one.words and landed((one,), seen):
            yield from standing[-1:]
        elif verb == "reset":
            yield from standing[max(0, len(standing) - _back(named)) :]
        elif verb == "revert":
            last = found[standing[-1]].hash if standing else ""
            words = [last if word in ("HEAD", "@") else word for word in named]
            yield from (place for place in standing if _is_named(words, found[place].hash))


def _back(named: Sequence[str]) -> int:
    """How many commits a `git reset` goes back."""
    for word in named:
        seen = _BACK.fullmatch(word)
        if seen:
            return len(seen["one"]) if seen["one"] else int(seen["many"] or 1)
    return 0


def _is_named(named: Sequence[str], hash_: str) -> bool:
    return bool(hash_) and any(
        len(word) >= _LETTERS and (word.startswith(hash_) or hash_.startswith(word))
        for word in named
    )
