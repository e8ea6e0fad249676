"""Changes to hosts' settings: planned, carried out one by one, told to a person and to a program."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import click

from mcp_memory.cli import ending
from mcp_memory.cli.drawing.screen import Page, short
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.hosts.installing.changes import Change, apply, plan_install, plan_uninstall
from mcp_memory.hosts.installing.hooking import HOOKS, Hooked, plan_hooks, plan_no_hooks
from mcp_memory.hosts.installing.launch import Launch, launch
from mcp_memory.hosts.installing.plugging import Plugged
from mcp_memory.hosts.installing.targets import TARGETS, Target

NAMES = click.Choice([target.name for target in TARGETS])
Part = Literal["server", "hooks"]
_PARTS = {"server": "the server", "hooks": "hooks"}
_SENTENCES = {
    "added": "{part} into {file}",
    "updated": "{part} brought up to date in {file}",
    "unchanged": "{part} already in {file}, left as it is",
    "removed": "{part} out of {file}",
    "restored": "{part} out of {file}, which is then as it was before",
    "absent": "{part} not in {file}, nothing to do",
}
"""What each kind of change comes to; the mark before it says whether it is done."""
IDLE = frozenset({"unchanged", "absent"})
"""Kinds that change nothing."""


@dataclass(slots=True)
class Planned:
    """One change: of which host, what it puts where, and how it is planned anew."""

    target: Target
    part: Part
    plan: Callable[[], Change]
    change: Change | None = None
    """None where it is refused."""
    refused: str = ""
    standing: str = ""
    """What the host's own command says of our server."""

    @property
    def news(self) -> bool:
        """Whether anything is to be changed."""
        return self.change is not None and self.change.kind not in IDLE

    def look(self, *, write: bool = False) -> None:
        """Plan it from the file as it is, and write it where that is wanted."""
        self.change, self.refused = None, ""
        try:
            change = self.plan()
            if write:
                apply(change)
            self.change = change
        except InvalidInput as error:
            self.refused = str(error)

    def lines(self, page: Page, *, done: bool) -> Iterator[Any]:
        """It for a person: what it comes to, and what its user must still do."""
        change, part = self.change, _PARTS[self.part]
        if change is None:
            told = f"{self.target.title}: {self.refused}"
            yield page.labelled("!", told, wide=1, style="warn")
            return
        sentence = _SENTENCES[change.kind].format(part=part, file=short(change.file))
        kept = change.kind == "added" and change.before is not None
        backup = f"; as it was: {change.backup.name}" if kept else ""
        mark = "·" if not self.news else "✓" if done else "•"
        yield page.labelled(mark, f"{self.target.title}: {sentence}{backup}", wide=1)
        if done and change.note and change.kind in {"added", "updated"}:
            yield page.labelled("!", change.note, wide=1, style="warn")

    def told(self) -> dict[str, Any]:
        """It for a program."""
        host = {"host": self.target.name, "what": self.part}
        change = self.change
        if change is None:
            return {**host, "refused": self.refused}
        kept = change.kind == "added" and change.before is not None
        more = {
            "backup": change.backup if kept else None,
            "note": change.note if change.kind in {"added", "updated"} else "",
            "standing": self.standing,
        }
        said = {name: value for name, value in more.items() if value}
        return {**host, "change": change.kind, "file": change.file, **said}


class Changes:
    """Changes one after the other: what one refuses keeps no other from being made."""

    def __init__(self) -> None:
        self.every: list[Planned] = []

    def add(self, target: Target, plan: Callable[[], Change], part: Part = "server") -> None:
        """Plan one more; hooks that are not there need not go."""
        planned = Planned(target, part, plan)
        planned.look()
        if part == "server" or planned.change is None or planned.change.kind != "absent":
            self.every.append(planned)

    @property
    def news(self) -> list[Planned]:
        """Those that change something."""
        return [each for each in self.every if each.news]

    @property
    def refused(self) -> list[Planned]:
        """Those that cannot be made."""
        return [each for each in self.every if each.change is None]

    def carry_out(self, say: Callable[[Planned], None]) -> None:
        """Write all of them, each planned anew: one file may take the server and hooks."""
        for each in self.every:
            each.look(write=True)
            say(each)

    def told(self) -> list[dict[str, Any]]:
        """All of them for a program."""
        return [each.told() for each in self.every]


def arriving(names: Sequence[str], *, server: str = "", hooks: bool) -> Changes:
    """What puts the server into the hosts that are meant, and hooks where those are wanted.

    Raises:
        ending.Failed: it is not known how this installation is started.
    """
    try:
        started: Launch = launch()
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    changes, targets = Changes(), chosen(names)
    for target in targets:
        changes.add(target, partial(plan_install, target, started, server))
    for hooked in hooked_of(targets) if hooks else ():
        changes.add(hooked.target, partial(plan_hooks, hooked, started), "hooks")
    return changes


def leaving(targets: Sequence[Target], server: str = "") -> Changes:
    """What takes the server and hooks out of hosts, in the other order than they came.

    Each finds the file as it left it.
    """
    changes = Changes()
    for hooked in hooked_of(targets):
        changes.add(hooked.target, partial(plan_no_hooks, hooked), "hooks")
    for target in targets:
        changes.add(target, partial(plan_uninstall, target, server))
    return changes


def chosen(names: Sequence[str]) -> list[Target]:
    """The hosts that are named, else those found on this machine."""
    if names:
        return [target for target in TARGETS if target.name in names]
    return [target for target in TARGETS if target.found()]


def hooked_of(targets: Sequence[Target]) -> list[Hooked | Plugged]:
    """Those of the hosts that take hooks."""
    names = {target.name for target in targets}
    return [hooked for hooked in HOOKS if hooked.host in names]
