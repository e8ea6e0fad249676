"""`mcp-memory install` and `uninstall`: our server in the settings of the hosts on this machine."""

import json
from collections.abc import Callable, Sequence

import click

from mcp_memory.cli import ending, removing
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.hosts.installing.changes import Change, apply, plan_install, plan_uninstall
from mcp_memory.hosts.installing.checking import standing
from mcp_memory.hosts.installing.hooking import HOOKED, Hooked, plan_hooks, plan_no_hooks
from mcp_memory.hosts.installing.launch import launch
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
@click.option("--hooks", is_flag=True, help="Also put in hooks: Claude Code, Codex, Gemini CLI.")
@click.option("--no-check", is_flag=True, help="Do not ask the host's own command afterwards.")
def install_command(
    hosts: tuple[str, ...],
    dry_run: bool,
    only_print: bool,
    server: str,
    hooks: bool,
    no_check: bool,
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
    asked = not (dry_run or no_check)
    refused = _carried_out(
        targets, lambda each: plan_install(each, command, server), dry_run, asked=asked
    )
    if hooks:
        refused += _hooked(targets, lambda each: plan_hooks(each, command), dry_run)
    if refused:
        raise SystemExit(1)


@click.command("uninstall")
@click.argument("hosts", nargs=-1, type=NAMES, metavar="[HOST]...")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--name", "server", default="", help="What the server is called in the host.")
@click.option(
    "--everything", is_flag=True, help="Out of every host, and the bank deleted: asks first."
)
@click.option("--yes", "-y", is_flag=True, help="With --everything: do it without asking.")
def uninstall_command(
    hosts: tuple[str, ...], dry_run: bool, server: str, everything: bool, yes: bool
) -> None:
    """Take the server out of the settings of each HOST, or of every host; the bank stays as it is."""
    if everything:
        if hosts or server:
            raise click.UsageError("--everything is of every host: name none.")
        removing.remove(yes=yes, dry_run=dry_run)
        return
    targets = _chosen(hosts)
    # In the other order than they came: each finds the file as it left it.
    refused = _hooked(targets, plan_no_hooks, dry_run)
    refused += _carried_out(
        targets, lambda each: plan_uninstall(each, server), dry_run, asked=False
    )
    if refused:
        raise SystemExit(1)


def chosen(names: Sequence[str]) -> list[Target]:
    """The hosts that are named, else those found on this machine."""
    if names:
        return [target for target in TARGETS if target.name in names]
    return [target for target in TARGETS if target.found()]


def _chosen(names: Sequence[str]) -> list[Target]:
    """The same; where there are none it is said how to name one."""
    found = chosen(names)
    if not found:
        known = ", ".join(target.name for target in TARGETS)
        click.echo(f"No host found on this machine. Name one of: {known}.")
    return found


def _carried_out(
    targets: Sequence[Target], plan: Callable[[Target], Change], dry_run: bool, *, asked: bool
) -> int:
    """One host after the other: what one refuses does not keep the others from theirs.

    Returns how many refused.
    """
    refused = 0
    for target in targets:
        try:
            change = plan(target)
            if not dry_run:
                apply(change)
        except InvalidInput as error:
            refused += 1
            click.echo(f"{target.title}: {error}", err=True)
            continue
        said = _WOULD.get(change.kind) if dry_run else None
        click.echo(f"{target.title}: {said or _DONE[change.kind]} · {change.file}")
        for line in change.shown():
            click.echo(f"  {line}")
        if change.kind in {"added", "updated", "unchanged"}:
            _afterwards(change, dry_run=dry_run, asked=asked)
    return refused


def _hooked(targets: Sequence[Target], plan: Callable[[Hooked], Change], dry_run: bool) -> int:
    """The same for the hooks of those hosts that have them."""
    names = {target.name for target in targets}
    refused = 0
    for hooked in HOOKED:
        if hooked.host not in names:
            continue
        title = f"{hooked.target.title}, hooks"
        try:
            change = plan(hooked)
            if not dry_run:
                apply(change)
        except InvalidInput as error:
            refused += 1
            click.echo(f"{title}: {error}", err=True)
            continue
        if change.kind == "absent":
            continue
        said = _WOULD.get(change.kind) if dry_run else None
        click.echo(f"{title}: {said or _DONE[change.kind]} · {change.file}")
        for line in change.shown():
            click.echo(f"  {line}")
        if change.before is not None and change.kind == "added":
            click.echo(f"  The file as it was: {change.backup}")
    return refused


def _afterwards(change: Change, *, dry_run: bool, asked: bool) -> None:
    if change.before is not None and change.kind == "added":
        click.echo(f"  The file as it was: {change.backup}")
    if dry_run:
        return
    told = standing(change.target, change.server) if asked else "not asked"
    if told in _SAID:
        click.echo(f"  {_SAID[told].format(title=change.target.title)}")
    if change.kind != "unchanged":
        click.echo(f"  {change.target.next_step}")
