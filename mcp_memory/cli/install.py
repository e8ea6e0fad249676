"""`mcp-memory install` and `uninstall`: our server in the settings of the hosts on this machine."""

import json
from collections.abc import Sequence

import click

from mcp_memory.cli import changes, ending, options, removing
from mcp_memory.cli.changes import NAMES, Changes, Planned
from mcp_memory.cli.door import print_json
from mcp_memory.cli.drawing.screen import Page
from mcp_memory.domain.errors import MemoryBankError
from mcp_memory.hosts.installing.checking import standing
from mcp_memory.hosts.installing.launch import launch
from mcp_memory.hosts.installing.targets import TARGETS, Target

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
    targets = _chosen(hosts)
    if only_print:
        _print(targets, server)
        return
    names = [target.name for target in targets]
    arriving = changes.arriving(names, server=server, hooks=hooks) if names else Changes()
    _carried_out(arriving, dry_run=dry_run, as_json=as_json, asks=not no_check)


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
    left = changes.leaving(_chosen(hosts), server)
    _carried_out(left, dry_run=dry_run, as_json=as_json, asks=False)


def _print(targets: Sequence[Target], server: str) -> None:
    """The entries, to put in by hand."""
    try:
        command = launch()
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    for target in targets:
        entry = {target.table: {server or target.server: target.entry(command)}}
        click.echo(f"{target.title} · {target.file()}")
        click.echo(json.dumps(entry, indent=2, ensure_ascii=False))


def _chosen(names: Sequence[str]) -> list[Target]:
    """The hosts that are meant; where there are none it is said how to name one."""
    found = changes.chosen(names)
    if not found:
        known = ", ".join(target.name for target in TARGETS)
        click.echo(f"No host found on this machine. Name one of: {known}.", err=True)
    return found


def _carried_out(planned: Changes, *, dry_run: bool, as_json: bool, asks: bool) -> None:
    """Show the changes, or carry them out and say each; end so where anything was refused."""
    page = Page()

    def say(each: Planned) -> None:
        if asks and not dry_run:
            _asked(each)
        if not as_json:
            _say(page, each, done=not dry_run)

    if dry_run:
        for each in planned.every:
            say(each)
    else:
        planned.carry_out(say)
    if as_json:
        print_json({"done": not dry_run, "changes": planned.told()})
    refused = len(planned.refused)
    ending.refused(refused, done=len(planned.every) > refused)


def _say(page: Page, each: Planned, *, done: bool) -> None:
    """One change with its lines, and what is to be done next."""
    if each.change is None:
        click.echo(f"{each.target.title}: {each.refused}", err=True)
        return
    page.show(each.lines(page, done=done))
    for line in each.change.shown():
        click.echo(f"      {line}")
    if done:
        _say_next(each)


def _stands(each: Planned) -> bool:
    """Whether the server is in the host's settings now."""
    kind = each.change.kind if each.change else "absent"
    return each.part == "server" and kind in {"added", "updated", "unchanged"}


def _asked(each: Planned) -> None:
    """Ask the host's own command what it says of the server."""
    if each.change is not None and _stands(each):
        each.standing = standing(each.target, each.change.server)


def _say_next(each: Planned) -> None:
    """What the host says, and what is to be done in it."""
    if not _stands(each):
        return
    if each.standing in _SAID:
        click.echo(f"    {_SAID[each.standing].format(title=each.target.title)}")
    if each.news:
        click.echo(f"    {each.target.next_step}")
