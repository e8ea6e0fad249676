"""`mcp-memory install` and `uninstall`: our server in the settings of the hosts on this machine."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click

from mcp_memory.cli import ending, options, removing
from mcp_memory.cli.door import print_json
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.hosts.installing.changes import Change, apply, plan_install, plan_uninstall
from mcp_memory.hosts.installing.checking import standing
from mcp_memory.hosts.installing.hooking import HOOKS, Hooked, plan_hooks, plan_no_hooks
from mcp_memory.hosts.installing.launch import launch
from mcp_memory.hosts.installing.plugging import Plugged
from mcp_memory.hosts.installing.targets import TARGETS, Target

NAMES = click.Choice([target.name for target in TARGETS])
_DONE = {
    "added": "added",
    "updated": "updated",
    "unchanged": "already there, nothing to do",
    "removed": "taken out",
    "restored": "taken out; the file is as it was before",
    "absent": "not there, nothing to do",
}
_WOULD = {"added": "would be added", "updated": "would be updated", "removed": "would be taken out",
          "restored": "would be taken out; the file as it was before"}  # fmt: skip
_SAID = {
    "connected": "{title} lists it, connected.",
    "listed": "{title} lists it.",
    "missing": "{title} does not list it yet.",
    "failed": "{title} could not connect to it, or could not be asked.",
}


@click.command("install")
@click.argument("hosts", nargs=-1, type=NAMES, metavar="[HOST]...")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--print", "only_print", is_flag=True, help="Print the entry, to put in by hand.")
@click.option("--name", "server", default="", help="What the server is called in the host.")
@click.option(
    "--hooks",
    is_flag=True,
    help="Also put in hooks: Claude Code, Codex, Gemini CLI, Cursor, opencode.",
)
@click.option("--no-check", is_flag=True, help="Do not ask the host's own command afterwards.")
@options.as_json
def install_command(
    hosts: tuple[str, ...],
    dry_run: bool,
    only_print: bool,
    server: str,
    hooks: bool,
    no_check: bool,
    as_json: bool,
) -> None:
    """Put the server into the settings of each HOST, or of every host found on this machine.

    Hosts: claude-code, codex, gemini-cli, cursor, vscode, claude-desktop, opencode, windsurf,
    zed, goose. The file as it was is kept beside it; comments and order stay; twice is as good as once.
    """
    try:
        command = launch()
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    targets = _chosen(hosts)
    if only_print:
        for target in targets:
            entry = {target.table: {server or target.server: target.entry(command)}}
            click.echo(f"{target.title} · {target.file()}")
            click.echo(json.dumps(entry, indent=2, ensure_ascii=False))
        return
    run = _Run(dry_run=dry_run, as_json=as_json, asks=not (dry_run or no_check))
    for target in targets:
        run.carry_out(target, partial(plan_install, target, command, server))
    for hooked in _hooked(targets) if hooks else ():
        run.carry_out(hooked.target, partial(plan_hooks, hooked, command), hooks=True)
    run.end()


@click.command("uninstall")
@click.argument("hosts", nargs=-1, type=NAMES, metavar="[HOST]...")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--name", "server", default="", help="What the server is called in the host.")
@click.option(
    "--everything", is_flag=True, help="Out of every host, and the bank deleted: asks first."
)
@click.option("--yes", "-y", is_flag=True, help="With --everything: do it without asking.")
@options.as_json
def uninstall_command(
    hosts: tuple[str, ...],
    dry_run: bool,
    server: str,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take the server out of the settings of each HOST, or of every host; the bank stays as it is."""
    if everything:
        if hosts or server:
            raise click.UsageError("--everything is of every host: name none.")
        if as_json and not (yes or dry_run):
            raise click.UsageError("--json with --everything asks nothing: add --yes or --dry-run.")
        removing.remove(yes=yes, dry_run=dry_run, as_json=as_json)
        return
    targets = _chosen(hosts)
    run = _Run(dry_run=dry_run, as_json=as_json)
    # In the other order than they came: each finds the file as it left it.
    for hooked in _hooked(targets):
        run.carry_out(hooked.target, partial(plan_no_hooks, hooked), hooks=True)
    for target in targets:
        run.carry_out(target, partial(plan_uninstall, target, server))
    run.end()


def chosen(names: Sequence[str]) -> list[Target]:
    """The hosts that are named, else those found on this machine."""
    if names:
        return [target for target in TARGETS if target.name in names]
    return [target for target in TARGETS if target.found()]


def told(title: str, change: Change) -> dict[str, Any]:
    """A change as a program reads it."""
    return {"host": change.target.name, "what": title, "change": change.kind, "file": change.file}


def _chosen(names: Sequence[str]) -> list[Target]:
    """The same; where there are none it is said how to name one."""
    found = chosen(names)
    if not found:
        known = ", ".join(target.name for target in TARGETS)
        click.echo(f"No host found on this machine. Name one of: {known}.", err=True)
    return found


def _hooked(targets: Sequence[Target]) -> list[Hooked | Plugged]:
    """Those of the hosts that take hooks."""
    names = {target.name for target in targets}
    return [hooked for hooked in HOOKS if hooked.host in names]


@dataclass(slots=True)
class _Run:
    """Changes carried out one after the other: what one refuses keeps no other from being made."""

    dry_run: bool
    as_json: bool
    asks: bool = False
    """Whether the host's own command is asked afterwards."""
    done: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    def carry_out(self, target: Target, plan: Callable[[], Change], *, hooks: bool = False) -> None:
        """Plan a change and write it, and say so."""
        title = f"{target.title}, hooks" if hooks else target.title
        try:
            change = plan()
            if not self.dry_run:
                apply(change)
        except InvalidInput as error:
            self.refused += 1
            self.done.append({"what": title, "refused": str(error)})
            if not self.as_json:
                click.echo(f"{title}: {error}", err=True)
            return
        if hooks and change.kind == "absent":
            return
        stands = not hooks and change.kind in {"added", "updated", "unchanged"}
        listed = standing(change.target, change.server) if stands and self.asks else ""
        self.done.append(told(title, change) | ({"standing": listed} if listed else {}))
        if not self.as_json:
            self._say(title, change)
            if stands:
                self._say_standing(change, listed)

    def _say(self, title: str, change: Change) -> None:
        said = _WOULD.get(change.kind) if self.dry_run else None
        click.echo(f"{title}: {said or _DONE[change.kind]} · {change.file}")
        for line in change.shown():
            click.echo(f"  {line}")
        if change.before is not None and change.kind == "added":
            click.echo(f"  The file as it was: {change.backup}")
        if change.note and change.kind in {"added", "updated"} and not self.dry_run:
            click.echo(f"  {change.note}")

    def _say_standing(self, change: Change, said: str) -> None:
        if self.dry_run:
            return
        if said in _SAID:
            click.echo(f"  {_SAID[said].format(title=change.target.title)}")
        if change.kind != "unchanged":
            click.echo(f"  {change.target.next_step}")

    def end(self) -> None:
        """Print what was done, for a program; end so where anything was refused."""
        if self.as_json:
            print_json({"dry_run": self.dry_run, "changes": self.done})
        if self.refused:
            raise SystemExit(1)
