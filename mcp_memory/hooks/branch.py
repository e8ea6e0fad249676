"""Branch: where a repository stands, and what came into it by no recorded session; read as plain files."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mcp_memory.domain.projects import git_folder
from mcp_memory.text import cutting

MOST_READ = 64_000
"""Bytes of the end of the log of HEAD."""
MOST_NAMED = 3
LEAST_HASH, SHOWN_HASH = 7, 7
_MADE = re.compile(r"(?:commit|cherry-pick|revert|am)(?: \((?P<how>[\w-]+)\))?: (?P<subject>.*)")
_CAME = re.compile(r"(?:pull|merge|rebase|reset)\b")
_UNDER_WAY = re.compile(r"\((?:start|pick|continue|squash|fixup|edit|reword|abort)\)")
_STRANGE = re.compile(r"[^\w .,:;/()#'+&=-]")
_TELLS = re.compile(
    r"(?i)\b(?:ignore|disregard|instruct\w*|system|assistant|you|must|http\w*|prompt)\b"
)
"""Whoever may push writes subjects: one that talks to its reader is left out."""
SUBJECT_CHARS = 60


class Came(NamedTuple):
    """One entry of the log: a commit, or HEAD moved by a pull, merge, rebase or reset."""

    hash: str
    subject: str
    what: str


def line(cwd: Path, since: int, known: Iterable[str]) -> str:
    """What a repository's state is told as; empty where there is none, or nothing came."""
    git = _git(cwd)
    if git is None:
        return ""
    came = list(_came(git, since, tuple(known)))
    if not came:
        return ""
    day = datetime.fromtimestamp(since, UTC).date().isoformat()
    named = "; ".join(_named(one) for one in reversed(came[-MOST_NAMED:]))
    more = len(came) - MOST_NAMED
    left = f"; and {more} before" if more > 0 else ""
    return f"on `{_branch(git)}`; since {day}, by no recorded session: {named}{left}"


def _named(one: Came) -> str:
    short = one.hash[:SHOWN_HASH]
    return f"{short} {one.subject}".rstrip() if one.what == "commit" else f"{one.what} to {short}"


def _came(git: Path, since: int, known: tuple[str, ...]) -> Iterator[Came]:
    made = {one[:LEAST_HASH] for one in known if len(one) >= LEAST_HASH}
    replaced: dict[str, Came] = {}
    for old, new, at, told in _log(git):
        if at <= since or new[:LEAST_HASH] in made:
            continue
        commit = _MADE.fullmatch(told)
        if commit is not None:
            if commit["how"] == "amend":
                replaced.pop(old, None)
            replaced[new] = Came(new, _subject(commit["subject"]), "commit")
            continue
        moved = _CAME.match(told)
        if moved is not None and not _UNDER_WAY.search(told):
            replaced[new] = Came(new, "", moved[0])
    yield from replaced.values()


def _log(git: Path) -> Iterator[tuple[str, str, int, str]]:
    """Entries of HEAD's log, oldest first: before, after, when, what."""
    try:
        with (git / "logs" / "HEAD").open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - MOST_READ))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for each in lines[size > MOST_READ :]:
        head, _, told = each.partition("\t")
        words = head.split()
        if len(words) > 4 and words[-2].isdigit():  # noqa: PLR2004 two hashes, who, when, zone
            yield words[0], words[1], int(words[-2]), told


def _branch(git: Path) -> str:
    try:
        head = (git / "HEAD").read_text("utf-8", "replace").strip()
    except OSError:
        return "?"
    name = head.removeprefix("ref: refs/heads/")
    return (
        cutting.head(_STRANGE.sub("", name), SUBJECT_CHARS) if name != head else head[:SHOWN_HASH]
    )


def _git(cwd: Path) -> Path | None:
    """The folder in which git keeps this checkout's HEAD; a relative path would be looked for here."""
    if not cwd.is_absolute():
        return None
    for place in (cwd, *cwd.parents):
        marker = place / ".git"
        if marker.is_dir() or marker.is_file():
            return git_folder(marker)
    return None


def _subject(text: str) -> str:
    plain = _STRANGE.sub("", text)
    return "" if _TELLS.search(plain) else cutting.head(plain.rstrip(), SUBJECT_CHARS)
