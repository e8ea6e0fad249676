"""Ready: what hooks may say of a project, made beforehand in one small file; read without libraries."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mcp_memory.domain import privacy
from mcp_memory.domain.replacing import replace

VERSION = 2
MOST_BYTES = 2_000_000
"""A larger file was not made here: it is not read."""
SURE = 0.8
"""From how sure on something is said where nothing else was chosen: of ten sayings eight help."""


class Saying(NamedTuple):
    """A text for the model, marked as data, and the refs it stands on."""

    text: str
    refs: tuple[str, ...]
    heads: tuple[str, ...] = ()
    """Of an error or a command: the programs that met it, with their subcommands; empty: any."""
    follows: tuple[str, ...] = ()
    """What an agent runs or edits that goes by it."""
    needs: tuple[str, ...] = ()
    """Files without which it applies no more."""
    sure: float = 1.0
    """The share of such sayings that helped where they were measured."""


class Told(NamedTuple):
    """One line of the briefing, best first within its section."""

    section: str
    text: str
    ref: str
    own: str = ""
    """Of a session: its host's name for it, hashed; to itself it is no news."""


class Undone(NamedTuple):
    """A change of a file that was taken back: the lines that it had put in, and what is said of it."""

    lines: tuple[str, ...]
    said: Saying


class Ready(NamedTuple):
    """All that hooks may say of one project."""

    project: str
    briefing: tuple[Told, ...] = ()
    errors: Mapping[str, tuple[Saying, ...]] = {}
    """By the error's cause, without the place where it was met; surest first."""
    files: Mapping[str, Saying] = {}
    """By the file's path in the project, with `/`; a bare name stands for every file called so."""
    undone: Mapping[str, tuple[Undone, ...]] = {}
    """By path: changes that were taken back, newest first."""
    forms: Mapping[str, Saying] = {}
    """By the folded command: the form of it that works here, where the bare one does not."""
    changed: Mapping[str, tuple[str, str]] = {}
    """By path: which session changed the file last, and the ref that shows it."""
    landed: tuple[str, ...] = ()
    """Commits that recorded sessions made, as short hashes."""
    last: int = 0
    """When the newest recorded session ended, in seconds of the epoch."""

    def of_error(self, kinds: Sequence[str], heads: Sequence[str], least: float) -> Saying | None:
        """The surest of what is known of an error, by its causes, most telling first."""
        for kind in kinds:
            for said in self.errors.get(kind, ()):
                if said.sure >= least and (not said.heads or set(said.heads) & set(heads)):
                    return said
        return None

    def of_file(self, path: str) -> Saying | None:
        """What is known to go wrong with a file, named by its path in the project."""
        return self.files.get(path) or self.files.get(path.rpartition("/")[2])

    def of_change(self, path: str, lines: frozenset[str], least: float) -> Saying | None:
        """What became of a change before, where an edit puts in all its lines again."""
        for each in self.undone.get(path, ()):
            if each.said.sure >= least and lines.issuperset(each.lines):
                return each.said
        return None

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say."""
        told = (self.briefing, self.errors, self.files, self.undone, self.forms, self.changed)
        return not any(told)


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
        return _made(told)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def write(home: Path, made: Ready) -> None:
    """Replace a project's file at once; one with nothing to say has none.

    Raises:
        OSError: it cannot be written; the former one is still whole.
    """
    file = file_of(home, made.project)
    if made.silent:
        file.unlink(missing_ok=True)
        return
    privacy.make(file.parent)
    told = {"version": VERSION, **made._asdict()}
    replace(file, json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))


def clear(home: Path, wanted: Iterable[str] | None = None) -> None:
    """Take every project's file away, or these: silence is right until they are made again."""
    if wanted is not None:
        _again(home).parent.mkdir(parents=True, exist_ok=True)
        _again(home).touch()
    for file in _files(home) if wanted is None else (file_of(home, one) for one in wanted):
        file.unlink(missing_ok=True)


def known(home: Path) -> list[str]:
    """The names of the files there are; none while some were taken away and not made again."""
    return [] if _again(home).exists() else sorted(file.name for file in _files(home))


def made(home: Path) -> None:
    """All that were taken away are made again."""
    _again(home).unlink(missing_ok=True)


def _again(home: Path) -> Path:
    return folder(home) / "ready" / "again"


def current(home: Path) -> bool:
    """Whether all that is to be there is, and of this version: files of another say nothing."""
    if _again(home).exists():
        return False
    begins = f'{{"version": {VERSION},'.encode()
    found = list(_files(home))
    return bool(found) and all(file.read_bytes()[: len(begins)] == begins for file in found)


def prune(home: Path, names: frozenset[str]) -> None:
    """Take away the files of other projects than these."""
    for file in _files(home):
        if file.name not in names:
            file.unlink(missing_ok=True)


def short(text: str) -> str:
    """A name for a text that does not tell it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def file_of(home: Path, project: str) -> Path:
    """The file of a project, which need not exist."""
    return folder(home) / "ready" / f"{short(project)}.json"


def _files(home: Path) -> Iterator[Path]:
    return (folder(home) / "ready").glob("*.json")


def _made(told: Mapping[str, Any]) -> Ready:
    return Ready(
        project=told["project"],
        briefing=tuple(Told(*map(_text, line)) for line in told["briefing"]),
        errors={name: tuple(map(_saying, each)) for name, each in told["errors"].items()},
        files={name: _saying(said) for name, said in told["files"].items()},
        undone={
            name: tuple(Undone(tuple(map(_text, lines)), _saying(said)) for lines, said in each)
            for name, each in told["undone"].items()
        },
        forms={name: _saying(said) for name, said in told["forms"].items()},
        changed={name: (_text(said), _text(ref)) for name, (said, ref) in told["changed"].items()},
        landed=tuple(map(_text, told["landed"])),
        last=int(told["last"]),
    )


def _saying(told: Sequence[Any]) -> Saying:
    text, refs, heads, follows, needs, sure = told
    return Saying(
        _text(text),
        refs=tuple(map(_text, refs)),
        heads=tuple(map(_text, heads)),
        follows=tuple(map(_text, follows)),
        needs=tuple(map(_text, needs)),
        sure=float(sure),
    )


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError(type(told).__name__)
    return told
