"""Memory files: each live memory as Markdown with front matter, and what a person made of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from mcp_memory.domain import replacing
from mcp_memory.domain.models import Draft, Frozen, Memory
from mcp_memory.domain.projects import USER
from mcp_memory.text import front_matter
from mcp_memory.trajectories.naming import project_folder

NOTES = ".written.json"
"""Beside the files: which ref each is of, and how it was written."""
MOST_BYTES = 256 * 1024
_OWN = (
    "title", "kind", "when_to_use", "not_when", "files", "tags", "project", "valid_from", "valid_to"
)  # fmt: skip
"""What a person may change in the front matter, besides the text below it."""
_LISTS = ("files", "tags")
_TIMES = ("valid_from", "valid_to")
_SLUG = re.compile(r"[^\w]+")
_SLUG_CHARS = 48


class Written(Frozen):
    """A file as it was written."""

    ref: str
    version: int
    digest: str
    size: int = 0
    mtime_ns: int = 0


class Edited(Frozen):
    """What a person made of a file."""

    draft: Draft
    ref: str = ""
    """The memory that the front matter names; empty for a file of the person's own."""
    standing: str = ""


def text_of(memory: Memory) -> str:
    """A memory as a file: what may be changed first, then what is only told."""
    told: dict[str, Any] = {"ref": memory.ref}
    for name in _OWN:
        value = getattr(memory, name)
        told[name] = (
            list(value) if name in _LISTS else _time(value) if name in _TIMES else str(value)
        )
    told |= {
        "standing": memory.standing.value,
        "source": memory.source.value,
        "trust": memory.trust,
        "version": memory.version,
        "learned": memory.created_at.astimezone(UTC).date().isoformat(),
        "evidence": [each.ref for each in memory.evidence],
    }
    return front_matter.joined({k: v for k, v in told.items() if v not in ("", [])}, memory.text)


def _time(at: datetime | None) -> str:
    """A day, where it begins with one; else the moment."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return at.date().isoformat() if at.time() == time() else at.isoformat()


def read(text: str) -> Edited:
    """What a file says.

    Raises:
        ValueError: it is broken: the message says how, without its words.
    """
    told, body = front_matter.split(text)
    own = {name: told[name] for name in _OWN if told.get(name) not in (None, "", [])}
    for name in _LISTS:
        value = own.get(name, ())
        own[name] = (value,) if isinstance(value, str) else tuple(map(str, value))
    if not body.strip():
        raise ValueError("there is no text below the front matter")
    try:
        draft = Draft.model_validate({**own, "text": body.strip()})
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise ValueError(f"what it says of {', '.join(places)} is of the wrong kind") from error
    return Edited(
        draft=draft,
        ref=str(told.get("ref") or ""),
        standing=str(told.get("standing") or ""),
    )


class MemoryFolder:
    """The folder of memory files. Its methods block: call them in a worker thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def notes(self) -> dict[str, Written]:
        """File name to how it was written; nothing where that is not known."""
        try:
            told = orjson.loads((self.root / NOTES).read_bytes())
            return {str(name): Written.model_validate(each) for name, each in told.items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def note(self, notes: Mapping[str, Written]) -> None:
        """Remember how files were written."""
        told = {name: notes[name].model_dump(mode="json") for name in sorted(notes)}
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        replacing.replace(self.root / NOTES, orjson.dumps(told))

    def found(self) -> Iterator[str]:
        """The names of all files, `/`-separated below the folder; links are not followed."""
        for path in sorted(self.root.rglob("*.md")):
            below = path.relative_to(self.root)
            hidden = any(part.startswith(".") for part in below.parts)
            if not hidden and path.is_file() and not path.is_symlink():
                yield below.as_posix()

    def changed(self, name: str, written: Written | None) -> str | None:
        """The text of a file that is not as it was written; None where it is.

        Raises:
            ValueError: it is too large, or no text.
            OSError: it cannot be read.
        """
        path = self.root / name
        stamp = path.stat()
        if written and (stamp.st_size, stamp.st_mtime_ns) == (written.size, written.mtime_ns):
            return None
        if stamp.st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES >> 10} KB")
        raw = path.read_bytes()
        if written and digest(raw) == written.digest:
            return None
        return raw.decode("utf-8")

    def write(self, name: str, memory: Memory) -> Written:
        """Put a memory into its file."""
        raw = text_of(memory).encode()
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replacing.replace(path, raw)
        stamp = path.stat()
        return Written(
            ref=memory.ref,
            version=memory.version,
            digest=digest(raw),
            size=stamp.st_size,
            mtime_ns=stamp.st_mtime_ns,
        )

    def remove(self, refs: Iterable[str]) -> None:
        """Take the files of these memories away, whatever was made of them."""
        gone, notes = set(refs), self.notes()
        for name, written in list(notes.items()):
            if written.ref in gone:
                (self.root / name).unlink(missing_ok=True)
                del notes[name]
        if self.root.is_dir():
            self.note(notes)


def name_of(memory: Memory, taken: Iterable[str]) -> str:
    """A free name for a memory's file: its project's folder, and how it begins."""
    folder = USER if memory.project == USER else project_folder(memory.project)
    words = _SLUG.sub("-", (memory.title or memory.text)[:200].lower()).strip("-")
    slug = words[:_SLUG_CHARS].rpartition("-")[0] if len(words) > _SLUG_CHARS else words
    id_ = memory.ref.removeprefix("m:")
    name = f"{folder}/{slug or 'memory'}-{id_[:6]}.md"
    return name if name not in set(taken) else f"{folder}/{slug or 'memory'}-{id_}.md"


def digest(raw: bytes) -> str:
    """By which a file is known to be as it was written."""
    return sha256(raw).hexdigest()
