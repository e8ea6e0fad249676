"""Plugging: our hooks as a plugin of a host that takes them in its own language, in a file of our own."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing.changes import Change, Kind, raw, real
from mcp_memory.hosts.installing.targets import TARGETS, Target

_MARK = b"// mcp-memory: "
_HOOK = '"@HOOK@"'


@dataclass(frozen=True, slots=True)
class Plugged:
    """One host that loads plugins: where ours lies, and the text that it is made of."""

    host: str
    file: Callable[[], Path]
    source: Path
    """A text in which the hook's command is to be put."""

    @property
    def target(self) -> Target:
        """The host itself."""
        return next(target for target in TARGETS if target.name == self.host)


def plan_plugin(plugged: Plugged, argv: Sequence[str]) -> Change:
    """The change that gives a host our plugin, idempotent.

    Raises InvalidInput where a file of that name is another's.
    """
    file = real(plugged.file())
    before = raw(file)
    _ours(plugged, file, before)
    after = plugged.source.read_text("utf-8").replace(_HOOK, json.dumps(list(argv))).encode()
    kind: Kind = "added" if before is None else "unchanged" if after == before else "updated"
    return Change(plugged.target, "", file, kind, before, after)


def plan_no_plugin(plugged: Plugged) -> Change:
    """The change that takes our plugin away.

    Raises InvalidInput where a file of that name is another's.
    """
    file = real(plugged.file())
    before = raw(file)
    _ours(plugged, file, before)
    kind: Kind = "absent" if before is None else "removed"
    return Change(plugged.target, "", file, kind, before, None)


def _ours(plugged: Plugged, file: Path, text: bytes | None) -> None:
    if text is not None and not text.startswith(_MARK):
        raise InvalidInput(
            f"{plugged.target.title} has another plugin in {file}.",
            next_step="Rename that file. Nothing was changed.",
        )
