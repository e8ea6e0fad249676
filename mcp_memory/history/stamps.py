"""Stamps: which transcripts need not be opened again, because neither they nor their reading changed."""

import contextlib
from pathlib import Path

import orjson

from mcp_memory import readers
from mcp_memory.domain.refs import short_digest
from mcp_memory.domain.replacing import replace
from mcp_memory.domain.reports import FileReport
from mcp_memory.text import redaction
from mcp_memory.trajectories import terms
from mcp_memory.trajectories.terms import Allowance, Stamp, spelled

STAMPS = "stamps.json"
"""Name of the file, in the store's folder: where the store goes, it goes."""
_ALWAYS = ""


class Stamps:
    """Files that gave nothing to write, by path; and whether the last run read as this one would.

    What gave sessions stands in the catalogue. The file is derived: without it all is read again.
    """

    def __init__(self, file: Path, allowance: Allowance) -> None:
        self._file = file
        self._allowed = short_digest((allowance.include, allowance.exclude, allowance.only_project))
        self._reading = short_digest(
            (
                terms.VERSION,
                redaction.RULES_VERSION,
                allowance.step_chars,
                readers.versions(),
            )
        )
        told = _loaded(file)
        self.current = told.get("reading") == self._reading
        """False after an upgrade that reads anything otherwise: no file counts as unchanged."""
        kept = told.get("fruitless") if self.current else None
        self._fruitless: dict[str, list[object]] = kept if isinstance(kept, dict) else {}
        self._changed = not self.current

    def unchanged(self, path: Path, now: Stamp, catalogued: Stamp | None) -> bool:
        """Whether a file is as it was when it was read last, to the same end."""
        if catalogued == now:
            return self.current
        noted = self._fruitless.get(_shown(path))
        return any(noted == [*_pair(now), way] for way in (_ALWAYS, self._allowed))

    def note(self, report: FileReport, now: Stamp) -> None:
        """Remember a file that gave nothing; one that was excluded, under these terms only."""
        key = _shown(report.path)
        if report.status == "indexed":
            self._changed |= self._fruitless.pop(key, None) is not None
            return
        way = self._allowed if report.status == "excluded" else _ALWAYS
        self._fruitless[key] = [*_pair(now), way]
        self._changed = True

    def save(self) -> None:
        """Write what was noted, whole or not at all."""
        if not self._changed:
            return
        told = {"reading": self._reading, "fruitless": self._fruitless}
        replace(self._file, orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
        self.current, self._changed = True, False


def _shown(path: Path) -> str:
    return redaction.redact(spelled(path)).text


def _pair(stamp: Stamp) -> tuple[int, int]:
    return stamp.size, stamp.mtime_ns


def _loaded(file: Path) -> dict[str, object]:
    with contextlib.suppress(OSError, orjson.JSONDecodeError):
        told = orjson.loads(file.read_bytes())
        if isinstance(told, dict):
            return told
    return {}
