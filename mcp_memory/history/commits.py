"""Commits: a repository's history as git tells it, one trajectory a month, one step a commit."""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from mcp_memory.domain import projects, refs
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import SourceClass, Step, ToolCall, Trajectory
from mcp_memory.trajectories.linking import Commit, Link

FORMAT = "git"
VERSION = 1
MOST_BYTES = 256_000_000
"""What is read of a history, newest first; older commits are left out, and that is told."""
MOST_FILES = 200
MESSAGE_CHARS = 20_000
_FIELDS = 5
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_COUNTED = re.compile(r"(\d+|-)\t(\d+|-)\t(.+)", re.DOTALL)
_SETTINGS = (
    "core.quotePath=false",
    "log.showSignature=false",
    "log.mailmap=false",
    f"diff.orderFile={os.devnull}",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
)
_LOG = (
    "log",
    "-z",
    "--topo-order",
    "--numstat",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-diff-merges",
    "--no-relative",
    "--no-color",
    "--encoding=UTF-8",
    "--format=tformat:%H%x00%an%x00%at%x00%ct%x00%B",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit as git tells it; the author's address is never asked for."""

    hash: str
    author: str
    authored: datetime
    committed: datetime
    message: str
    files: tuple[tuple[str, str, str], ...]
    """Lines added, lines removed (`-` of a binary file), path."""

    @property
    def commit(self) -> Commit:
        """What links look at."""
        subject = self.message.partition("\n")[0]
        paths = tuple(path for _, _, path in self.files)
        return Commit(hash=self.hash, at=self.authored, subject=subject, files=paths)


@dataclass(frozen=True, slots=True)
class History:
    """Commits oldest first; `whole` is False when older ones were left out."""

    project: str
    entries: tuple[Entry, ...]
    whole: bool


def read(path: Path, *, most_bytes: int = MOST_BYTES) -> History:
    """The commits that branches and HEAD reach; blocking, to be run in a thread.

    Raises:
        InvalidInput: git is missing, or the path is no repository that it will read.
    """
    place = path.absolute()
    project = projects.project_of(str(place))
    _run(place, ("rev-parse", "--git-dir"), 4096)
    head = _run(place, ("rev-parse", "-q", "--verify", "HEAD"), 4096, failing=True)[0]
    tips = ("--branches", "HEAD") if head.strip() else ("--branches",)
    told, whole = _run(place, (*_LOG, *tips, "--"), most_bytes)
    entries = _parsed(told.decode("utf-8", "replace").split("\0"), whole=whole)
    return History(project, tuple(reversed(entries)), whole)


def trajectories(
    history: History,
    before: Mapping[str, Sequence[Step]],
    links: Mapping[str, Sequence[Link]],
) -> list[Trajectory]:
    """One trajectory a month (of commit, in UTC); `before` has the steps of each that are kept.

    A commit keeps the step it was first given. One that no branch reaches any more, after a rebase
    or an amend, stays and is marked abandoned; its successor is a new step at the end.
    """
    months: dict[str, list[Entry]] = defaultdict(list)
    for entry in history.entries:
        months[f"{entry.committed:%Y-%m}"].append(entry)
    reached = {entry.hash: entry for entry in history.entries}
    made = []
    ids = {refs.trajectory_id(FORMAT, native_id(history.project, m)): m for m in months}
    for id_, month in ids.items():
        kept = before.get(id_, ())
        steps = [_again(step, reached, links, whole=history.whole) for step in kept]
        had = {commit_of(step) for step in kept}
        number = max((step.number for step in kept), default=0)
        for entry in months[month]:
            if entry.hash not in had:
                number += 1
                steps.append(_step(number, entry, links.get(entry.hash, ())))
        made.append(_trajectory(history.project, month, id_, steps))
    return made


def native_id(project: str, month: str) -> str:
    """What names a month of a repository."""
    return f"{project}@{month}"


def commit_of(step: Step) -> str:
    """The hash of the commit that a step is; empty when its words are gone."""
    told = step.calls[0].arguments.get("commit") if step.calls else ""
    return told if isinstance(told, str) else ""


def _again(
    step: Step, reached: Mapping[str, Entry], links: Mapping[str, Sequence[Link]], *, whole: bool
) -> Step:
    """The step as it is known, with its links of now; without history, as it was."""
    hash_ = commit_of(step)
    if hash_ in reached:
        return _step(step.number, reached[hash_], links.get(hash_, ()))
    return step.model_copy(update={"abandoned": True}) if whole and hash_ else step


def _step(number: int, entry: Entry, links: Iterable[Link]) -> Step:
    shown = entry.files[:MOST_FILES]
    arguments: dict[str, JsonValue] = {
        "commit": entry.hash,
        "author": entry.author,
        "date": entry.authored.isoformat(),
        "files": [f"{path} +{added} -{removed}" for added, removed, path in shown],
    }
    if len(entry.files) > MOST_FILES:
        arguments["more_files"] = len(entry.files) - MOST_FILES
    told: list[JsonValue] = [each.told for each in links]
    if told:
        arguments["sessions"] = told
    paths = tuple(path for _, _, path in shown)
    call = ToolCall(id=entry.hash, name="commit", arguments=arguments, paths=paths, edits=True)
    return Step(
        number=number,
        kind="agent",
        text=f"{entry.message[:MESSAGE_CHARS]}\n\ncommit {entry.hash}",
        calls=(call,),
        at=entry.authored,
        source=SourceClass.EXTERNAL,
    )


def _trajectory(project: str, month: str, id_: str, steps: Sequence[Step]) -> Trajectory:
    times = [step.at for step in steps if step.at]
    title = f"Commits of {month} in {projects.pure_path(project).name}"
    return Trajectory(
        id=id_,
        format=FORMAT,
        native_id=native_id(project, month),
        title=title,
        cwd=project,
        started_at=datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC),
        ended_at=max(times, default=None),
        steps=tuple(steps),
    )


def _parsed(pieces: Sequence[str], *, whole: bool) -> list[Entry]:
    """Fields stand between NULs, which no message or path can hold; the cut last one is dropped."""
    entries: list[Entry] = []
    place = 0
    while place + _FIELDS <= len(pieces):
        if not _HASH.fullmatch(pieces[place]):
            place += 1
            continue
        hash_, author, authored, committed, message = pieces[place : place + _FIELDS]
        place += _FIELDS
        files: list[tuple[str, str, str]] = []
        while place < len(pieces) and not _HASH.fullmatch(pieces[place]):
            if found := _COUNTED.fullmatch(pieces[place].lstrip("\n")):
                files.append((found[1], found[2], found[3]))
            place += 1
        times = (_time(authored), _time(committed))
        entries.append(Entry(hash_, author, *times, message.strip(), tuple(files)))
    return entries if whole else entries[:-1]


def _time(seconds: str) -> datetime:
    """A moment; what no calendar holds, as forged dates do, is the beginning of time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _run(
    place: Path, arguments: Sequence[str], most: int, *, failing: bool = False
) -> tuple[bytes, bool]:
    """What git prints, at most so many bytes, and whether that is all."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", "--no-pager", *settings, "-C", str(place), *arguments]
    try:
        with subprocess.Popen(  # noqa: S603 fixed arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as child:
            out = child.stdout.read(most + 1) if child.stdout else b""
            if len(out) > most:
                child.kill()
                return out[:most], False
    except FileNotFoundError:
        raise InvalidInput(
            "git is not installed.", next_step="Install git, and ask again."
        ) from None
    if child.returncode and not failing:
        raise InvalidInput(
            f"git cannot read a repository at {place}.",
            next_step="Name a folder inside a git repository that you own.",
        )
    return out, True


def _environment() -> dict[str, str]:
    """Nothing of the user's settings: no hooks, no prompts, no fetching, one language."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
