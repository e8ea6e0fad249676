"""Ready: what hooks may say of a project, made beforehand in one small file; read without libraries."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mcp_memory.domain import privacy
from mcp_memory.domain.replacing import replace

VERSION = 1
MOST_BYTES = 2_000_000
"""A larger file was not made here: it is not read."""
DISTINCT_WORDS = 4
"""An error of fewer words is met in many places: its command must be the same one too."""
_DAY = 86_400
KEPT_DAYS = 14
"""How long it is remembered what a session was told."""


class Saying(NamedTuple):
    """A text for the model, marked as data, and the refs it stands on."""

    text: str
    refs: tuple[str, ...]
    commands: tuple[str, ...] = ()
    """Of a mended error: the commands that met it, folded."""


class Ready(NamedTuple):
    """All that hooks may say of one project."""

    project: str
    digest: Saying | None = None
    errors: Mapping[str, Saying] = {}
    """By the error's signature."""
    files: Mapping[str, Saying] = {}
    """By the file's path in the project, with `/`; a bare name stands for every file called so."""

    def of_error(
        self, signature: str, commands: tuple[str, ...], *, sure: bool = True
    ) -> Saying | None:
        """What mended an error.

        One that says little, or of which it is not `sure` that it was one, is known only by the
        command that met it before.
        """
        said = self.errors.get(signature)
        if said is None or not signature:
            return None
        words = [word for word in signature.split() if any(map(str.isalpha, word))]
        known = bool(set(commands) & set(said.commands))
        return said if known or (sure and len(words) >= DISTINCT_WORDS) else None

    def of_file(self, path: str) -> Saying | None:
        """What is known to go wrong with a file, named by its path in the project."""
        return self.files.get(path) or self.files.get(path.rpartition("/")[2])


def folder(home: Path) -> Path:
    """Where a bank keeps what belongs to hooks."""
    return home / "hooks"


def read(home: Path, project: str) -> Ready | None:
    """What was made for a project; None where there is nothing, or nothing that can be read."""
    file = file_of(home, project)
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        told = json.loads(file.read_bytes())
        if told["version"] != VERSION or told["project"] != project:
            return None
        return Ready(
            project,
            _saying(told["digest"]) if told["digest"] else None,
            {name: _saying(said) for name, said in told["errors"].items()},
            {name: _saying(said) for name, said in told["files"].items()},
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def write(home: Path, made: Ready) -> None:
    """Replace a project's file at once; one with nothing to say has none.

    Raises:
        OSError: it cannot be written; the former one is still whole.
    """
    file = file_of(home, made.project)
    if not (made.digest or made.errors or made.files):
        file.unlink(missing_ok=True)
        return
    told = {
        "version": VERSION,
        "project": made.project,
        "digest": made.digest and made.digest._asdict(),
        "errors": {name: said._asdict() for name, said in made.errors.items()},
        "files": {name: said._asdict() for name, said in made.files.items()},
    }
    privacy.make(file.parent)
    replace(file, json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))


def clear(home: Path) -> None:
    """Take every project's file away: silence is right until they are made again."""
    for file in _files(home):
        file.unlink(missing_ok=True)


def known(home: Path) -> list[str]:
    """The names of the files there are."""
    return sorted(file.name for file in _files(home))


def prune(home: Path, names: frozenset[str]) -> None:
    """Take away the files of other projects than these, and what sessions long gone were told."""
    for file in _files(home):
        if file.name not in names:
            file.unlink(missing_ok=True)
    import time

    oldest = time.time() - KEPT_DAYS * _DAY
    for session in (folder(home) / "told").glob("*"):
        if session.is_dir() and session.stat().st_mtime < oldest:
            for mark in session.iterdir():
                mark.unlink(missing_ok=True)
            session.rmdir()


def first_time(home: Path, session: str, what: str) -> bool:
    """Whether a session is told this for the first time; of two hooks at once only one is told so."""
    marks = folder(home) / "told" / short(session)
    privacy.make(marks)
    try:
        os.close(os.open(marks / short(what), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def short(text: str) -> str:
    """A name for a text that does not tell it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def file_of(home: Path, project: str) -> Path:
    """The file of a project, which need not exist."""
    return folder(home) / "ready" / f"{short(project)}.json"


def _files(home: Path) -> Iterator[Path]:
    return (folder(home) / "ready").glob("*.json")


def _saying(told: Mapping[str, object]) -> Saying:
    text, refs, commands = told["text"], told["refs"], told.get("commands", ())
    if not (isinstance(text, str) and isinstance(refs, list) and isinstance(commands, list)):
        raise TypeError(type(text).__name__)
    return Saying(text, tuple(map(str, refs)), tuple(map(str, commands)))
