"""Trusting: what a user released of what is held back, and which sources are distrusted as a whole."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.domain import stamped
from mcp_memory.domain.replacing import replace

FILE = "trust.json"
"""Name of the file, in the home; made from the ledger, so that a decision can be undone."""
LEAST_NAME = 4
"""Letters of a path or a host that is distrusted: a shorter one would stand everywhere."""


@dataclass(frozen=True, slots=True)
class Trusting:
    """A user's decisions on what is told; a value, read anew whenever its file changed."""

    released: frozenset[str] = frozenset()
    """Refs of records that are told though they would be held back."""
    distrusted: frozenset[str] = frozenset()
    """Sessions, files, hosts and memories of which nothing is told unasked."""

    def releases(self, ref: str) -> bool:
        """Whether the user released a record, or the session that it is of."""
        return ref in self.released or ref.partition("#")[0] in self.released

    def distrusts(self, refs: Iterable[str], text: str = "") -> bool:
        """Whether a record is of a distrusted source, by one of its refs or by a name in its text."""
        if not self.distrusted:
            return False
        if any(ref in self.distrusted or ref.partition("#")[0] in self.distrusted for ref in refs):
            return True
        low = text.casefold()
        return any(len(name) >= LEAST_NAME and name.casefold() in low for name in self.distrusted)


def read(home: Path) -> Trusting:
    """The decisions on a home's records; none where there is no file, or none that can be read."""
    try:
        return stamped.read(home / FILE, _made)
    except (OSError, ValueError, KeyError, TypeError):
        return Trusting()


def _made(data: bytes) -> Trusting:
    told = json.loads(data)
    return Trusting(frozenset(told["released"]), frozenset(told["distrusted"]))


def write(home: Path, trusting: Trusting) -> None:
    """Keep them, whole or not at all.

    Raises:
        OSError: it cannot be written; the former file is still whole.
    """
    told = {"released": sorted(trusting.released), "distrusted": sorted(trusting.distrusted)}
    replace(home / FILE, json.dumps(told, indent=1).encode())
