"""Memo: what of which transcript was pushed where, so that an unchanged one is not opened again."""

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from mcp_memory import readers
from mcp_memory.domain import privacy
from mcp_memory.domain.models import Frozen
from mcp_memory.domain.refs import short_digest
from mcp_memory.domain.replacing import replace
from mcp_memory.history.wire import Holding, Mark
from mcp_memory.text import redaction
from mcp_memory.trajectories.terms import Stamp

VERSION = 1


class Pushed(Frozen):
    """A transcript as it was when it was pushed: its sessions with their marks, and refusals."""

    size: int
    mtime_ns: int
    terms: str = ""
    """Under which terms, as a digest: others may let more of it leave."""
    marks: Mapping[str, Mark] = {}
    refused: Mapping[str, str] = {}
    """Session to why the remote bank did not take it."""


class _Told(Frozen):
    reading: str
    bank: str = ""
    """Its address: a purge here names it among the copies that it does not reach."""
    names: Mapping[str, str] = {}
    files: Mapping[str, Pushed] = {}


class Memo:
    """What was pushed to one bank; the bank itself is asked before it is believed.

    The file is derived and holds no text: without it every transcript is opened once more.
    """

    def __init__(self, folder: Path, address: str, terms: object) -> None:
        named = hashlib.sha256(address.encode()).hexdigest()[:16]
        self._bank = address
        self._file = folder / f"{named}.json"
        self._reading = short_digest((VERSION, redaction.RULES_VERSION, readers.versions()))
        self._terms = short_digest(repr(terms))
        kept = self._loaded()
        self.names = dict(kept.names)
        self._files = dict(kept.files) if kept.reading == self._reading else {}

    def pushed(self, path: Path, now: Stamp) -> Pushed | None:
        """What was pushed of a transcript that has not changed since."""
        known = self._files.get(str(path))
        if known is None or known.terms != self._terms:
            return None
        return known if Stamp(known.size, known.mtime_ns) == now else None

    def note(
        self, path: Path, now: Stamp, *, marks: Mapping[str, Mark], refused: Mapping[str, str]
    ) -> None:
        """Remember what of a transcript was pushed, and why the rest was not."""
        self._files[str(path)] = Pushed(
            size=now.size, mtime_ns=now.mtime_ns, terms=self._terms, marks=marks, refused=refused
        )

    def save(self) -> None:
        """Write what was noted, whole or not at all."""
        privacy.make(self._file.parent)
        told = _Told(reading=self._reading, bank=self._bank, names=self.names, files=self._files)
        replace(self._file, told.model_dump_json().encode())

    def _loaded(self) -> _Told:
        with contextlib.suppress(OSError, ValidationError):
            return _Told.model_validate_json(self._file.read_bytes())
        return _Told(reading="")


def unchanged(pushed: Pushed, held: Mapping[str, Holding], *, again: bool) -> bool:
    """Whether the bank still has what was pushed; refusals stand unless they are tried `again`."""
    if pushed.refused and again:
        return False
    return all(
        id_ in held and (held[id_].own or _reaches(held[id_], mark))
        for id_, mark in pushed.marks.items()
    )


def _reaches(held: Holding, mark: Mark) -> bool:
    same = (held.steps, held.digest, held.head) == (mark.steps, mark.digest, mark.head)
    return same or held.steps > mark.steps
